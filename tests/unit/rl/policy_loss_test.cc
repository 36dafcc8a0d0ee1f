// SPDX-License-Identifier: Apache-2.0
#include "rl/policy_loss.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "base/error.h"

namespace unirg::rl {
namespace {

Tensor row(const std::vector<double>& values) { return at::tensor(values, at::kDouble); }
double number(const Tensor& t) { return t.item<double>(); }

/// Tokens of ratio r under old log-probabilities of -1.
PolicyLossInput with_ratios(const std::vector<double>& ratios,
                            const std::vector<double>& advantages) {
  std::vector<double> now;
  for (const double r : ratios) now.push_back(-1 + std::log(r));
  return {row(now), row(std::vector<double>(ratios.size(), -1)), row(advantages), {}, {}, {}, {},
          {}};
}

TEST(PolicyLoss, is_worked_by_hand_inside_and_outside_the_clip) {
  // inside; A > 0: clipped at 1.28; A < 0: clipped at 0.8; A < 0: not clipped
  const PolicyLoss loss = policy_loss({}, with_ratios({1.1, 1.5, 0.5, 1.5}, {2, 1, -1, -1}));
  EXPECT_NEAR(number(loss.sum), -(2 * 1.1 + 1.28 - 0.8 - 1.5), 1e-12);
  EXPECT_EQ(loss.clipped_high, 1);
  EXPECT_EQ(loss.clipped_low, 1);
  EXPECT_NEAR(loss.ratio_sum, 1.1 + 1.5 + 0.5 + 1.5, 1e-12);
}

TEST(PolicyLoss, importance_weighs_the_policy_term_and_neither_kl_nor_entropy) {
  PolicyLossInput in = with_ratios({1.1, 0.9}, {2, -1});
  in.importance = row({0.5, 2});
  EXPECT_NEAR(number(policy_loss({}, in).sum), -(0.5 * 2.2 - 2 * 0.9), 1e-12);
  in.reference = in.logprobs - 1;  // d = -1: k2 is 1/2
  in.entropy = row({0.3, 0.4});
  const PolicyLossOptions all{.kl_coefficient = 0.1, .kl = KlEstimator::k2, .entropy_bonus = 0.01};
  EXPECT_NEAR(number(policy_loss(all, in).sum), 0.7 + 0.1 * 2 * 0.5 - 0.01 * 0.7, 1e-12);
}

TEST(PolicyLoss, importance_is_the_ratio_of_trainer_to_sampler_up_to_the_cap) {
  const Tensor w = truncated_importance(row({-1, -1, -1}), row({-1, -3, -1 - std::log(0.25)}), 2);
  EXPECT_NEAR(w[0].item<double>(), 1, 1e-12);
  EXPECT_NEAR(w[1].item<double>(), 2, 1e-12);  // e^2, capped
  EXPECT_NEAR(w[2].item<double>(), 0.25, 1e-12);
}

TEST(PolicyLoss, dual_clip_bounds_negative_advantages) {
  const PolicyLoss loss = policy_loss({.dual_clip = 3}, with_ratios({10, 2, 10}, {-1, -1, 1}));
  EXPECT_NEAR(number(loss.sum), 3 + 2 - 1.28, 1e-12);
}

TEST(PolicyLoss, sequence_takes_the_geometric_mean_of_each_sample) {
  PolicyLossInput in = with_ratios({1.0, 1.21, 0.5}, {1, 1, -1});
  in.samples = at::tensor(std::vector<int64_t>{0, 0, 1}, at::kLong);
  const PolicyLoss loss = policy_loss({.ratio = Ratio::sequence}, in);
  EXPECT_NEAR(loss.ratio_sum, 1.1 + 1.1 + 0.5, 1e-12);
  EXPECT_NEAR(number(loss.sum), -(1.1 + 1.1 - 0.8), 1e-12);
}

TEST(PolicyLoss, cispo_weighs_log_probabilities) {
  const PolicyLossInput in = with_ratios({0.5, 3.0}, {1, -2});
  const double lp0 = -1 + std::log(0.5), lp1 = -1 + std::log(3.0);
  const PolicyLossOptions absolute{.ratio = Ratio::cispo, .clip_upper = 2.0};
  EXPECT_NEAR(number(policy_loss(absolute, in).sum), -0.5 * lp0 + 2.0 * 2 * lp1, 1e-12);
  EXPECT_EQ(policy_loss(absolute, in).clipped_high, 1);
  const PolicyLoss band = policy_loss({.ratio = Ratio::cispo_band}, in);
  EXPECT_NEAR(number(band.sum), -0.8 * lp0 + 1.28 * 2 * lp1, 1e-12);
  EXPECT_EQ(band.clipped_low + band.clipped_high, 2);
}

TEST(PolicyLoss, sapo_is_a_gate) {
  const PolicyLoss loss = policy_loss({.ratio = Ratio::sapo}, with_ratios({1.0, 1.5}, {1, -1}));
  const double gate = 1 / (1 + std::exp(-1.05 * 0.5));
  EXPECT_NEAR(number(loss.sum), -4 * 0.5 + 4 / 1.05 * gate, 1e-12);
}

TEST(PolicyLoss, every_kl_estimator_is_worked_by_hand) {
  const double d = 0.5, r = 1.2;
  PolicyLossInput in = with_ratios({r}, {0});
  in.reference = in.logprobs + d;
  const double k3 = std::exp(d) - d - 1;
  const auto penalty = [&](KlEstimator kl) {
    const PolicyLoss loss = policy_loss({.kl_coefficient = 0.03, .kl = kl}, in);
    EXPECT_NEAR(number(loss.sum), 0.03 * loss.kl_sum, 1e-12);
    return loss.kl_sum;
  };
  EXPECT_NEAR(penalty(KlEstimator::k1), -d, 1e-12);
  EXPECT_NEAR(penalty(KlEstimator::k2), d * d / 2, 1e-12);
  EXPECT_NEAR(penalty(KlEstimator::k3), k3, 1e-12);
  EXPECT_NEAR(penalty(KlEstimator::k3_ratio), r * k3, 1e-12);
}

TEST(PolicyLoss, weights_are_those_of_the_tokens) {
  PolicyLossInput in = with_ratios({1.0, 1.0}, {1, 3});
  in.weights = row({0.5, 0.25});
  EXPECT_NEAR(number(policy_loss({}, in).sum), -(0.5 + 0.75), 1e-12);
}

TEST(TokenWeight, is_worked_by_hand) {
  const StepTotals totals{.samples = 2, .tokens = 10, .max_tokens = 20};
  EXPECT_DOUBLE_EQ(token_weight(Aggregation::token, 4, totals), 0.1);
  EXPECT_DOUBLE_EQ(token_weight(Aggregation::sequence, 4, totals), 1.0 / 8);
  EXPECT_DOUBLE_EQ(token_weight(Aggregation::constant, 4, totals), 1.0 / 40);
}

TEST(PolicyLoss, names_are_parsed) {
  EXPECT_EQ(parse_ratio("cispo-band"), Ratio::cispo_band);
  EXPECT_EQ(parse_kl("k3-ratio"), KlEstimator::k3_ratio);
  EXPECT_EQ(parse_aggregation("constant"), Aggregation::constant);
  EXPECT_THROW(parse_ratio("ppo"), Error);
}

struct Case {
  const char* name;
  PolicyLossOptions options;
};

class Gradients : public testing::TestWithParam<Case> {};

/// The stop-gradient of CISPO is none of finite differences: its ratios are held there, as the
/// derivative holds them.
double value_at(const PolicyLossOptions& options, const std::vector<double>& lp,
                const PolicyLossInput& fixed) {
  PolicyLossInput in = fixed;
  in.logprobs = row(lp);
  const bool held = options.ratio == Ratio::cispo || options.ratio == Ratio::cispo_band;
  if (!held) return number(policy_loss(options, in).sum);
  // -w A lp with w of the fixed point, and the penalty of the moved one
  const auto part = [&](double kl, const Tensor& logprobs) {
    PolicyLossInput at_point = in;
    at_point.logprobs = logprobs;
    PolicyLossOptions o = options;
    o.kl_coefficient = kl;
    return number(policy_loss(o, at_point).sum);
  };
  double sum = part(options.kl_coefficient, in.logprobs) - part(0, in.logprobs);
  for (int64_t i = 0; i < in.logprobs.size(0); ++i) {
    PolicyLossInput one = fixed;
    one.logprobs = fixed.logprobs.narrow(0, i, 1);
    one.old_logprobs = fixed.old_logprobs.narrow(0, i, 1);
    one.advantages = fixed.advantages.narrow(0, i, 1);
    one.reference = Tensor();
    sum += number(policy_loss(options, one).sum) / number(one.logprobs[0]) *
           lp[static_cast<size_t>(i)];
  }
  return sum;
}

TEST_P(Gradients, equal_finite_differences) {
  const std::vector<double> at{-1.0, -0.3, -2.0, -0.7, -1.6};
  PolicyLossInput in{row(at),
                     row({-1.1, -0.9, -1.2, -0.7, -1.5}),
                     row({1, 1, -1, 0.5, -2}),
                     row({-1.2, -0.2, -1.9, -0.6, -1.0}),
                     at::tensor(std::vector<int64_t>{0, 0, 1, 1, 1}, at::kLong),
                     {},
                     {},
                     {}};
  const Tensor leaf = row(at).requires_grad_(true);
  PolicyLossInput with_leaf = in;
  with_leaf.logprobs = leaf;
  const Tensor loss = policy_loss(GetParam().options, with_leaf).sum;
  const Tensor gradient = torch::autograd::grad({loss}, {leaf})[0];
  for (size_t i = 0; i < at.size(); ++i) {
    std::vector<double> up = at, down = at;
    up[i] += 1e-6;
    down[i] -= 1e-6;
    const double numeric =
        (value_at(GetParam().options, up, in) - value_at(GetParam().options, down, in)) / 2e-6;
    EXPECT_NEAR(gradient[static_cast<int64_t>(i)].item<double>(), numeric, 1e-7) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Objectives, Gradients,
    testing::Values(Case{"token_k3", {.kl_coefficient = 0.1}},
                    Case{"token_k1", {.kl_coefficient = 0.1, .kl = KlEstimator::k1}},
                    Case{"token_k2", {.kl_coefficient = 0.1, .kl = KlEstimator::k2}},
                    Case{"token_k3_ratio", {.kl_coefficient = 0.1, .kl = KlEstimator::k3_ratio}},
                    Case{"dual_clip", {.dual_clip = 1.5}},
                    Case{"sequence", {.ratio = Ratio::sequence, .kl_coefficient = 0.1}},
                    Case{"cispo",
                         {.ratio = Ratio::cispo, .clip_upper = 1.3, .kl_coefficient = 0.1}},
                    Case{"cispo_band", {.ratio = Ratio::cispo_band}},
                    Case{"sapo", {.ratio = Ratio::sapo, .kl_coefficient = 0.1}}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace unirg::rl
