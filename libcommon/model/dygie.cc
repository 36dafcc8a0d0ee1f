// SPDX-License-Identifier: Apache-2.0
#include "model/dygie.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/clamp_min.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/index_add.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sort.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/topk.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"

namespace unirg::model {
namespace {

constexpr const char* kWidths = "_endpoint_span_extractor._span_width_embedding.weight";

std::string entity_root(const DygieConfig& c) {
  return fmt::format("_ner._ner_scorers.{}__ner_labels", c.dataset);
}
std::string relation_root(const DygieConfig& c, const char* part) {
  return fmt::format("_relation.{}.{}__relation_labels", part, c.dataset);
}

/// The archive's feed-forward networks: Linear and ReLU per width.
void add_network_shapes(Shapes& shapes, const std::string& name, int64_t in,
                        const std::vector<int64_t>& widths) {
  for (size_t i = 0; i < widths.size(); ++i) {
    add_dense_shapes(shapes, fmt::format("{}._linear_layers.{}", name, i), widths[i], in);
    in = widths[i];
  }
}

std::string layer_name(const std::string& network, size_t i) {
  return fmt::format("{}._linear_layers.{}", network, i);
}

/// What columns [begin, begin + x's width) of a network's first layer make of x, without the bias.
/// That layer reads vectors put side by side, so it is a sum of such parts, and what depends on one
/// word is worked out once a word instead of once a span: 8 times less, and nothing is copied.
Tensor first_layer_part(const Dygie& dygie, const std::string& name, int64_t begin,
                        const Tensor& x) {
  const Tensor weight = parameter(dygie.encoder.parameters, layer_name(name, 0) + ".weight");
  return at::linear(x, weight.narrow(1, begin, x.size(-1)));
}

const Tensor& first_layer_bias(const Dygie& dygie, const std::string& name) {
  return parameter(dygie.encoder.parameters, layer_name(name, 0) + ".bias");
}

/// The network behind its first layer. \param x sum of the first layer's parts and bias
Tensor network_behind(const Dygie& dygie, const std::string& name, Tensor x) {
  x = at::relu(x);
  for (size_t i = 1; i < dygie.config.hidden_dims.size(); ++i)
    x = at::relu(dense(dygie.encoder.parameters, layer_name(name, i), x));
  return x;
}

/// Whether a head scores the labels of another data set.
bool is_of_another(const DygieConfig& c, const std::string& name) {
  return std::any_of(
      c.other_datasets.begin(), c.other_datasets.end(), [&](const std::string& other) {
        return name.find(fmt::format(".{}__ner_labels.", other)) != std::string::npos ||
               name.find(fmt::format(".{}__relation_labels.", other)) != std::string::npos;
      });
}

Naming dygie_naming(const DygieConfig& c) {
  const std::string body =
      fmt::format("_embedder.token_embedder_{}._matched_embedder.transformer_model.", c.embedder);
  return [c, body, of_encoder = encoder_naming(c.encoder)](const std::string& name) -> std::string {
    if (name.starts_with(body)) return of_encoder(name.substr(body.size()));
    if (name.starts_with("_coref.") || name.starts_with("_events.")) return "";
    return is_of_another(c, name) ? "" : name;
  };
}

/// Class per row with a null class of score 0 in front; -1: null. \param scores [N, L]
std::vector<int64_t> best_classes(const Tensor& scores) {
  const Tensor with_null = at::cat({at::zeros({scores.size(0), 1}, scores.options()), scores}, 1);
  const Tensor best = (at::argmax(with_null, 1) - 1).to(at::kCPU).contiguous();
  return {best.const_data_ptr<int64_t>(), best.const_data_ptr<int64_t>() + best.numel()};
}

/// All spans of a report, by first word, then last.
struct Spans {
  std::vector<int64_t> first, last;
};

Spans make_spans(const Dygie& dygie, int64_t W) {
  Spans spans;
  for (int64_t first = 0; first < W; ++first) {
    for (int64_t last = first; last < std::min(W, first + dygie.config.max_span_width); ++last) {
      spans.first.push_back(first);
      spans.last.push_back(last);
    }
  }
  return spans;
}

/// A network over spans with a linear scorer behind it.
class SpanScorer {
 public:
  /// \param words [W, H]
  SpanScorer(const Dygie& dygie, std::string name, const Tensor& words)
      : dygie_(dygie), name_(std::move(name)), network_(name_ + ".0._module") {
    const int64_t H = words.size(1);
    first_ = first_layer_part(dygie, network_, 0, words);
    last_ = first_layer_part(dygie, network_, H, words);
    width_ =
        first_layer_part(dygie, network_, 2 * H, parameter(dygie.encoder.parameters, kWidths)) +
        first_layer_bias(dygie, network_);
  }

