// SPDX-License-Identifier: Apache-2.0
#include "rl/advantage.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/error.h"

namespace unirg::rl {
namespace {

TEST(GroupAdvantage, is_the_z_score_with_the_sample_deviation) {
  // mean 2, squares 2, sample variance 2/2 = 1.
  const GroupAdvantage g = group_advantage({1, 2, 3}, 1e-4);
  EXPECT_DOUBLE_EQ(g.std, 1.0);
  EXPECT_NEAR(g.advantages[0], -1.0 / 1.0001, 1e-12);
  EXPECT_NEAR(g.advantages[1], 0, 1e-12);
  EXPECT_NEAR(g.advantages[2], 1.0 / 1.0001, 1e-12);
}
TEST(GroupAdvantage, of_equal_rewards_is_exactly_zero) {
  for (const double a : group_advantage(std::vector<double>(7, 0.1)).advantages) EXPECT_EQ(a, 0.0);
  EXPECT_EQ(group_advantage({0.3}).advantages[0], 0.0);
}
TEST(GroupAdvantage, refuses_a_reward_that_is_not_finite) {
  EXPECT_THROW((void)group_advantage({1, std::numeric_limits<double>::quiet_NaN()}), Error);
}

}  // namespace
}  // namespace unirg::rl
