// SPDX-License-Identifier: Apache-2.0
#include "rl/grpo_loss.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/minimum.h>

namespace unirg::rl {

GrpoLoss grpo_loss(const GrpoOptions& options, const GrpoInput& in) {
  const Tensor ratio = at::exp(at::clamp(in.logprobs - in.old_logprobs, -20.0, 20.0));
  const Tensor clipped = at::clamp(ratio, 1.0 - options.clip_lower, 1.0 + options.clip_upper);
  GrpoLoss loss;
  loss.sum = -at::minimum(ratio * in.advantages, clipped * in.advantages).sum();
  if (in.reference.defined()) {
    const Tensor d = at::clamp(in.reference - in.logprobs, -20.0, 20.0);
    const Tensor k3 = at::exp(d) - d - 1.0;
    loss.kl_sum = k3.detach().sum().item<double>();
    loss.sum = loss.sum + options.kl_coefficient * k3.sum();
  }
  const at::NoGradGuard no_grad;
  loss.ratio_sum = ratio.sum().item<double>();
  loss.clipped_low =
      ((in.advantages < 0) & (ratio < 1.0 - options.clip_lower)).sum().item<double>();
  loss.clipped_high =
      ((in.advantages > 0) & (ratio > 1.0 + options.clip_upper)).sum().item<double>();
  return loss;
}

}  // namespace unirg::rl
