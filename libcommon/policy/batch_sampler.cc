// SPDX-License-Identifier: Apache-2.0
#include "policy/batch_sampler.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/searchsorted.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/rng.h"

namespace unirg::policy {
namespace {

using at::Tensor;

/// Weights [rows, V] float64 without those that top-k and top-p take out.
Tensor surviving(const Tensor& weights, const DecodeOptions& options) {
  if (options.top_k == 0 && options.top_p >= 1.0) return weights;
  Tensor sorted = std::get<0>(weights.sort(/*dim=*/-1, /*descending=*/true));
  const int64_t V = weights.size(-1);
  if (options.top_k > 0 && options.top_k < V) {
    const Tensor least = sorted.narrow(-1, options.top_k - 1, 1);
    sorted = at::where(sorted >= least, sorted, at::zeros_like(sorted));
  }
  const Tensor sums = sorted.cumsum(-1);
  const Tensor wanted = sums.narrow(-1, V - 1, 1) * options.top_p;
  // The fewest whose probability reaches top_p; all of them where rounding keeps it out of reach.
  const Tensor place = at::searchsorted(sums, wanted).clamp_max((sorted > 0).sum(-1, true) - 1);
  return at::where(weights >= sorted.gather(-1, place), weights, at::zeros_like(weights));
}

/// The id at `uniforms` of the way through the weights, in id order. \returns [rows] int64
Tensor picked(const Tensor& weights, const Tensor& uniforms) {
  const int64_t V = weights.size(-1);
  const Tensor sums = weights.cumsum(-1);
  const Tensor target = sums.narrow(-1, V - 1, 1) * uniforms.unsqueeze(-1);
  const Tensor found = at::searchsorted(sums, target, /*out_int32=*/false, /*right=*/true);
  const Tensor ids = at::arange(V, found.options());
  const Tensor last = at::where(weights > 0, ids, at::zeros_like(ids)).amax(-1, /*keepdim=*/true);
  return found.minimum(last).squeeze(-1);
}

std::vector<model::PromptTokens> prompts_of(const std::vector<DecodeRequest>& requests) {
  std::vector<model::PromptTokens> prompts;
  for (const DecodeRequest& request : requests) prompts.push_back(request.prompt);
  return prompts;
}

/// Keys and values of all prompts and replies; studies leave when all their replies have ended.
class Streams {
 public:
  Streams(const model::Qwen3VL& model, const std::vector<DecodeRequest>& requests,
          const DecodeOptions& options)
      : model_(model),
        samples_(options.samples),
        batch_(model::embed_prompts(model, prompts_of(requests), /*drop_last=*/true)),
        prefix_(model::prefill(model.config.text, model.text, batch_.input)),
        cache_(model::make_reply_cache(model.config.text, std::ssize(requests), options.samples,
                                       options.max_new_tokens, model.text.embed.options())) {}

  /// \param tokens of every sample of every study that is left \returns logits [rows, V] float32
  Tensor step(const std::vector<int64_t>& tokens) {
    const int64_t B = std::ssize(batch_.positions);
    const Tensor ids = at::tensor(tokens, at::kLong).to(model_.text.embed.device());
    const Tensor hidden = at::embedding(model_.text.embed, ids).view({B, samples_, 1, -1});
    const model::Rotary rotary = model::reply_rotary(model_, batch_.positions, cache_.length, 1);
    const Tensor out =
        model::reply_forward(model_.config.text, model_.text, prefix_, hidden, rotary, &cache_);
    return model::next_logits(model_.text, out.view({B * samples_, -1}));
  }

  /// Leaves only these studies in the batch.
  void keep(const std::vector<int64_t>& studies) {
    const Tensor index = at::tensor(studies, at::kLong).to(model_.text.embed.device());
    for (std::vector<Tensor>* parts :
         {&prefix_.keys, &prefix_.values, &cache_.keys, &cache_.values}) {
      for (Tensor& part : *parts) part = part.index_select(0, index);
    }
    if (prefix_.mask.defined()) prefix_.mask = prefix_.mask.index_select(0, index);
    std::vector<model::Positions> positions;
    for (const int64_t b : studies)
      positions.push_back(std::move(batch_.positions[static_cast<size_t>(b)]));
    batch_.positions = std::move(positions);
  }

 private:
  const model::Qwen3VL& model_;
  int64_t samples_;
  model::PromptBatch batch_;
  model::PrefixCache prefix_;
  model::ReplyCache cache_;
};

/// Replies under construction; rows are those of `open` studies, all samples of each.
class Writing {
 public:
  Writing(const std::vector<DecodeRequest>& requests, const TokenRules& rules,
          const DecodeOptions& options)
      : requests_(requests), rules_(rules), options_(options) {
    const auto G = static_cast<size_t>(options.samples);
    for (size_t b = 0; b < requests.size(); ++b) {
      replies.emplace_back(G);
      open.push_back(static_cast<int64_t>(b));
      tokens.insert(tokens.end(), G, requests[b].prompt.tokens.back());
    }
  }

