// The policy's objective per token, summed: GRPO's clipped ratio and its relatives, and the penalty
// towards a reference. How tokens are averaged is the caller's: a factor on the sum, or weights.
// Letters: r = exp(lp - lp_old) with the difference clamped to +-20, A advantage, d = lp_ref - lp.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace unirg::rl {

using at::Tensor;

/// How a token's ratio enters the objective (to be minimised).
enum class Ratio {
  token,       ///< -min(r A, clip(r, 1 - lower, 1 + upper) A) (PPO, arXiv:1707.06347, eq. 7)
  sequence,    ///< GSPO: the same of s = exp(mean of lp - lp_old over the sample), for each of its
               ///< tokens (arXiv:2507.18071, eq. 5)
  cispo,       ///< -sg(min(r, upper)) A lp: `upper` is a ratio itself, nothing bounds it below
               ///< (arXiv:2510.13786; TRL)
  cispo_band,  ///< -sg(clip(r, 1 - lower, 1 + upper)) A lp: CISPO as verl and EasyR1 have it
  sapo,        ///< -(4 / tau) sigmoid(tau (r - 1)) A, tau by the sign of A (arXiv:2511.20347)
};
/// \throws Error(Exit::usage) for another name than token, sequence, cispo, cispo-band, sapo
Ratio parse_ratio(const std::string& name);

/// Estimators of KL(policy || reference) per token (joschu.net/blog/kl-approx).
enum class KlEstimator {
  k1,       ///< -d; its gradient as a loss is 0 in expectation on the policy's own samples
  k2,       ///< d^2 / 2
  k3,       ///< exp(d) - d - 1
  k3_ratio  ///< r k3: unbiased where the samples are not the policy's own (DeepSeek-V3.2)
};
/// \throws Error(Exit::usage) for another name than k1, k2, k3, k3-ratio
KlEstimator parse_kl(const std::string& name);

struct PolicyLossOptions {
  Ratio ratio = Ratio::token;
  double clip_lower = 0.2;
  double clip_upper = 0.28;  ///< higher than the lower one (DAPO, arXiv:2503.14476, section 3.1)
  /// Bounds the loss of tokens with A < 0 at -c A, c > 1 (dual clip, arXiv:1912.09729); 0: off.
  double dual_clip = 0;
  double sapo_positive = 1.0, sapo_negative = 1.05;  ///< tau where A > 0, and where not
  double kl_coefficient = 0;                         ///< beta of the penalty
  KlEstimator kl = KlEstimator::k3;
  double entropy_bonus = 0;  ///< weight of the policy's entropy, which is to grow
};

/// All [N] float, one entry per trained token; only `logprobs` and `entropy` carry a gradient.
struct PolicyLossInput {
  Tensor logprobs;      ///< log pi_theta
  Tensor old_logprobs;  ///< log-probability when the rollout was drawn
  Tensor advantages;    ///< of the token's sample
  Tensor reference;     ///< log pi_ref; undefined without KL
  Tensor samples;       ///< int64, which sample a token is of, from 0; for Ratio::sequence only
  Tensor weights;       ///< of each token in the sum; undefined: 1
  Tensor importance;    ///< of each token in the policy term alone; undefined: 1
  Tensor entropy;       ///< nats; for an entropy bonus only
};

/// Truncated importance sampling for samples of a policy that is not quite the trainer's (another
/// precision, another program): min(exp(trainer - sampler), cap), without gradient.
/// \param trainer, sampler log-probabilities of the same tokens under the same weights
/// \see token_truncate in verl, vllm_is in OpenRLHF
Tensor truncated_importance(const Tensor& trainer, const Tensor& sampler, double cap);

struct PolicyLoss {
  Tensor sum;  ///< scalar: sum over tokens of weight (importance policy term + beta KL - bonus H)
  double ratio_sum = 0;  ///< of r, or s
  /// Tokens whose gradient the lower limit removed (A < 0, r < 1 - lower), or bounded (cispo-band).
  double clipped_low = 0;
  /// Tokens whose gradient the upper limit removed (A > 0, r > 1 + upper), or bounded (both cispo).
  double clipped_high = 0;
  double kl_sum = 0;  ///< of the estimator; 0 without reference
};

PolicyLoss policy_loss(const PolicyLossOptions& options, const PolicyLossInput& input);

/// What a step's losses are averaged over; known from the rollouts before the first backward pass,
/// so that no cut into groups or shards can change it.
enum class Aggregation {
  token,     ///< all tokens of the step alike (DAPO's)
  sequence,  ///< mean over samples of the mean over their tokens (DeepSeekMath's)
  constant,  ///< sum over tokens / (samples x longest reply allowed) (Dr.GRPO, arXiv:2503.20783)
};
/// \throws Error(Exit::usage) for another name than token, sequence, constant
Aggregation parse_aggregation(const std::string& name);

struct StepTotals {
  double samples = 0, tokens = 0;  ///< that are trained on
  double max_tokens = 0;           ///< a reply may have; for Aggregation::constant
};

/// Weight of each token of a sample.
double token_weight(Aggregation aggregation, double length, const StepTotals& totals);

}  // namespace unirg::rl
