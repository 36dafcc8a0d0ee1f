// SPDX-License-Identifier: Apache-2.0
#include "policy/sampler.h"

#include <ATen/ops/embedding.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "base/error.h"
#include "base/rng.h"

namespace unirg::policy {
namespace {

using at::Tensor;

struct Draw {
  int64_t token = 0;
  float logprob = 0;
};

/// One open row: what its next token is drawn from.
struct Row {
  std::span<const float> logits;
  std::span<const float> weights;  ///< exp((logit - largest allowed) / temperature), 0: not allowed
  double log_normaliser = 0;       ///< log sum exp of all logits / temperature
};

/// The least weight that survives top-k and top-p.
double least_weight(const Row& row, const DecodeOptions& options) {
  if (options.top_k == 0 && options.top_p >= 1.0) return 0;
  std::vector<double> sorted;
  for (const float w : row.weights) {
    if (w > 0) sorted.push_back(w);
  }
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  if (options.top_k > 0 && options.top_k < static_cast<int64_t>(sorted.size())) {
    const double least = sorted[static_cast<size_t>(options.top_k - 1)];
    std::erase_if(sorted, [&](double w) { return w < least; });
  }
  const double total = std::accumulate(sorted.begin(), sorted.end(), 0.0);
  double sum = 0;
  for (const double w : sorted) {  // the fewest whose probability reaches top_p
    sum += w;
    if (sum >= options.top_p * total) return w;
  }
  return sorted.back();
}

/// The id at `uniform` of the way through the weights that survive, in id order.
int64_t pick(const Row& row, const DecodeOptions& options, double uniform) {
  const double least = least_weight(row, options);
  double total = 0;
  for (const float w : row.weights) total += w >= least ? static_cast<double>(w) : 0.0;
  double left = uniform * total;
  int64_t last = -1;
  for (size_t id = 0; id < row.weights.size(); ++id) {
    const double w = row.weights[id];
    if (w == 0 || w < least) continue;
    last = static_cast<int64_t>(id);
    if (left < w) break;
    left -= w;
  }
  return last;
}

/// The first of the likeliest ids.
int64_t likeliest(const Row& row) {
  return std::max_element(row.weights.begin(), row.weights.end()) - row.weights.begin();
}

Draw draw_token(const Row& row, const DecodeOptions& options, double uniform) {
  if (!std::isfinite(row.log_normaliser))
    throw Error(Exit::data, "the policy's logits are not finite (hint: training diverged)");
  const bool greedy = options.temperature == 0;
  Draw draw;
  draw.token = greedy ? likeliest(row) : pick(row, options, uniform);
  const double logit = row.logits[static_cast<size_t>(draw.token)];
  draw.logprob =
      static_cast<float>(logit / (greedy ? 1.0 : options.temperature) - row.log_normaliser);
  return draw;
}

/// Logits of the open rows and what they weigh.
class NextTokens {
 public:
  /// \param logits [rows, V] float32 on the CPU, contiguous \param banned of ban()
  NextTokens(Tensor logits, const Tensor& banned, double temperature) : logits_(std::move(logits)) {
    const double inverse = temperature == 0 ? 1.0 : 1.0 / temperature;
    const Tensor allowed = logits_ + banned;
    weights_ = ((allowed - allowed.amax(-1, /*keepdim=*/true)) * inverse).exp_();
    log_normalisers_ = (logits_ * inverse).logsumexp(-1);
  }

  [[nodiscard]] Row row(size_t i) const {
    const auto V = static_cast<size_t>(logits_.size(1));
    return {{logits_.const_data_ptr<float>() + i * V, V},
            {weights_.const_data_ptr<float>() + i * V, V},
            log_normalisers_.const_data_ptr<float>()[i]};
  }

