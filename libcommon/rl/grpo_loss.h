// The clipped GRPO objective per token, summed; the caller divides by the tokens of the whole step
// (global denominator). SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace unirg::rl {

using at::Tensor;

struct GrpoOptions {
  double clip_lower = 0.2;    ///< ratio is clipped to [1 - clip_lower, 1 + clip_upper]
  double clip_upper = 0.28;   ///< higher than the lower one (DAPO, arXiv:2503.14476, section 3.1)
  double kl_coefficient = 0;  ///< beta of the k3 penalty towards the reference
};

/// All [N] float32, one entry per trained token; only `logprobs` carries a gradient.
struct GrpoInput {
  Tensor logprobs;      ///< log pi_theta
  Tensor old_logprobs;  ///< log-probability when the rollout was drawn
  Tensor advantages;    ///< of the token's sample
  Tensor reference;     ///< log pi_ref; undefined without KL
};

struct GrpoLoss {
  Tensor sum;            ///< scalar: sum over tokens of policy term + beta * k3
  double ratio_sum = 0;  ///< of r = exp(logprobs - old_logprobs), the difference clamped to +-20
  double clipped_low =
      0;  ///< tokens whose gradient the lower limit removed (A < 0 and r < 1 - clip_lower)
  double clipped_high =
      0;  ///< tokens whose gradient the upper limit removed (A > 0 and r > 1 + clip_upper)
  double kl_sum =
      0;  ///< of k3 = exp(d) - d - 1, d = log pi_ref - log pi_theta; 0 without reference
};

/// -min(r A, clip(r, 1 - lower, 1 + upper) A) + beta k3 (Schulman et al., arXiv:1707.06347, eq. 7;
/// k3: joschu.net/blog/kl-approx)
GrpoLoss grpo_loss(const GrpoOptions& options, const GrpoInput& input);

}  // namespace unirg::rl
