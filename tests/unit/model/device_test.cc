// SPDX-License-Identifier: Apache-2.0
#include "model/device.h"

#include <ATen/Context.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace unirg::model {
namespace {

Exit refusal(const std::string& name) {
  try {
    (void)parse_device(name);
  } catch (const Error& e) {
    return e.exit();
  }
  return Exit::ok;
}

TEST(ParseDevice, takes_the_cpu_and_whatever_is_there) {
  EXPECT_TRUE(parse_device("cpu").is_cpu());
  EXPECT_EQ(parse_device("auto").is_cuda(), at::hasCUDA());
}

TEST(ParseDevice, refuses_other_names) {
  for (const char* name : {"", "gpu", "cuda:", "cuda:x", "cuda:1x", "cuda:-1", "cuda0", "mps"})
    EXPECT_EQ(refusal(name), Exit::usage) << name;
}

TEST(ParseDevice, refuses_a_gpu_that_is_not_there) {
  EXPECT_EQ(refusal("cuda:99"), Exit::unavailable);
  EXPECT_EQ(refusal("cuda"), at::hasCUDA() ? Exit::ok : Exit::unavailable);
}

}  // namespace
}  // namespace unirg::model
