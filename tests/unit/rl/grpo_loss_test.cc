// SPDX-License-Identifier: Apache-2.0
#include "rl/grpo_loss.h"

#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

namespace unirg::rl {
namespace {

Tensor row(std::vector<double> values) { return at::tensor(values, at::kDouble); }

TEST(GrpoLoss, is_worked_by_hand_inside_and_outside_the_clip) {
  // ratios 1.1 (inside), 1.5 (A > 0: clipped at 1.28), 0.5 (A < 0: clipped at 0.8), 1.5 (A < 0: not
  // clipped)
  const GrpoInput in{row({std::log(1.1), std::log(1.5), std::log(0.5), std::log(1.5)}),
                     row({0, 0, 0, 0}),
                     row({2, 1, -1, -1}),
                     {}};
  const GrpoLoss loss = grpo_loss({}, in);
  EXPECT_NEAR(loss.sum.item<double>(), -(2 * 1.1 + 1.28 - 0.8 - 1.5), 1e-12);
  EXPECT_EQ(loss.clipped_high, 1);
  EXPECT_EQ(loss.clipped_low, 1);
  EXPECT_NEAR(loss.ratio_sum, 1.1 + 1.5 + 0.5 + 1.5, 1e-12);
}

TEST(GrpoLoss, k3_penalty_is_worked_by_hand) {
  const double d = 0.5;  // reference 0.5 above
  const GrpoInput in{row({-1.0}), row({-1.0}), row({0.0}), row({-1.0 + d})};
  const GrpoLoss loss = grpo_loss({.kl_coefficient = 0.03}, in);
  EXPECT_NEAR(loss.kl_sum, std::exp(d) - d - 1, 1e-12);
  EXPECT_NEAR(loss.sum.item<double>(), 0.03 * (std::exp(d) - d - 1), 1e-12);
}

TEST(GrpoLoss, gradient_equals_finite_differences) {
  const std::vector<double> at{-1.0, -0.3, -2.0, -0.7};
  const auto value = [&](const std::vector<double>& lp, Tensor* leaf) {
    Tensor x = row(lp);
    if (leaf) *leaf = x.requires_grad_(true);
    return grpo_loss({.kl_coefficient = 0.1}, {x, row({-1.1, -0.9, -1.2, -0.7}),
                                               row({1, 1, -1, 0.5}), row({-1.2, -0.2, -1.9, -0.6})})
        .sum;
  };
  Tensor leaf;
  const Tensor loss = value(at, &leaf);
  const Tensor gradient = torch::autograd::grad({loss}, {leaf})[0];
  for (size_t i = 0; i < at.size(); ++i) {
    std::vector<double> up = at, down = at;
    up[i] += 1e-6;
    down[i] -= 1e-6;
    const double numeric =
        (value(up, nullptr).item<double>() - value(down, nullptr).item<double>()) / 2e-6;
    EXPECT_NEAR(gradient[static_cast<int64_t>(i)].item<double>(), numeric, 1e-7) << i;
  }
}

}  // namespace
}  // namespace unirg::rl
