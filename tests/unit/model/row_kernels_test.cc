// Against the formulas in double, forward and backward.
// SPDX-License-Identifier: Apache-2.0
#include "model/row_kernels.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/neg.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/rsqrt.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <functional>
#include <vector>

namespace unirg::model {
namespace {

constexpr double kEps = 1e-6;

Tensor norm_formula(const Tensor& x, const Tensor& weight) {
  return x * at::rsqrt(x.square().mean(-1, /*keepdim=*/true) + kEps) * weight;
}
Tensor turn_formula(const Tensor& x, const Tensor& cos, const Tensor& sin) {
  const auto halves = x.chunk(2, -1);
  return x * cos + at::cat({-halves[1], halves[0]}, -1) * sin;
}

using Tensors = std::vector<Tensor>;
using Formula = std::function<Tensor(const Tensors&)>;

double largest_difference(const Tensor& a, const Tensor& b) {
  return (a.to(at::kDouble) - b).abs().max().item<double>();
}

/// The kernel on `inputs` and the formula on them in double: results and gradients of the first
/// `learning` inputs.
void expect_alike(const Formula& kernel, const Formula& formula, const Tensors& inputs,
                  size_t learning) {
  const auto run = [&](const Formula& f, at::ScalarType type, Tensors& gradients) {
    Tensors in;
    for (size_t i = 0; i < inputs.size(); ++i)
      in.push_back(inputs[i].to(type).detach().requires_grad_(i < learning));
    const Tensor out = f(in);
    at::manual_seed(9);
    const Tensor pull = at::randn(out.sizes()).to(type);
    const Tensors leaves(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(learning));
    gradients = torch::autograd::grad({(out * pull).sum()}, leaves);
    return out.detach();
  };
  Tensors ours, theirs;
  const Tensor out = run(kernel, at::kFloat, ours);
  EXPECT_LT(largest_difference(out, run(formula, at::kDouble, theirs)), 2e-6);
  for (size_t i = 0; i < learning; ++i) EXPECT_LT(largest_difference(ours[i], theirs[i]), 2e-5);
}

TEST(RowKernels, rms_norm_and_its_gradients) {
  at::manual_seed(1);
  for (const int64_t n : {1, 5, 16, 37, 64}) {
    expect_alike([](const Tensors& in) { return rms_norm_rows(in[0], in[1], kEps); },
                 [](const Tensors& in) { return norm_formula(in[0], in[1]); },
                 {at::randn({3, 7, n}), at::randn({n})}, 2);
  }
}

TEST(RowKernels, rms_norm_of_rows_that_do_not_follow_each_other) {
  at::manual_seed(2);
  expect_alike([](const Tensors& in) { return rms_norm_rows(in[0].transpose(0, 1), in[1], kEps); },
               [](const Tensors& in) { return norm_formula(in[0].transpose(0, 1), in[1]); },
               {at::randn({3, 4, 8}), at::randn({8})}, 2);
}

TEST(RowKernels, rotation_with_tables_shared_by_studies_replies_and_heads) {
  at::manual_seed(3);
  const Formula kernel = [](const Tensors& in) { return rotate_rows(in[0], in[1], in[2]); };
  const Formula formula = [](const Tensors& in) { return turn_formula(in[0], in[1], in[2]); };
  const Tensor cos = at::randn({2, 1, 5, 1, 8}), sin = at::randn({2, 1, 5, 1, 8});
  expect_alike(kernel, formula, {at::randn({2, 3, 5, 4, 8}), cos, sin}, 1);
  expect_alike(kernel, formula,
               {at::randn({3, 6, 2, 10}), at::randn({6, 1, 10}), at::randn({6, 1, 10})}, 1);
}

TEST(RowKernels, are_for_float32_on_a_cpu) {
  const Tensor x = at::ones({2, 4});
  EXPECT_TRUE(have_row_kernels(x, x));
  EXPECT_FALSE(have_row_kernels(x.to(at::kDouble), x));
  EXPECT_FALSE(have_row_kernels(x, x.to(at::kBFloat16)));
  EXPECT_FALSE(have_row_kernels(x.narrow(0, 0, 0), x));
}

}  // namespace
}  // namespace unirg::model
