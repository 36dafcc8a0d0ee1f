// SPDX-License-Identifier: Apache-2.0
#include "scoring/bert_score.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/mm.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>

#include "base/error.h"
#include "io/atomic_file.h"
#include "model/encoder.h"
#include "scoring/net_batches.h"
#include "text/bpe_bytes.h"
#include "text/python_text.h"
#include "text/tokenizer.h"

namespace unirg::scoring {
namespace {

using at::Tensor;

constexpr size_t kMostTokens = 512;

struct BuiltIn {
  const char* model;
  int64_t layer;
  BertScoreBaseline baseline;
};
constexpr std::array<BuiltIn, 10> kBuiltIn = {{
    {"distilroberta-base", 0, {0.42608285, 0.4272089, 0.42462298}},
    {"distilroberta-base", 1, {0.7367886, 0.7370362, 0.736573}},
    {"distilroberta-base", 2, {0.79922664, 0.799593, 0.7991632}},
    {"distilroberta-base", 3, {0.8329021, 0.8333321, 0.83291864}},
    {"distilroberta-base", 4, {0.8442, 0.84462386, 0.84425896}},
    {"distilroberta-base", 5, {0.84732, 0.84759504, 0.8473319}},
    {"distilroberta-base", 6, {0.89334005, 0.8935088, 0.8933471}},
    {"distilbert-base-uncased", 5, {0.6666034, 0.66660464, 0.66620487}},
    {"roberta-large", 17, {0.83150584, 0.8314941, 0.83122575}},
    {"bert-base-uncased", 9, {0.35375935, 0.3537393, 0.35219112}},
}};

/// View of the rows. \returns [N, H]
Tensor rows(const TokenVectors& t) {
  const auto n = static_cast<int64_t>(t.ids.size());
  const int64_t width = static_cast<int64_t>(t.vectors.size()) / n;
  return at::from_blob(const_cast<float*>(t.vectors.data()), {n, width}, at::kFloat);
}

/// Weighted mean of each token's best cosine; nullopt if nothing weighs.
std::optional<double> weighted_mean(const Tensor& best, const std::vector<int64_t>& ids,
                                    const TokenWeights& weights) {
  const float* values = best.const_data_ptr<float>();
  double sum = 0;
  double total = 0;
  for (size_t i = 0; i < ids.size(); ++i) {
    const auto w = static_cast<double>(weights.of(ids[i]));
    sum += w * static_cast<double>(values[i]);
    total += w;
  }
  if (total == 0) return std::nullopt;
  return sum / total;
}

double number(std::string_view field, const std::string& where) {
  double value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc() || end != field.data() + field.size() || !std::isfinite(value))
    throw Error(Exit::data, fmt::format("{}: '{}' is no number", where, field));
  return value;
}

}  // namespace

TokenWeights::TokenWeights(const std::vector<int64_t>& specials) {
  for (const int64_t id : specials) known_[id] = 0;
}

TokenWeights TokenWeights::of_rarity(const std::vector<std::vector<int64_t>>& texts) {
  std::unordered_map<int64_t, int64_t> counts;
  for (const auto& ids : texts) {
    for (const int64_t id : std::set<int64_t>(ids.begin(), ids.end())) ++counts[id];
  }
  TokenWeights out({});
  const auto all = static_cast<double>(texts.size()) + 1;
  for (const auto& [id, count] : counts)
    out.known_[id] = static_cast<float>(std::log(all / (static_cast<double>(count) + 1)));
  out.others_ = static_cast<float>(std::log(all));
  return out;
}

float TokenWeights::of(int64_t id) const {
  const auto it = known_.find(id);
  return it == known_.end() ? others_ : it->second;
}

BertScoreValue rescale(const BertScoreValue& value, const BertScoreBaseline& baseline) {
  const auto scaled = [](double x, double b) { return (x - b) / (1 - b); };
  BertScoreValue out{.precision = {}, .recall = {}, .f = scaled(value.f, baseline.f)};
  if (value.precision) out.precision = scaled(*value.precision, baseline.precision);
  if (value.recall) out.recall = scaled(*value.recall, baseline.recall);
  return out;
}

std::optional<BertScoreBaseline> built_in_baseline(const std::string& model, int64_t layer) {
  for (const BuiltIn& row : kBuiltIn) {
    if (row.model == model && row.layer == layer) return row.baseline;
  }
  return std::nullopt;
}

