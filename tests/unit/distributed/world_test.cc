// A world of one; of several: tests/ranks/. SPDX-License-Identifier: Apache-2.0
#include "distributed/world.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>
#include <mpi.h>

#include "base/error.h"

namespace unirg::distributed {
namespace {

TEST(World, of_one_answers_itself_and_does_not_start_mpi) {
  World world;
  world.start([](const char*) { return static_cast<const char*>(nullptr); });
  EXPECT_EQ(world.rank(), 0);
  EXPECT_EQ(world.size(), 1);
  EXPECT_TRUE(world.alone());
  EXPECT_TRUE(world.first());
  world.barrier();
  EXPECT_TRUE(world.any(true));
  EXPECT_FALSE(world.any(false));
  EXPECT_EQ(world.largest(-2.5), -2.5);
  EXPECT_EQ(world.gather("mine"), std::vector<std::string>{"mine"});
  const at::Tensor bytes = at::full({3}, 7, at::kByte);
  world.broadcast(bytes, 0);
  EXPECT_EQ(bytes[2].item<uint8_t>(), 7);
  world.exchange({}, {});
  world.use({at::kCUDA, 0});  // nobody to exchange with: NCCL is not started
  for (const int status : {0, 65, 75}) EXPECT_EQ(world.leave(status), status);
  int started = 1;
  MPI_Initialized(&started);
  EXPECT_EQ(started, 0);
}

}  // namespace
}  // namespace unirg::distributed
