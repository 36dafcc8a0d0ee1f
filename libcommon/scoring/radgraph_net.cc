// SPDX-License-Identifier: Apache-2.0
#include "scoring/radgraph_net.h"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <utility>

#include "base/error.h"
#include "model/dygie.h"
#include "scoring/net_batches.h"
#include "text/tokenizer.h"

namespace unirg::scoring {
namespace {

using Words = std::vector<std::string>;

std::string joined(const Words& words, size_t first, size_t last) {
  std::string out = words[first];
  for (size_t i = first + 1; i <= last; ++i) out += " " + words[i];
  return out;
}

metrics::ReportGraph named(const Words& words, const model::DygieGraph& graph) {
  metrics::ReportGraph out{.text = joined(words, 0, words.size() - 1), .entities = {}};
  for (const model::DygieEntity& e : graph.entities) {
    out.entities.push_back({.tokens = joined(words, static_cast<size_t>(e.first_word),
                                             static_cast<size_t>(e.last_word)),
                            .label = e.label,
                            .first_word = e.first_word,
                            .last_word = e.last_word});
  }
  for (const model::DygieRelation& r : graph.relations)
    out.entities[r.source].relations.push_back({r.label, r.target});
  return out;
}

}  // namespace

struct RadGraphNet::Impl {
  text::Tokenizer tokenizer;
  model::Dygie dygie;
  text::RadGraphTokens tokens;
  NetCache cache;
  model::WindowIds window;

  [[nodiscard]] model::WordPieces pieces(const Words& words) const {
    model::WordPieces out;
    for (const std::string& word : words) out.push_back(tokenizer.encode(word));
    return out;
  }
};

RadGraphNet::RadGraphNet(const std::filesystem::path& folder, text::RadGraphTokens tokens,
                         const std::string& dataset, NetCache cache) {
  text::Tokenizer tokenizer = text::Tokenizer::load(folder);
  const auto cls = tokenizer.id("[CLS]");
  const auto sep = tokenizer.id("[SEP]");
  if (!cls || !sep) {
    throw Error(Exit::data,
                fmt::format("the tokenizer in '{}' has no [CLS] or [SEP]", folder.string()));
  }
  impl_ =
      std::make_unique<const Impl>(Impl{.tokenizer = std::move(tokenizer),
                                        .dygie = model::packed(model::load_dygie(folder, dataset)),
                                        .tokens = tokens,
                                        .cache = std::move(cache),
                                        .window = {*cls, *sep}});
}

RadGraphNet::~RadGraphNet() = default;

std::vector<metrics::ReportGraph> RadGraphNet::read(const std::vector<std::string>& texts,
                                                    size_t batch_size) const {
  use_one_thread();
  const at::NoGradGuard no_grad;
  std::vector<metrics::ReportGraph> out(texts.size());
  std::vector<size_t> missing;
  std::vector<Words> words;
  std::vector<model::WordPieces> pieces;
  std::vector<size_t> lengths;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (const auto known = impl_->cache.get(texts[i])) {
      out[i] = metrics::graph_from_json(io::Json::parse(*known));
      continue;
    }
    missing.push_back(i);
    words.push_back(text::radgraph_tokens(texts[i], impl_->tokens));
    pieces.push_back(impl_->pieces(words.back()));
    lengths.push_back(0);
    for (const auto& word : pieces.back()) lengths.back() += word.size();
  }
  for (const auto& chosen : make_batches(lengths, batch_size)) {
    std::vector<model::WordPieces> batch;
    for (const size_t i : chosen) batch.push_back(pieces[i]);
    const auto graphs = model::dygie_graphs(impl_->dygie, batch, impl_->window);
    for (size_t b = 0; b < chosen.size(); ++b) {
      const size_t i = missing[chosen[b]];
      out[i] = named(words[chosen[b]], graphs[b]);
      impl_->cache.put(texts[i], metrics::graph_to_json(out[i]).dump());
    }
  }
  return out;
}

}  // namespace unirg::scoring
