// The body of the kernels that score rows of logits, run on the CPU.
// SPDX-License-Identifier: Apache-2.0
#include "train/score_row.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace unirg::train {
namespace {

using at::Tensor;

/// As a block of `threads` does: each takes every threads-th logit, then all are joined.
RowSums sums_of(const std::vector<float>& logits, size_t threads) {
  RowSums all;
  for (size_t t = 0; t < threads; ++t) {
    RowSums mine;
    for (size_t i = t; i < logits.size(); i += threads)
      mine = joined(mine, of_logit(logits[i], static_cast<int64_t>(i)));
    all = joined(all, mine);
  }
  return all;
}

TEST(ScoreRow, is_worked_by_hand) {
  // Weights 1, 2 and 5 of 8.
  const RowSums row = sums_of({0, std::log(2.0F), std::log(5.0F)}, 2);
  EXPECT_EQ(row.best, 2);
  EXPECT_NEAR(row.weights, 8.0 / 5, 1e-6);
  EXPECT_NEAR(log_total(row), std::log(8.0), 1e-6);
  // -(1/8 ln 1/8 + 2/8 ln 2/8 + 5/8 ln 5/8)
  EXPECT_NEAR(entropy(row), 0.900256, 1e-6);
  const RowBack of_logprob{1, 0, log_total(row), entropy(row)};
  EXPECT_NEAR(logit_gradient(std::log(2.0F), true, of_logprob), 1 - 2.0 / 8, 1e-6);
  EXPECT_NEAR(logit_gradient(0, false, of_logprob), -1.0 / 8, 1e-6);
  const RowBack of_entropy{0, 2, log_total(row), entropy(row)};
  EXPECT_NEAR(logit_gradient(std::log(5.0F), true, of_entropy),
              -2 * 5.0 / 8 * (std::log(5.0 / 8) + 0.900256), 1e-6);
}

/// Largest difference of all numbers from LibTorch's formula in double, of logits of `spread`.
void compare(const Tensor& logits, int64_t target, size_t threads) {
  const Tensor exact = logits.to(at::kDouble).requires_grad_(true);
  const Tensor all = at::log_softmax(exact, -1);
  const Tensor chosen = all[target];
  const Tensor h = -(all.exp() * all).sum();
  const Tensor back = torch::autograd::grad({0.7 * chosen - 0.3 * h}, {exact})[0];
  const std::vector<float> values(logits.data_ptr<float>(),
                                  logits.data_ptr<float>() + logits.numel());
  const RowSums row = sums_of(values, threads);
  const double largest = std::max(1.0, std::abs(chosen.item<double>()));
  EXPECT_NEAR(values[static_cast<size_t>(target)] - log_total(row), chosen.item<double>(),
              2e-6 * largest);
  EXPECT_NEAR(entropy(row), h.item<double>(), 1e-5);
  EXPECT_EQ(row.best, all.argmax().item<int64_t>());
  const RowBack flow{0.7F, -0.3F, log_total(row), entropy(row)};
  for (int64_t i = 0; i < logits.numel(); ++i)
    EXPECT_NEAR(logit_gradient(values[static_cast<size_t>(i)], i == target, flow),
                back[i].item<double>(), 2e-6)
        << i;
}

TEST(ScoreRow, agrees_with_libtorch_in_double_however_threads_share_a_row) {
  at::manual_seed(1);
  for (const double spread : {0.01, 1.0, 30.0}) {
    const Tensor logits = spread * at::randn({4001});
    for (const size_t threads : {size_t{1}, size_t{32}, size_t{512}, size_t{5000}})
      compare(logits, 17, threads);
  }
}

TEST(ScoreRow, the_first_of_equal_logits_is_the_choice) {
  for (const size_t threads : {1, 2, 3}) EXPECT_EQ(sums_of({1, 3, 2, 3, 3}, threads).best, 1);
}

TEST(ScoreRow, a_forbidden_logit_weighs_nothing_and_takes_no_gradient) {
  const float none = -std::numeric_limits<float>::infinity();
  for (const auto& logits : {std::vector<float>{none, 1, 1}, {1, none, 1}, {1, 1, none}}) {
    const RowSums row = sums_of(logits, 2);
    EXPECT_NEAR(log_total(row), 1 + std::log(2.0), 1e-6);
    EXPECT_NEAR(entropy(row), std::log(2.0), 1e-6);
    EXPECT_EQ(logit_gradient(none, false, {1, 1, log_total(row), entropy(row)}), 0);
  }
}

TEST(ScoreRow, a_logit_that_is_no_number_spoils_the_row) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const auto& logits : {std::vector<float>{nan, 1, 2}, {1, nan, 2}, {1, 2, nan}}) {
    const RowSums row = sums_of(logits, 2);
    EXPECT_TRUE(std::isnan(log_total(row)));
    EXPECT_TRUE(std::isnan(logit_gradient(1, false, {1, 0, log_total(row), entropy(row)})));
  }
}

TEST(ScoreRow, bfloat16_is_rounded_as_libtorch_does) {
  at::manual_seed(2);
  const Tensor values = at::cat(
      {at::randn({4096}), 1e-39 * at::randn({64}), 1e38 * at::randn({64}),
       at::tensor({1.00390625F, 1.01171875F, -0.0F, std::numeric_limits<float>::infinity()})});
  const Tensor rounded = values.to(at::kBFloat16);
  for (int64_t i = 0; i < values.numel(); ++i) {
    const auto expected = rounded[i].item<float>();
    EXPECT_EQ(from_bfloat16(to_bfloat16(values[i].item<float>())), expected) << i;
  }
  EXPECT_TRUE(std::isnan(from_bfloat16(to_bfloat16(std::numeric_limits<float>::quiet_NaN()))));
}

}  // namespace
}  // namespace unirg::train