  [[nodiscard]] Tensor uniforms(int64_t position) const {
    std::vector<double> all;
    for (const int64_t b : open) {
      for (int64_t s = 0; s < options_.samples; ++s)
        all.push_back(uniform_at(options_.seed, "sample", requests_[static_cast<size_t>(b)].subject,
                                 static_cast<uint64_t>(s), static_cast<uint64_t>(position)));
    }
    return at::tensor(all, at::kDouble);
  }

  /// Appends a token to every reply that has not ended. \returns places, in `open`, of the studies
  /// that have not; `open` and `tokens` are then theirs
  std::vector<int64_t> append(const Draws& drawn) {
    const Tensor numbers = at::stack({drawn.tokens.to(at::kDouble), drawn.logprobs}).to(at::kCPU);
    const double* values = numbers.const_data_ptr<double>();
    const int64_t rows = numbers.size(1);
    std::vector<int64_t> places, still_open, next;
    for (size_t place = 0; place < open.size(); ++place) {
      bool any = false;
      for (int64_t s = 0; s < options_.samples; ++s) {
        const int64_t row = static_cast<int64_t>(place) * options_.samples + s;
        Reply& reply = replies[static_cast<size_t>(open[place])][static_cast<size_t>(s)];
        if (!reply.stopped) add(reply, static_cast<int64_t>(values[row]), values[rows + row]);
        any = any || !reply.stopped;
        next.push_back(reply.tokens.back());
      }
      if (any) {
        places.push_back(static_cast<int64_t>(place));
        still_open.push_back(open[place]);
      } else {
        next.resize(next.size() - static_cast<size_t>(options_.samples));
      }
    }
    open = std::move(still_open);
    tokens = std::move(next);
    return places;
  }

  std::vector<std::vector<Reply>> replies;
  std::vector<int64_t> open;  ///< requests with replies that have not ended
  std::vector<int64_t>
      tokens;  ///< the last of each row; of an ended reply its end, which is ignored

 private:
  void add(Reply& reply, int64_t token, double logprob) {
    if (!std::isfinite(logprob))
      throw Error(Exit::data, "the policy's logits are not finite (hint: training diverged)");
    reply.tokens.push_back(token);
    reply.logprobs.push_back(static_cast<float>(logprob));
    reply.stopped = std::find(rules_.ends.begin(), rules_.ends.end(), token) != rules_.ends.end();
  }

  const std::vector<DecodeRequest>& requests_;
  const TokenRules& rules_;
  const DecodeOptions& options_;
};

}  // namespace

Draws draw_tokens(const Tensor& logits, const Tensor& banned, const Tensor& uniforms,
                  const DecodeOptions& options) {
  const bool greedy = options.temperature == 0;
  const double inverse = greedy ? 1.0 : 1.0 / options.temperature;
  const Tensor allowed = logits + banned;
  Draws draws;
  if (greedy) {
    draws.tokens = allowed.argmax(-1);
  } else {
    const Tensor weights =
        ((allowed - allowed.amax(-1, /*keepdim=*/true)) * inverse).exp_().to(at::kDouble);
    draws.tokens = picked(surviving(weights, options), uniforms);
  }
  const Tensor drawn = logits.gather(-1, draws.tokens.unsqueeze(-1)).squeeze(-1);
  draws.logprobs = drawn.to(at::kDouble) * inverse - (logits * inverse).logsumexp(-1);
  return draws;
}

std::vector<std::vector<Reply>> sample_together(const model::Qwen3VL& model,
                                                const std::vector<DecodeRequest>& requests,
                                                const TokenRules& rules,
                                                const DecodeOptions& options) {
  UNIRG_ASSERT(std::ssize(rules.allowed) == model.config.text.vocab_size, "one rule a token id");
  const c10::InferenceMode no_gradient;
  const at::Device device = model.text.embed.device();
  Streams streams(model, requests, options);
  const Tensor banned = ban(rules).to(device);
  Writing writing(requests, rules, options);
  for (int64_t t = 0; t < options.max_new_tokens && !writing.open.empty(); ++t) {
    const size_t before = writing.open.size();
    const Tensor logits = streams.step(writing.tokens);
    const auto places =
        writing.append(draw_tokens(logits, banned, writing.uniforms(t).to(device), options));
    if (places.size() < before && !places.empty()) streams.keep(places);
  }
  return std::move(writing.replies);
}

}  // namespace unirg::policy
