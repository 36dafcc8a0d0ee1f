// SPDX-License-Identifier: Apache-2.0
#include "policy/sampler.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
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

/// log sum exp of logits / temperature, in double.
double log_normaliser(std::span<const float> logits, double inverse_temperature) {
  const float top = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits)
    sum += std::exp((static_cast<double>(logit) - top) * inverse_temperature);
  return top * inverse_temperature + std::log(sum);
}

int64_t best_allowed(std::span<const float> logits, const std::vector<bool>& allowed) {
  int64_t best = -1;
  for (size_t id = 0; id < logits.size(); ++id) {
    if (allowed[id] && (best < 0 || logits[id] > logits[static_cast<size_t>(best)]))
      best = static_cast<int64_t>(id);
  }
  return best;
}

/// Allowed ids that survive top-k and top-p, in id order, with unnormalised probabilities.
std::vector<std::pair<int64_t, double>> candidates(std::span<const float> logits,
                                                   const TokenRules& rules,
                                                   const DecodeOptions& options) {
  std::vector<std::pair<int64_t, double>> kept;
  const float top = logits[static_cast<size_t>(best_allowed(logits, rules.allowed))];
  for (size_t id = 0; id < logits.size(); ++id) {
    if (rules.allowed[id])
      kept.emplace_back(static_cast<int64_t>(id),
                        std::exp((static_cast<double>(logits[id]) - top) / options.temperature));
  }
  const bool narrow = (options.top_k > 0 && options.top_k < static_cast<int64_t>(kept.size())) ||
                      options.top_p < 1.0;
  if (!narrow) return kept;
  std::vector<double> sorted;
  for (const auto& [id, p] : kept) sorted.push_back(p);
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  if (options.top_k > 0 && options.top_k < static_cast<int64_t>(sorted.size())) {
    const double least = sorted[static_cast<size_t>(options.top_k - 1)];
    std::erase_if(sorted, [&](double p) { return p < least; });
  }
  double least = sorted.back();
  const double total = std::accumulate(sorted.begin(), sorted.end(), 0.0);
  double sum = 0;
  for (const double p : sorted) {  // the fewest whose probability reaches top_p
    sum += p;
    if (sum >= options.top_p * total) {
      least = std::max(least, p);
      break;
    }
  }
  std::erase_if(kept, [&](const auto& item) { return item.second < least; });
  return kept;
}

Draw draw_token(std::span<const float> logits, const TokenRules& rules,
                const DecodeOptions& options, double uniform) {
  const bool greedy = options.temperature == 0;
  const double inverse = greedy ? 1.0 : 1.0 / options.temperature;
  const double normaliser = log_normaliser(logits, inverse);
  if (!std::isfinite(normaliser))
    throw Error(Exit::data, "the policy's logits are not finite (hint: training diverged)");
  Draw draw;
  if (greedy) {
    draw.token = best_allowed(logits, rules.allowed);
  } else {
    const auto kept = candidates(logits, rules, options);
    double total = 0;
    for (const auto& [id, p] : kept) total += p;
    double target = uniform * total;
    draw.token = kept.back().first;
    for (const auto& [id, p] : kept) {
      if (target < p) {
        draw.token = id;
        break;
      }
      target -= p;
    }
  }
  const double logit = logits[static_cast<size_t>(draw.token)];
  draw.logprob = static_cast<float>(logit * inverse - normaliser);
  return draw;
}

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
    return at::linear(out.view({n, -1}), model_.text.head).to(at::kFloat).to(at::kCPU).contiguous();
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

std::vector<Reply> sample_replies(const model::Qwen3VL& model, const model::PromptTokens& prompt,
                                  const std::string& subject, const TokenRules& rules,
                                  const DecodeOptions& options) {
  UNIRG_ASSERT(static_cast<int64_t>(rules.allowed.size()) == model.config.text.vocab_size,
               "one rule a token id");
  const at::NoGradGuard no_grad;
  Decoder decoder(model, prompt, options);
  std::vector<Reply> replies(static_cast<size_t>(options.samples));
  std::vector<int64_t> open(replies.size());  // reply of each row
  std::iota(open.begin(), open.end(), int64_t{0});
  std::vector<int64_t> tokens(replies.size(), prompt.tokens.back());
  for (int64_t t = 0; t < options.max_new_tokens && !open.empty(); ++t) {
    const Tensor logits = decoder.step(tokens);
    const float* data = logits.const_data_ptr<float>();
    const auto V = static_cast<size_t>(logits.size(1));
    std::vector<int64_t> rows;
    std::vector<int64_t> still_open;
    std::vector<int64_t> next;
    for (size_t row = 0; row < open.size(); ++row) {
      Reply& reply = replies[static_cast<size_t>(open[row])];
      const double uniform = uniform_at(options.seed, "sample", subject,
                                        static_cast<uint64_t>(open[row]), static_cast<uint64_t>(t));
      const Draw draw = draw_token({data + row * V, V}, rules, options, uniform);
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
