// SPDX-License-Identifier: Apache-2.0
#include "train/losses.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/ivalue.h>
#include <ATen/ops/_log_softmax_backward_data.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "model/dense.h"

namespace unirg::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Rows [begin, begin + count) of the work.
struct Chunk {
  int64_t begin = 0;
  int64_t count = 0;
  [[nodiscard]] Tensor of(const Tensor& all) const { return all.narrow(0, begin, count); }
};

std::vector<Chunk> cut(int64_t rows, int64_t vocabulary, int64_t chunk_values) {
  const int64_t most = std::max<int64_t>(1, chunk_values / vocabulary);
  std::vector<Chunk> chunks;
  for (int64_t begin = 0; begin < rows; begin += most)
    chunks.push_back({begin, std::min(most, rows - begin)});
  return chunks;
}

/// Log-probabilities of the whole vocabulary. \returns [n, V] float32
Tensor all_logprobs(const Tensor& hidden, const Tensor& head, double temperature) {
  Tensor logits = model::dense_linear(hidden, head).to(at::kFloat);
  if (temperature != 1.0) logits = logits / temperature;
  return at::log_softmax(logits, -1);
}

Tensor joined(const std::vector<Tensor>& parts) {
  return parts.size() == 1 ? parts.front() : at::cat(parts, 0);
}

/// What flows back into a row: [n] of the target's log-probability, and [n] of the entropy or
/// nothing.
struct RowGradient {
  Tensor logprob, entropy;
};

/// One-hot x the first less (log p + 1) p x the second, back through log-softmax and temperature.
/// \returns [n, V] in the dtype of hidden
Tensor logit_gradient(const Tensor& hidden, const Tensor& head, const Tensor& targets,
                      const RowGradient& gradient, double temperature, const Tensor& kept) {
  const Tensor logprobs = kept.defined() ? kept : all_logprobs(hidden, head, temperature);
  Tensor into = at::zeros_like(logprobs);
  if (gradient.logprob.defined())
    into.scatter_(1, targets.unsqueeze(1), gradient.logprob.unsqueeze(1));
  if (gradient.entropy.defined())
    into.sub_((logprobs + 1.0) * logprobs.exp() * gradient.entropy.unsqueeze(1));
  Tensor result = at::_log_softmax_backward_data(into, logprobs, -1, at::kFloat);
  if (temperature != 1.0) result = result / temperature;
  return result.to(hidden.scalar_type());
}

/// The step from hidden states and head to the targets' log-probabilities and, if asked for, the
/// entropies, as one node of the graph. The greedy choice goes to `best`.
struct Score : torch::autograd::Function<Score> {
  static variable_list forward(AutogradContext* context, const Tensor& hidden, const Tensor& head,
                               const Tensor& targets, const ScoreOptions& options, Tensor* best) {
    std::vector<Tensor> logprobs, entropy, choices;
    Tensor all;
    const std::vector<Chunk> chunks = cut(hidden.size(0), head.size(0), options.chunk_values);
    for (const Chunk& chunk : chunks) {
      all = all_logprobs(chunk.of(hidden), head, options.temperature);
      logprobs.push_back(all.gather(1, chunk.of(targets).unsqueeze(1)).squeeze(1));
      if (options.entropy) entropy.push_back(-(all.exp() * all).sum(-1));
      if (options.best) choices.push_back(all.argmax(-1));
    }
    if (options.best) *best = joined(choices);
    const Tensor kept = chunks.size() == 1 ? all : Tensor();  // one chunk: no need to do it again
    context->save_for_backward({hidden, head, targets, kept});
    context->saved_data["temperature"] = options.temperature;
    context->saved_data["chunk_values"] = options.chunk_values;
    context->set_materialize_grads(false);  // what nobody used costs nothing on the way back
    if (!options.entropy) return {joined(logprobs)};
    return {joined(logprobs), joined(entropy)};
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const Tensor &hidden = saved[0], &head = saved[1], &targets = saved[2], &kept = saved[3];
    const double temperature = context->saved_data["temperature"].toDouble();
    const int64_t chunk_values = context->saved_data["chunk_values"].toInt();
    const RowGradient all{gradients[0], gradients.size() > 1 ? gradients[1] : Tensor()};
    std::vector<Tensor> to_hidden;
    Tensor to_head;
    for (const Chunk& chunk : cut(hidden.size(0), head.size(0), chunk_values)) {
      const auto part_of = [&](const Tensor& t) { return t.defined() ? chunk.of(t) : Tensor(); };
      const Tensor to_logits =
          logit_gradient(chunk.of(hidden), head, chunk.of(targets),
                         {part_of(all.logprob), part_of(all.entropy)}, temperature, kept);
      if (hidden.requires_grad()) to_hidden.push_back(model::dense_linear(to_logits, head.t()));
      if (!head.requires_grad()) continue;
      const Tensor part = to_logits.t().mm(chunk.of(hidden));
      to_head = to_head.defined() ? to_head.add_(part) : part;
    }
    return {to_hidden.empty() ? Tensor() : joined(to_hidden), to_head, Tensor(), Tensor(),
            Tensor()};
  }
};

}  // namespace

TokenScores token_scores(const Tensor& hidden, const Tensor& head, const Tensor& targets,
                         const ScoreOptions& options) {
  TokenScores scores;
  const variable_list results = Score::apply(hidden, head, targets, options, &scores.best);
  scores.logprobs = results[0];
  if (options.entropy) scores.entropy = results[1];
  return scores;
}

}  // namespace unirg::train
