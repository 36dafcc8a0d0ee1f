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
#include "train/score_rows.h"

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

/// Log-probabilities of the whole vocabulary. \param logits [n, V] \returns [n, V] float32
Tensor all_logprobs(const Tensor& logits, double temperature) {
  Tensor scaled = logits.to(at::kFloat);
  if (temperature != 1.0) scaled = scaled / temperature;
  return at::log_softmax(scaled, -1);
}

Tensor joined(const std::vector<Tensor>& parts) {
  return parts.size() == 1 ? parts.front() : at::cat(parts, 0);
}

/// What flows back into a row: [n] of the target's log-probability, and [n] of the entropy or
/// nothing.
struct RowGradient {
  Tensor logprob, entropy;
};

/// What the backward pass has of some rows of the forward pass.
struct PastRows {
  Tensor hidden, head, targets;
  Tensor kept;      ///< ScoredRows::all, or undefined: to be computed again
  RowScores found;  ///< log_totals and entropy where one kernel found them
};

/// One-hot x the first less (log p + 1) p x the second, back through log-softmax and temperature.
/// \returns [n, V] in the dtype of hidden
Tensor logit_gradient(const PastRows& rows, const RowGradient& gradient, double temperature) {
  const auto logits = [&] { return model::dense_linear(rows.hidden, rows.head); };
  if (rows.found.log_totals.defined())
    return logit_gradient_rows(rows.kept.defined() ? rows.kept : logits(), rows.targets, rows.found,
                               gradient.logprob, gradient.entropy, temperature);
  const Tensor logprobs = rows.kept.defined() ? rows.kept : all_logprobs(logits(), temperature);
  Tensor into = at::zeros_like(logprobs);
  if (gradient.logprob.defined())
    into.scatter_(1, rows.targets.unsqueeze(1), gradient.logprob.unsqueeze(1));
  if (gradient.entropy.defined())
    into.sub_((logprobs + 1.0) * logprobs.exp() * gradient.entropy.unsqueeze(1));
  Tensor result = at::_log_softmax_backward_data(into, logprobs, -1, at::kFloat);
  if (temperature != 1.0) result = result / temperature;
  return result.to(rows.hidden.scalar_type());
}

/// The scores of some rows, and what their backward pass starts from: log-probabilities of the
/// whole vocabulary, or where one kernel reads the rows the logits themselves.
struct ScoredRows {
  RowScores scores;
  Tensor all;
};

ScoredRows scored(const Tensor& logits, const Tensor& targets, const ScoreOptions& options) {
  if (have_score_rows(logits)) return {score_rows(logits, targets, options.temperature), logits};
  ScoredRows rows{{}, all_logprobs(logits, options.temperature)};
  rows.scores.logprobs = rows.all.gather(1, targets.unsqueeze(1)).squeeze(1);
  if (options.entropy) rows.scores.entropy = -(rows.all.exp() * rows.all).sum(-1);
  if (options.best) rows.scores.best = rows.all.argmax(-1);
  return rows;
}

/// The step from hidden states and head to the targets' log-probabilities and, if asked for, the
/// entropies, as one node of the graph. The greedy choice goes to `best`.
struct Score : torch::autograd::Function<Score> {
  static variable_list forward(AutogradContext* context, const Tensor& hidden, const Tensor& head,
                               const Tensor& targets, const ScoreOptions& options, Tensor* best) {
    std::vector<Tensor> logprobs, entropy, choices, log_totals;
    Tensor all;
    const std::vector<Chunk> chunks = cut(hidden.size(0), head.size(0), options.chunk_values);
    for (const Chunk& chunk : chunks) {
      const ScoredRows rows =
          scored(model::dense_linear(chunk.of(hidden), head), chunk.of(targets), options);
      all = rows.all;
      logprobs.push_back(rows.scores.logprobs);
      if (rows.scores.entropy.defined()) entropy.push_back(rows.scores.entropy);
      if (options.best) choices.push_back(rows.scores.best);
      if (rows.scores.log_totals.defined()) log_totals.push_back(rows.scores.log_totals);
    }
    if (options.best) *best = joined(choices);
    const Tensor kept = chunks.size() == 1 ? all : Tensor();  // one chunk: no need to do it again
    const auto whole = [](const std::vector<Tensor>& parts) {
      return parts.empty() ? Tensor() : joined(parts);
    };
    const Tensor entropies = whole(entropy);
    context->save_for_backward({hidden, head, targets, kept, whole(log_totals),
                                log_totals.empty() ? Tensor() : entropies});
    context->saved_data["temperature"] = options.temperature;
    context->saved_data["chunk_values"] = options.chunk_values;
    context->set_materialize_grads(false);  // what nobody used costs nothing on the way back
    if (!options.entropy) return {joined(logprobs)};
    return {joined(logprobs), entropies};
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const Tensor &hidden = saved[0], &head = saved[1], &targets = saved[2], &kept = saved[3],
                 &log_totals = saved[4], &entropy = saved[5];
    const double temperature = context->saved_data["temperature"].toDouble();
    const int64_t chunk_values = context->saved_data["chunk_values"].toInt();
    const RowGradient all{gradients[0], gradients.size() > 1 ? gradients[1] : Tensor()};
    std::vector<Tensor> to_hidden;
    Tensor to_head;
    for (const Chunk& chunk : cut(hidden.size(0), head.size(0), chunk_values)) {
      const auto part_of = [&](const Tensor& t) { return t.defined() ? chunk.of(t) : Tensor(); };
      const Tensor to_logits =
          logit_gradient({chunk.of(hidden),
                          head,
                          chunk.of(targets),
                          kept,
                          {{}, part_of(log_totals), part_of(entropy), {}}},
                         {part_of(all.logprob), part_of(all.entropy)}, temperature);
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
