// SPDX-License-Identifier: Apache-2.0
#include "model/dense.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <vector>

namespace unirg::model {
namespace {

TEST(PackedLinear, is_linear_for_any_number_of_rows) {
  const at::NoGradGuard no_grad;
  at::manual_seed(5);
  const Tensor weight = at::randn({37, 24}), bias = at::randn({37});
  const Tensor packed = packed_weight(weight);
  if (!packed.defined()) GTEST_SKIP() << "this LibTorch has no oneDNN";
  for (const int64_t rows : {1, 2, 7, 64, 513}) {
    const Tensor x = at::randn({rows, 3, 24});
    const Tensor difference = packed_linear(x, packed, bias) - at::linear(x, weight, bias);
    EXPECT_LT(difference.abs().max().item<double>(), 1e-5) << rows;
  }
  const Tensor strided = at::randn({24, 9}).t();
  EXPECT_LT((packed_linear(strided, packed, bias) - at::linear(strided, weight, bias))
                .abs()
                .max()
                .item<double>(),
            1e-5);
}

/// Gradients of (y * pull).sum() with respect to x, weight and bias.
std::vector<Tensor> gradients(bool dense, Tensor x, Tensor weight, Tensor bias) {
  std::vector<Tensor> leaves{x.requires_grad_(), weight.requires_grad_()};
  if (bias.defined()) leaves.push_back(bias.requires_grad_());
  const Tensor y = dense ? dense_linear(x, weight, bias) : at::linear(x, weight, bias);
  at::manual_seed(8);
  return torch::autograd::grad({(y * at::randn(y.sizes())).sum()}, leaves);
}

TEST(DenseLinear, has_the_values_and_gradients_of_linear) {
  at::manual_seed(6);
  for (const bool biased : {true, false}) {
    for (const int64_t rows : {1, 40, 513}) {
      const Tensor x = at::randn({rows, 2, 24}), weight = at::randn({37, 24});
      const Tensor bias = biased ? at::randn({37}) : Tensor();
      EXPECT_LT(
          (dense_linear(x, weight, bias) - at::linear(x, weight, bias)).abs().max().item<double>(),
          1e-5);
      const auto ours = gradients(true, x, weight, bias);
      const auto theirs = gradients(false, x, weight, bias);
      for (size_t i = 0; i < ours.size(); ++i)
        EXPECT_LT((ours[i] - theirs[i]).abs().max().item<double>(), 2e-4) << rows << " " << i;
    }
  }
}

TEST(DenseLinear, gives_no_gradient_to_what_is_frozen) {
  at::manual_seed(7);
  const Tensor x = at::randn({64, 8}).requires_grad_(), weight = at::randn({5, 8});
  const Tensor y = dense_linear(x, weight);
  EXPECT_TRUE(y.requires_grad());
  const auto to_x = torch::autograd::grad({y.sum()}, {x});
  EXPECT_LT((to_x[0] - weight.sum(0)).abs().max().item<double>(), 1e-5);
  const at::NoGradGuard no_grad;
  EXPECT_FALSE(dense_linear(x, weight).requires_grad());
}

TEST(LetGo, loses_nothing) {
  const Tensor tensor = at::arange(100000, at::kFloat);
  let_go(tensor);
  let_go(tensor.narrow(0, 3, 5));  // no whole page
  EXPECT_TRUE(tensor.equal(at::arange(100000, at::kFloat)));
}

TEST(PackedLinear, is_not_for_other_types) {
  EXPECT_FALSE(packed_weight(at::randn({4, 4}, at::kDouble)).defined());
  EXPECT_FALSE(packed_weight(at::randn({4}, at::kFloat)).defined());
}

}  // namespace
}  // namespace unirg::model
