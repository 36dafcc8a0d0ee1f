// SPDX-License-Identifier: Apache-2.0
#include "model/packed_linear.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

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

TEST(PackedLinear, is_not_for_other_types) {
  EXPECT_FALSE(packed_weight(at::randn({4, 4}, at::kDouble)).defined());
  EXPECT_FALSE(packed_weight(at::randn({4}, at::kFloat)).defined());
}

}  // namespace
}  // namespace unirg::model
