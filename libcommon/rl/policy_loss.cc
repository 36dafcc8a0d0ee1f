// SPDX-License-Identifier: Apache-2.0
#include "rl/policy_loss.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/clamp_max.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/index_add.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "base/error.h"

namespace unirg::rl {
namespace {

template <typename T, size_t N>
T parse(const char* what, const std::string& name, const std::array<const char*, N>& names) {
  for (size_t i = 0; i < N; ++i) {
    if (name == names[i]) return static_cast<T>(i);
  }
  throw Error(Exit::usage, fmt::format("bad value '{}' for '{}': expected one of {}", name, what,
                                       fmt::join(names, ", ")));
}

/// Means over each token's sample, for each token.
Tensor sample_means(const Tensor& values, const Tensor& samples) {
  const Tensor counts = at::bincount(samples).to(values.scalar_type());
  const Tensor sums =
      at::index_add(at::zeros({counts.size(0)}, values.options()), 0, samples, values);
  return at::index_select(sums / counts, 0, samples);
}

Tensor ratio_of(const PolicyLossOptions& o, const PolicyLossInput& in) {
  Tensor difference = in.logprobs - in.old_logprobs;
  if (o.ratio == Ratio::sequence) difference = sample_means(difference, in.samples);
  return at::exp(at::clamp(difference, -20.0, 20.0));
}

/// -min(r A, clip(r) A), bounded where A < 0 and dual clip is on.
Tensor clipped_term(const PolicyLossOptions& o, const Tensor& ratio, const Tensor& advantages) {
  const Tensor clipped = at::clamp(ratio, 1.0 - o.clip_lower, 1.0 + o.clip_upper);
  const Tensor term = at::minimum(ratio * advantages, clipped * advantages);
  if (o.dual_clip <= 0) return -term;
  return -at::where(advantages < 0, at::maximum(term, o.dual_clip * advantages), term);
}

Tensor sapo_term(const PolicyLossOptions& o, const Tensor& ratio, const Tensor& advantages) {
  const Tensor is_positive = (advantages > 0).to(ratio.scalar_type());
  const Tensor tau = is_positive * (o.sapo_positive - o.sapo_negative) + o.sapo_negative;
  return -4.0 / tau * at::sigmoid(tau * (ratio - 1.0)) * advantages;
}

Tensor policy_term(const PolicyLossOptions& o, const PolicyLossInput& in, const Tensor& ratio) {
  switch (o.ratio) {
    case Ratio::token:
    case Ratio::sequence:
      return clipped_term(o, ratio, in.advantages);
    case Ratio::cispo:
      return -at::clamp_max(ratio.detach(), o.clip_upper) * in.advantages * in.logprobs;
    case Ratio::cispo_band:
      return -at::clamp(ratio.detach(), 1.0 - o.clip_lower, 1.0 + o.clip_upper) * in.advantages *
             in.logprobs;
    case Ratio::sapo:
      return sapo_term(o, ratio, in.advantages);
  }
  UNIRG_ASSERT(false, "unknown ratio");
}

Tensor kl_term(KlEstimator kl, const PolicyLossInput& in, const Tensor& ratio) {
  const Tensor d = at::clamp(in.reference - in.logprobs, -20.0, 20.0);
  switch (kl) {
    case KlEstimator::k1:
      return -d;
    case KlEstimator::k2:
      return d * d / 2.0;
    case KlEstimator::k3:
      return at::exp(d) - d - 1.0;
    case KlEstimator::k3_ratio:
      return ratio * (at::exp(d) - d - 1.0);
  }
  UNIRG_ASSERT(false, "unknown estimator");
}

void count_clipped(const PolicyLossOptions& o, const PolicyLossInput& in, const Tensor& ratio,
                   PolicyLoss& loss) {
  const at::NoGradGuard no_grad;
  const auto count = [](const Tensor& mask) { return mask.sum().item<double>(); };
  const Tensor low = ratio < 1.0 - o.clip_lower;
  const Tensor high = ratio > (o.ratio == Ratio::cispo ? o.clip_upper : 1.0 + o.clip_upper);
  loss.ratio_sum = ratio.sum().item<double>();
  switch (o.ratio) {
    case Ratio::token:
    case Ratio::sequence:
      loss.clipped_low = count((in.advantages < 0) & low);
      loss.clipped_high = count((in.advantages > 0) & high);
      return;
    case Ratio::cispo:
      loss.clipped_high = count(high);
      return;
    case Ratio::cispo_band:
      loss.clipped_low = count(low);
      loss.clipped_high = count(high);
      return;
    case Ratio::sapo:
      return;  // smooth: nothing is cut off
  }
}

}  // namespace

Ratio parse_ratio(const std::string& name) {
  return parse<Ratio, 5>("ratio", name, {"token", "sequence", "cispo", "cispo-band", "sapo"});
}

KlEstimator parse_kl(const std::string& name) {
  return parse<KlEstimator, 4>("kl-estimator", name, {"k1", "k2", "k3", "k3-ratio"});
}

Aggregation parse_aggregation(const std::string& name) {
  return parse<Aggregation, 3>("aggregation", name, {"token", "sequence", "constant"});
}

PolicyLoss policy_loss(const PolicyLossOptions& options, const PolicyLossInput& in) {
  const Tensor ratio = ratio_of(options, in);
  const auto weighted = [&](const Tensor& terms) {
    return in.weights.defined() ? (terms * in.weights).sum() : terms.sum();
  };
  PolicyLoss loss;
  const Tensor term = policy_term(options, in, ratio);
  loss.sum = weighted(in.importance.defined() ? term * in.importance : term);
  if (in.reference.defined()) {
    const Tensor kl = kl_term(options.kl, in, ratio);
    loss.kl_sum = kl.detach().sum().item<double>();
    loss.sum = loss.sum + options.kl_coefficient * weighted(kl);
  }
  if (options.entropy_bonus != 0)
    loss.sum = loss.sum - options.entropy_bonus * weighted(in.entropy);
  count_clipped(options, in, ratio, loss);
  return loss;
}

Tensor truncated_importance(const Tensor& trainer, const Tensor& sampler, double cap) {
  const at::NoGradGuard no_grad;
  return at::clamp_max(at::exp(at::clamp(trainer - sampler, -20.0, 20.0)), cap);
}

double token_weight(Aggregation aggregation, double length, const StepTotals& totals) {
  switch (aggregation) {
    case Aggregation::token:
      return 1.0 / totals.tokens;
    case Aggregation::sequence:
      return 1.0 / (totals.samples * length);
    case Aggregation::constant:
      return 1.0 / (totals.samples * totals.max_tokens);
  }
  UNIRG_ASSERT(false, "unknown aggregation");
}

}  // namespace unirg::rl
