// NCCL with one rank, which is broadcast to by itself and sends itself messages; two ranks need two
// GPUs. SPDX-License-Identifier: Apache-2.0
#include "distributed/gpu_link.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace unirg::distributed {
namespace {

TEST(GpuLink, a_message_arrives_behind_what_computes_it) {
  if (!at::hasCUDA()) GTEST_SKIP() << "no CUDA device (at::hasCUDA() is false)";
  const at::Device gpu(at::kCUDA, 0);
  std::atomic<bool> given_up = false;
  GpuLink link(GpuLink::new_id(), 0, 1, gpu, given_up);
  const at::Tensor values = at::arange(1 << 20, at::device(gpu).dtype(at::kFloat)) * 3;
  const at::Tensor received = at::zeros_like(values);
  link.exchange({{0, values.view(at::kByte)}}, {{0, received.view(at::kByte)}});
  EXPECT_TRUE(at::equal(received, values));
  link.broadcast(received.view(at::kByte), 0);
  EXPECT_TRUE(at::equal(received, values));
}

TEST(GpuLink, a_build_without_nccl_says_so) {
  try {
    EXPECT_EQ(GpuLink::new_id().size(), 128U);
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::unavailable);
    EXPECT_NE(std::string(e.what()).find("NCCL"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace unirg::distributed