 private:
  Tensor logits_, weights_;  ///< [rows, V]
  Tensor log_normalisers_;   ///< [rows]
};

/// Replies under construction; rows of the batch are those still open.
class Decoder {
 public:
  Decoder(const model::Qwen3VL& model, const model::PromptTokens& prompt,
          const DecodeOptions& options)
      : model_(model),
        batch_(model::embed_prompts(model, {prompt}, /*drop_last=*/true)),
        prefix_(model::prefill(model.config.text, model.text, batch_.input)),
        cache_(model::make_reply_cache(model.config.text, 1, options.samples,
                                       options.max_new_tokens, model.text.embed.options())) {}

  /// Feeds one token to every open row. \returns logits [rows, V] float32 on the CPU
  Tensor step(const std::vector<int64_t>& tokens) {
    const auto n = static_cast<int64_t>(tokens.size());
    const Tensor ids = at::tensor(tokens, at::kLong).to(model_.text.embed.device());
    const Tensor hidden = at::embedding(model_.text.embed, ids).view({1, n, 1, -1});
    const model::Rotary rotary = model::reply_rotary(model_, batch_.positions, cache_.length, 1);
    const Tensor out =
        model::reply_forward(model_.config.text, model_.text, prefix_, hidden, rotary, &cache_);
    return model::next_logits(model_.text, out.view({n, -1})).to(at::kCPU).contiguous();
  }

  /// Leaves only `rows` in the batch.
  void keep(const std::vector<int64_t>& rows) {
    const Tensor index = at::tensor(rows, at::kLong).to(model_.text.embed.device());
    for (Tensor& keys : cache_.keys) keys = keys.index_select(2, index);
    for (Tensor& values : cache_.values) values = values.index_select(2, index);
  }

 private:
  const model::Qwen3VL& model_;
  model::PromptBatch batch_;
  model::PrefixCache prefix_;
  model::ReplyCache cache_;
};

}  // namespace

Tensor ban(const TokenRules& rules) {
  Tensor mask = at::zeros({static_cast<int64_t>(rules.allowed.size())}, at::kFloat);
  float* values = mask.mutable_data_ptr<float>();
  for (size_t id = 0; id < rules.allowed.size(); ++id) {
    if (!rules.allowed[id]) values[id] = -std::numeric_limits<float>::infinity();
  }
  return mask;
}

std::vector<Reply> sample_replies(const model::Qwen3VL& model, const model::PromptTokens& prompt,
                                  const std::string& subject, const TokenRules& rules,
                                  const DecodeOptions& options) {
  UNIRG_ASSERT(static_cast<int64_t>(rules.allowed.size()) == model.config.text.vocab_size,
               "one rule a token id");
  const c10::InferenceMode no_gradient;  // nor the bookkeeping for one
  Decoder decoder(model, prompt, options);
  const Tensor banned = ban(rules);
  std::vector<Reply> replies(static_cast<size_t>(options.samples));
  std::vector<int64_t> open(replies.size());  // reply of each row
  std::iota(open.begin(), open.end(), int64_t{0});
  std::vector<int64_t> tokens(replies.size(), prompt.tokens.back());
  for (int64_t t = 0; t < options.max_new_tokens && !open.empty(); ++t) {
    const NextTokens candidates(decoder.step(tokens), banned, options.temperature);
    std::vector<int64_t> rows;
    std::vector<int64_t> still_open;
    std::vector<int64_t> next;
    for (size_t row = 0; row < open.size(); ++row) {
      Reply& reply = replies[static_cast<size_t>(open[row])];
      const double uniform = uniform_at(options.seed, "sample", subject,
                                        static_cast<uint64_t>(open[row]), static_cast<uint64_t>(t));
      const Draw draw = draw_token(candidates.row(row), options, uniform);
      reply.tokens.push_back(draw.token);
      reply.logprobs.push_back(draw.logprob);
      reply.stopped =
          std::find(rules.ends.begin(), rules.ends.end(), draw.token) != rules.ends.end();
      if (reply.stopped) continue;
      rows.push_back(static_cast<int64_t>(row));
      still_open.push_back(open[row]);
      next.push_back(draw.token);
    }
    if (rows.size() < open.size() && !rows.empty()) decoder.keep(rows);
    open = std::move(still_open);
    tokens = std::move(next);
  }
  return replies;
}

}  // namespace unirg::policy
