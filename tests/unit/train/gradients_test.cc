// SPDX-License-Identifier: Apache-2.0
#include "train/gradients.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

namespace unirg::train {
namespace {

Tensor leaf(std::vector<float> values) {
  return at::tensor(values, at::kFloat).requires_grad_(true);
}

TEST(Accumulate, adds_gradients_and_sums_over_units) {
  // unit i: loss (i + 1) w^2, gradient 2 (i + 1) w; over 3 units 2 (1 + 2 + 3) w = 12 w.
  const Tensor w = leaf({2, -1});
  const StepGradients step = accumulate({w}, 1, 3, [&](int64_t i) {
    const double share = static_cast<double>(i + 1);
    return UnitLoss{(w * w).sum() * share, {{"units", 1}, {"share", share}}};
  });
  EXPECT_TRUE(at::equal(step.gradients[0], at::tensor({24.0F, -12.0F})));
  EXPECT_EQ(step.sums, (Sums{{"share", 6}, {"units", 3}}));
}

TEST(Accumulate, a_leaf_that_no_unit_touches_gets_zeros_and_a_unit_without_loss_adds_its_sums) {
  const Tensor w = leaf({2});
  const Tensor unused = leaf({5, 5});
  const StepGradients step = accumulate({w, unused}, 1, 2, [&](int64_t i) {
    return i == 0 ? UnitLoss{{}, {{"units", 1}}} : UnitLoss{w.sum() * 3, {{"units", 1}}};
  });
  EXPECT_TRUE(at::equal(step.gradients[0], at::tensor({3.0F})));
  EXPECT_TRUE(at::equal(step.gradients[1], at::tensor({0.0F, 0.0F})));
  EXPECT_EQ(step.sums.at("units"), 2);
}

TEST(Accumulate, leaves_whose_gradients_are_one_tensor_do_not_add_into_each_other) {
  // d/da and d/db of 3 (a + b) are one and the same tensor inside autograd. Two units: 6 each.
  const Tensor a = leaf({1, 1});
  const Tensor b = leaf({2, 2});
  StepGradients step = accumulate({a, b}, 1, 2, [&](int64_t) {
    return UnitLoss{((a + b) * 3.0).sum(), {}};
  });
  EXPECT_TRUE(at::equal(step.gradients[0], at::tensor({6.0F, 6.0F})));
  EXPECT_TRUE(at::equal(step.gradients[1], at::tensor({6.0F, 6.0F})));
  step = accumulate({a, b}, 1, 1, [&](int64_t) { return UnitLoss{((a + b) * 3.0).sum(), {}}; });
  step.gradients[0].mul_(2);
  EXPECT_TRUE(at::equal(step.gradients[1], at::tensor({3.0F, 3.0F}))) << "clipping scales in place";
}

TEST(Accumulate, gives_the_same_bytes_for_1_2_and_3_threads) {
  const Tensor w = at::randn({64, 48}).requires_grad_(true);
  std::vector<Tensor> inputs;
  for (int i = 0; i < 11; ++i)
    inputs.push_back(at::randn({33, 64}) * (i % 3 == 0 ? 1e4 : 1e-3));  // order of addition matters
  const auto unit = [&](int64_t i) {
    const Tensor loss = at::sin(at::matmul(inputs[static_cast<size_t>(i)], w)).sum();
    return UnitLoss{loss, {{"loss", loss.item<double>()}}};
  };
  const StepGradients one = accumulate({w}, 1, 11, unit);
  for (const int threads : {2, 3}) {
    const StepGradients many = accumulate({w}, threads, 11, unit);
    EXPECT_TRUE(at::equal(many.gradients[0], one.gradients[0])) << threads;
    EXPECT_EQ(many.sums, one.sums) << threads;
  }
}

}  // namespace
}  // namespace unirg::train
