// A world of one; of several: tests/ranks/. SPDX-License-Identifier: Apache-2.0
#include "distributed/world.h"

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
  std::vector<std::byte> bytes(3, std::byte{7});
  world.broadcast(bytes, 0);
  EXPECT_EQ(bytes[2], std::byte{7});
  std::vector<Message> received;
  world.exchange({}, received);
  EXPECT_TRUE(received.empty());
  for (const int status : {0, 65, 75}) EXPECT_EQ(world.leave(status), status);
  int started = 1;
  MPI_Initialized(&started);
  EXPECT_EQ(started, 0);
}

}  // namespace
}  // namespace unirg::distributed