  /// \param first, last [N] words of each span \returns [N, scores]
  [[nodiscard]] Tensor scores(const Tensor& first, const Tensor& last) const {
    const Tensor x = at::index_select(first_, 0, first) + at::index_select(last_, 0, last) +
                     at::index_select(width_, 0, last - first);
    return dense(dygie_.encoder.parameters, name_ + ".1._module",
                 network_behind(dygie_, network_, x));
  }

 private:
  const Dygie& dygie_;
  std::string name_, network_;
  Tensor first_, last_, width_;  ///< of each word, each word, each width
};

/// Vectors of some spans. \returns [N, F]
Tensor span_vectors(const Dygie& dygie, const Tensor& words,
                    const std::vector<int64_t>& first_words,
                    const std::vector<int64_t>& last_words) {
  const Tensor first = at::tensor(first_words, at::kLong).to(words.device());
  const Tensor last = at::tensor(last_words, at::kLong).to(words.device());
  return at::cat({at::index_select(words, 0, first), at::index_select(words, 0, last),
                  at::embedding(parameter(dygie.encoder.parameters, kWidths), last - first)},
                 1);
}

struct SpanScores {
  std::vector<int64_t> classes;  ///< of entities; -1: none
  Tensor mentions;               ///< [S, 1]
};

/// Some thousand spans at a time: a long report's would fill the memory.
SpanScores score_spans(const Dygie& dygie, const Tensor& words, const Spans& spans) {
  constexpr size_t kSpans = 4096;
  const DygieConfig& c = dygie.config;
  const SpanScorer entities(dygie, entity_root(c), words);
  const SpanScorer pruner(dygie, relation_root(c, "_mention_pruners") + "._scorer", words);
  const auto some = [&](const std::vector<int64_t>& all, size_t begin) {
    const size_t count = std::min(all.size() - begin, kSpans);
    return at::tensor(at::ArrayRef<int64_t>(&all[begin], count), at::kLong).to(words.device());
  };
  SpanScores out;
  std::vector<Tensor> mentions;
  for (size_t begin = 0; begin < spans.first.size(); begin += kSpans) {
    const Tensor first = some(spans.first, begin);
    const Tensor last = some(spans.last, begin);
    const auto classes = best_classes(entities.scores(first, last));
    out.classes.insert(out.classes.end(), classes.begin(), classes.end());
    mentions.push_back(pruner.scores(first, last));
  }
  out.mentions = at::cat(mentions, 0);
  return out;
}

/// Spans that may stand in a relation: those of the best mentions that are entities, in span order.
struct Mentions {
  std::vector<int64_t> spans;  ///< K indices of spans
  Tensor vectors;              ///< [K, F]
  Tensor scores;               ///< [K, 1]
};

Mentions prune(const Dygie& dygie, const Tensor& words, const Spans& spans,
               const SpanScores& scored) {
  // float32, as in the source
  const auto wanted = static_cast<int64_t>(std::ceil(
      static_cast<float>(words.size(0)) * static_cast<float>(dygie.config.spans_per_word)));
  const int64_t best = std::min(wanted, scored.mentions.size(0));
  const Tensor top = std::get<1>(at::topk(scored.mentions.squeeze(1), best));
  const Tensor sorted = std::get<0>(at::sort(top)).to(at::kCPU);
  Mentions mentions;
  std::vector<int64_t> first, last;
  for (int64_t k = 0; k < best; ++k) {
    const int64_t s = sorted.const_data_ptr<int64_t>()[k];
    const auto i = static_cast<size_t>(s);
    if (scored.classes[i] < 0) continue;  // its relations would be dropped
    mentions.spans.push_back(s);
    first.push_back(spans.first[i]);
    last.push_back(spans.last[i]);
  }
  if (mentions.spans.empty()) return mentions;
  mentions.vectors = span_vectors(dygie, words, first, last);
  mentions.scores = at::index_select(scored.mentions, 0,
                                     at::tensor(mentions.spans, at::kLong).to(words.device()));
  return mentions;
}

struct Pair {
  size_t a = 0, b = 0;  ///< indices of mentions
  int64_t label = 0;
};

/// The ordered pairs of mentions that have a label, row by row. They are scored a few rows at a
/// time: all at once would be K x K x F floats, hundreds of megabytes for a long report.
std::vector<Pair> labeled_pairs(const Dygie& dygie, const Mentions& mentions) {
  constexpr int64_t kPairs = 4096;
  const DygieConfig& c = dygie.config;
  std::vector<Pair> found;
  if (mentions.spans.empty()) return found;
  const int64_t K = mentions.vectors.size(0);
  const int64_t F = mentions.vectors.size(1);
  const std::string name = relation_root(c, "_relation_feedforwards");
  const Tensor of_a = first_layer_part(dygie, name, 0, mentions.vectors);  // [K, hidden]
  const Tensor of_b =
      first_layer_part(dygie, name, F, mentions.vectors) + first_layer_bias(dygie, name);
  const int64_t rows = std::max<int64_t>(1, kPairs / K);
  const Tensor b = mentions.vectors.unsqueeze(0);  // [1, K, F]
  for (int64_t begin = 0; begin < K; begin += rows) {
    const int64_t n = std::min(rows, K - begin);
    const Tensor a = mentions.vectors.narrow(0, begin, n).unsqueeze(1);  // [n, 1, F]
    const Tensor inner =
        network_behind(dygie, name,
                       of_a.narrow(0, begin, n).unsqueeze(1) + of_b.unsqueeze(0) +
                           first_layer_part(dygie, name, 2 * F, a * b));  // [n, K, hidden]
    const Tensor both = mentions.scores.narrow(0, begin, n).unsqueeze(1) +
                        mentions.scores.unsqueeze(0);  // [n, K, 1]
    const Tensor scores =
        dense(dygie.encoder.parameters, relation_root(c, "_relation_scorers"), inner) + both;
    const auto labels = best_classes(scores.flatten(0, 1));
    for (size_t i = 0; i < labels.size(); ++i) {
      const auto width = static_cast<size_t>(K);
      if (labels[i] >= 0)
        found.push_back({static_cast<size_t>(begin) + i / width, i % width, labels[i]});
    }
  }
  return found;
}

using Ids = std::vector<int64_t>;

/// Pieces of a report in windows that leave room for the specials around them.
std::vector<Ids> make_windows(const WordPieces& words, const WindowIds& ids, int64_t max_length) {
  Ids pieces;
  for (const Ids& word : words) pieces.insert(pieces.end(), word.begin(), word.end());
  const auto step = static_cast<size_t>(max_length - 2);
  std::vector<Ids> windows;
  for (size_t begin = 0; begin < pieces.size(); begin += step) {
    const size_t end = std::min(pieces.size(), begin + step);
    Ids window{ids.first};
    window.insert(window.end(), pieces.begin() + static_cast<std::ptrdiff_t>(begin),
                  pieces.begin() + static_cast<std::ptrdiff_t>(end));
    window.push_back(ids.last);
    windows.push_back(std::move(window));
  }
  return windows;
}

/// Means over the pieces of each word. \param pieces [N, H] \returns [W, H]
Tensor pool_words(const Tensor& pieces, const WordPieces& words) {
  Ids owner;
  for (size_t w = 0; w < words.size(); ++w)
    owner.insert(owner.end(), words[w].size(), static_cast<int64_t>(w));
  std::vector<float> counts;
  for (const Ids& word : words)
    counts.push_back(static_cast<float>(std::max<size_t>(word.size(), 1)));
  const auto W = static_cast<int64_t>(words.size());
  const Tensor sums = at::index_add(at::zeros({W, pieces.size(1)}, pieces.options()), 0,
                                    at::tensor(owner, at::kLong).to(pieces.device()), pieces);
  return sums / at::tensor(counts, at::kFloat).to(pieces.device()).unsqueeze(1);
}

}  // namespace

Shapes dygie_head_shapes(const DygieConfig& c) {
  const int64_t F = c.span_size();
  const int64_t inner = c.hidden_dims.back();
  Shapes shapes{{kWidths, {c.max_span_width, c.feature_size}}};
  const auto add_scorer = [&](const std::string& name, int64_t scores) {
    add_network_shapes(shapes, name + ".0._module", F, c.hidden_dims);
    add_dense_shapes(shapes, name + ".1._module", scores, inner);
  };
  add_scorer(entity_root(c), static_cast<int64_t>(c.entity_labels.size()));
  add_scorer(relation_root(c, "_mention_pruners") + "._scorer", 1);
  add_network_shapes(shapes, relation_root(c, "_relation_feedforwards"), 3 * F, c.hidden_dims);
  add_dense_shapes(shapes, relation_root(c, "_relation_scorers"),
                   static_cast<int64_t>(c.relation_labels.size()), inner);
  return shapes;
}

Dygie load_dygie(const std::filesystem::path& folder, const std::string& dataset,
                 const at::Device& device) {
  const DygieConfig config = load_dygie_config(folder, dataset);
  Encoder encoder = load_encoder_weights(folder, config.encoder, dygie_head_shapes(config),
                                         dygie_naming(config), device);
  return {config, std::move(encoder)};
}

std::vector<Tensor> word_vectors(const Dygie& dygie, const std::vector<WordPieces>& reports,
                                 const WindowIds& ids) {
  std::vector<Ids> windows;
  std::vector<size_t> counts;  // windows of each report
  for (const WordPieces& words : reports) {
    const auto own = make_windows(words, ids, dygie.config.max_length);
    counts.push_back(own.size());
    windows.insert(windows.end(), own.begin(), own.end());
  }
  // A few windows at a time: those of a book would not fit the memory together.
  constexpr size_t kWindows = 16;
  std::vector<Tensor> hidden;  // of each window [T, H], specials and padding included
  for (size_t begin = 0; begin < windows.size(); begin += kWindows) {
    const auto from = windows.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto to =
        windows.begin() + static_cast<std::ptrdiff_t>(std::min(windows.size(), begin + kWindows));
    const TokenBatch batch = pad_batch({from, to}, dygie.config.encoder.pad_token_id);
    const Tensor last = encoder_forward(dygie.encoder, batch).hidden.back();
    for (int64_t i = 0; i < last.size(0); ++i) hidden.push_back(last[i]);
  }
  const Tensor none = at::zeros({0, dygie.config.encoder.hidden_size},
                                parameter(dygie.encoder.parameters, kWidths).options());
  std::vector<Tensor> vectors;
  size_t next = 0;
  for (size_t r = 0; r < reports.size(); ++r) {
    std::vector<Tensor> pieces{none};
    for (size_t i = 0; i < counts[r]; ++i, ++next) {
      const auto inner = static_cast<int64_t>(windows[next].size()) - 2;  // without the specials
      pieces.push_back(hidden[next].narrow(0, 1, inner));
    }
    vectors.push_back(pool_words(at::cat(pieces, 0), reports[r]));
  }
  return vectors;
}

DygieGraph decode_graph(const Dygie& dygie, const Tensor& words) {
  UNIRG_ASSERT(words.dim() == 2 && words.size(0) >= 1, "a report has at least one word");
  const DygieConfig& c = dygie.config;
  const Spans spans = make_spans(dygie, words.size(0));
  const SpanScores scores = score_spans(dygie, words, spans);
  const std::vector<int64_t>& classes = scores.classes;
  DygieGraph graph;
  std::map<int64_t, size_t> entity_of;  // span -> entity
  for (size_t s = 0; s < classes.size(); ++s) {
    if (classes[s] < 0) continue;
    entity_of[static_cast<int64_t>(s)] = graph.entities.size();
    graph.entities.push_back(
        {spans.first[s], spans.last[s], c.entity_labels[static_cast<size_t>(classes[s])]});
  }
  const Mentions mentions = prune(dygie, words, spans, scores);
  for (const Pair& pair : labeled_pairs(dygie, mentions)) {
    graph.relations.push_back({entity_of.at(mentions.spans[pair.a]),
                               entity_of.at(mentions.spans[pair.b]),
                               c.relation_labels[static_cast<size_t>(pair.label)]});
  }
  return graph;
}

std::vector<DygieGraph> dygie_graphs(const Dygie& dygie, const std::vector<WordPieces>& reports,
                                     const WindowIds& ids) {
  const std::vector<Tensor> vectors = word_vectors(dygie, reports, ids);
  std::vector<DygieGraph> graphs;
  for (const Tensor& words : vectors)
    graphs.push_back(words.size(0) > 0 ? decode_graph(dygie, words) : DygieGraph{});
  return graphs;
}

}  // namespace unirg::model