BertScoreBaseline read_baseline(const std::filesystem::path& file, int64_t layer) {
  const std::string text = io::read_file(file);
  size_t line = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string_view rest = std::string_view(text).substr(at, end - at);
    at = end + 1;
    const std::string where = fmt::format("{}:{}", file.string(), ++line);
    if (rest.ends_with('\r')) rest.remove_suffix(1);
    if (line == 1 && rest != "LAYER,P,R,F")
      throw Error(Exit::data, fmt::format("{}: expected the heading 'LAYER,P,R,F'", where));
    if (line == 1 || rest.empty()) continue;
    std::array<double, 4> row{};
    for (size_t i = 0; i < row.size(); ++i) {
      const size_t comma = i + 1 < row.size() ? rest.find(',') : rest.size();
      if (comma == std::string_view::npos)
        throw Error(Exit::data, fmt::format("{}: expected four fields", where));
      row[i] = number(rest.substr(0, comma), where);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    if (row[0] != static_cast<double>(layer)) continue;
    if (row[1] >= 1 || row[2] >= 1 || row[3] >= 1)
      throw Error(Exit::data, fmt::format("{}: a baseline must be below 1", where));
    return {row[1], row[2], row[3]};
  }
  throw Error(Exit::data, fmt::format("'{}' has no row of layer {}", file.string(), layer));
}

std::string single_spaces(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ' || out.empty() || out.back() != ' ') out += c;
  }
  return out;
}

struct BertScorer::Impl {
  text::Tokenizer tokenizer;
  model::Encoder encoder;
  int64_t layer = 0;
  int64_t most_tokens = 0;
  bool blank_in_front = false;
  std::vector<int64_t> specials;
};

BertScorer::BertScorer(const std::filesystem::path& folder, int64_t layer) {
  Impl impl{.tokenizer = text::Tokenizer::load(folder),
            .encoder = model::packed(model::load_encoder(folder)),
            .layer = layer,
            .specials = {}};
  const model::EncoderConfig& c = impl.encoder.config;
  if (layer < 0 || layer > c.num_hidden_layers) {
    throw Error(Exit::config, fmt::format("BERTScore takes layer {}, '{}' has {}", layer,
                                          folder.string(), c.num_hidden_layers));
  }
  impl.most_tokens = std::min<int64_t>(kMostTokens, c.max_tokens().value_or(kMostTokens));
  impl.blank_in_front = c.family == model::EncoderFamily::roberta;
  impl.specials = impl.tokenizer.encode("", text::EncodeOptions{});
  if (impl.specials.size() != 2) {
    throw Error(Exit::data,
                fmt::format("the tokenizer in '{}' puts {} special tokens round a text, "
                            "BERTScore is defined for two",
                            folder.string(), impl.specials.size()));
  }
  impl_ = std::make_unique<const Impl>(std::move(impl));
}

BertScorer::~BertScorer() = default;

const std::vector<int64_t>& BertScorer::specials() const { return impl_->specials; }

std::vector<int64_t> BertScorer::ids(std::string_view text) const {
  const std::string valid = text::replace_broken_utf8(text);
  const std::string_view stripped = text::python_strip(valid);
  if (stripped.empty()) return impl_->specials;
  std::string input(stripped);
  if (impl_->blank_in_front) input.insert(input.begin(), ' ');
  return impl_->tokenizer.encode(input, {.max_length = impl_->most_tokens});
}

std::vector<TokenVectors> BertScorer::embed(const std::vector<std::string>& texts,
                                            size_t batch_size) const {
  use_one_thread();
  const at::NoGradGuard no_grad;
  std::vector<TokenVectors> out(texts.size());
  std::vector<size_t> lengths;
  for (size_t i = 0; i < texts.size(); ++i) {
    out[i].ids = ids(texts[i]);
    lengths.push_back(out[i].ids.size());
  }
  for (const auto& chosen : make_batches(lengths, batch_size)) {
    std::vector<std::vector<int64_t>> batch;
    for (const size_t i : chosen) batch.push_back(out[i].ids);
    const Tensor hidden =
        model::encoder_forward(impl_->encoder,
                               model::pad_batch(batch, impl_->encoder.config.pad_token_id),
                               impl_->layer)
            .hidden.back();  // [B, T, H]
    for (size_t b = 0; b < chosen.size(); ++b) {
      const Tensor own = hidden[static_cast<int64_t>(b)].narrow(
          0, 0, static_cast<int64_t>(batch[b].size()));  // [N, H]
      const Tensor unit =
          (own / at::linalg_vector_norm(own, 2, {-1}, /*keepdim=*/true)).contiguous();
      const float* values = unit.const_data_ptr<float>();
      out[chosen[b]].vectors.assign(values, values + unit.numel());
    }
  }
  return out;
}

BertScoreValue bert_score(const TokenVectors& hypothesis, const TokenVectors& reference,
                          const TokenWeights& weights) {
  use_one_thread();
  const at::NoGradGuard no_grad;
  const Tensor cosines = at::mm(rows(hypothesis), rows(reference).t());  // [hypothesis, reference]
  BertScoreValue out;
  out.precision = weighted_mean(at::amax(cosines, {1}), hypothesis.ids, weights);
  out.recall = weighted_mean(at::amax(cosines, {0}), reference.ids, weights);
  if (out.precision && out.recall && *out.precision + *out.recall != 0)
    out.f = 2 * *out.precision * *out.recall / (*out.precision + *out.recall);
  const bool empty = hypothesis.ids.size() == 2 || reference.ids.size() == 2;
  if (empty) out.precision = out.recall = 0;  // F stays: the source masks it no more
  return out;
}

}  // namespace unirg::scoring
