// SPDX-License-Identifier: Apache-2.0
#include "train/losses.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/log_softmax.h>

namespace unirg::train {

TokenScores token_scores(const Tensor& hidden, const Tensor& head, const Tensor& targets,
                         double temperature, bool with_entropy) {
  Tensor logits = at::linear(hidden, head).to(at::kFloat);
  if (temperature != 1.0) logits = logits / temperature;
  const Tensor all = at::log_softmax(logits, -1);
  TokenScores scores{all.gather(1, targets.unsqueeze(1)).squeeze(1), {}};
  if (with_entropy) {
    const at::NoGradGuard no_grad;
    scores.entropy = -(all.exp() * all).sum(-1);
  }
  return scores;
}

}  // namespace unirg::train
