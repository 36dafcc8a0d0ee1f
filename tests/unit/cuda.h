// What the tests of the GPU share: they run where one is, and skip elsewhere. The largest
// difference of each comparison goes into the test report (--gtest_output=xml).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/isfinite.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "model/device.h"
#include "model/parameters.h"

namespace unirg::testing {

/// Base of a fixture whose tests need a GPU.
class Cuda : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!at::hasCUDA()) GTEST_SKIP() << "no CUDA device (at::hasCUDA() is false)";
    gpu = model::parse_device("cuda");
  }
  at::Device gpu = at::kCPU;
};

/// Copies of all tensors; those of floating point as `dtype`.
inline model::Parameters placed(const model::Parameters& parameters, const at::Device& device,
                                at::ScalarType dtype = at::kFloat) {
  model::Parameters copies;
  for (const auto& [name, tensor] : parameters)
    copies[name] = tensor.to(at::TensorOptions().dtype(dtype).device(device));
  return copies;
}

/// max |gpu - cpu| / max |cpu|, infinite if a number is not finite. `gpu` must lie on one.
inline double difference(const std::string& what, const at::Tensor& gpu, const at::Tensor& cpu) {
  EXPECT_TRUE(gpu.is_cuda()) << what;
  EXPECT_TRUE(cpu.is_cpu()) << what;
  EXPECT_EQ(gpu.sizes(), cpu.sizes()) << what;
  const at::Tensor copy = gpu.detach().to(at::kCPU).to(at::kDouble);
  const at::Tensor wanted = cpu.detach().to(at::kDouble);
  double relative = std::numeric_limits<double>::infinity();
  if (at::isfinite(copy).all().item<bool>()) {
    const double largest = wanted.abs().max().item<double>();
    relative = (copy - wanted).abs().max().item<double>() / (largest > 0 ? largest : 1.0);
  }
  ::testing::Test::RecordProperty(what, fmt::format("{:.2e}", relative));
  return relative;
}

}  // namespace unirg::testing
