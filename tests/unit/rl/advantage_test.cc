// SPDX-License-Identifier: Apache-2.0
#include "rl/advantage.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"

namespace unirg::rl {
namespace {

using Values = std::vector<double>;

std::vector<Values> of(AdvantageKind kind, const std::vector<GroupRewards>& groups,
                       double epsilon = 0) {
  std::vector<Values> all;
  for (const GroupAdvantage& g : advantages(kind, groups, epsilon)) all.push_back(g.advantages);
  return all;
}

void expect_near(const Values& a, const Values& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-12) << i;
}

const std::vector<GroupRewards> kTwo{{.rewards = {1, 2, 3}}, {.rewards = {5, 5}}};

TEST(Advantages, grpo_is_the_z_score_with_the_sample_deviation) {
  // mean 2, squares 2, sample variance 2 / 2 = 1
  const auto groups = advantages(AdvantageKind::grpo, kTwo, 1e-4);
  EXPECT_DOUBLE_EQ(groups[0].std, 1.0);
  expect_near(groups[0].advantages, {-1 / 1.0001, 0, 1 / 1.0001});
  EXPECT_TRUE(groups[0].learns());
  EXPECT_FALSE(groups[1].learns());
}

TEST(Advantages, others_are_worked_by_hand) {
  expect_near(of(AdvantageKind::dr_grpo, kTwo)[0], {-1, 0, 1});
  // all rewards 1 2 3 5 5: mean 3.2, squares 4.84 + 1.44 + 0.04 + 2 * 3.24 = 12.8, variance 3.2
  const double batch = std::sqrt(3.2);
  expect_near(of(AdvantageKind::batch, kTwo)[0], {-1 / batch, 0, 1 / batch});
  // above the mean of the other two: 1 - 2.5, 2 - 2, 3 - 1.5
  expect_near(of(AdvantageKind::rloo, kTwo)[0], {-1.5, 0, 1.5});
  expect_near(of(AdvantageKind::greedy, {{.rewards = {1, 2}, .greedy = 1.5}})[0], {-0.5, 0.5});
}

TEST(Advantages, gdpo_tells_mixes_apart_that_sum_alike) {
  // Terms (1,0), (0,1), (1,1): grpo sees rewards 1, 1, 2; gdpo's first two stay alike by symmetry
  // only while the weights are.
  const GroupRewards group{.rewards = {3, 1, 4},
                           .terms = {{3, {1.0, 0.0, 1.0}}, {1, {0.0, 1.0, 1.0}}}};
  // both terms: mean 2/3, squares 2/3, variance 1/3: z = 1/3 / s for 1, -2/3 / s for 0
  const double s = std::sqrt(1.0 / 3);
  const Values sums{3 * (1 / 3.0) / s - 2 / 3.0 / s, -3 * (2 / 3.0) / s + 1 / 3.0 / s,
                    4 * (1 / 3.0) / s};
  double squares = 0;
  for (const double v : sums) squares += v * v;  // their mean is 0
  const double batch = std::sqrt(squares / 2);
  expect_near(of(AdvantageKind::gdpo, {group})[0],
              {sums[0] / batch, sums[1] / batch, sums[2] / batch});
}

TEST(Advantages, gdpo_scores_a_missing_term_as_nothing) {
  const GroupRewards group{.rewards = {1, 2, 9}, .terms = {{1, {1.0, 2.0, std::nullopt}}}};
  const Values a = of(AdvantageKind::gdpo, {group})[0];
  EXPECT_EQ(a[2], 0.0);
  EXPECT_LT(a[0], 0.0);
}

TEST(Advantages, of_equal_rewards_are_exactly_zero) {
  for (const AdvantageKind kind :
       {AdvantageKind::grpo, AdvantageKind::dr_grpo, AdvantageKind::batch, AdvantageKind::rloo}) {
    EXPECT_EQ(of(kind, {{.rewards = Values(7, 0.1)}})[0], Values(7, 0.0));
  }
  EXPECT_EQ(of(AdvantageKind::grpo, {{.rewards = {0.3}}})[0][0], 0.0);
}

TEST(Advantages, refuse_what_they_cannot_do) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(of(AdvantageKind::grpo, {{.rewards = {1, nan}}}), Error);
  EXPECT_THROW(of(AdvantageKind::rloo, {{.rewards = {1}}}), Error);
  EXPECT_THROW(of(AdvantageKind::greedy, {{.rewards = {1, 2}}}), Error);
  EXPECT_THROW(of(AdvantageKind::gdpo, {{.rewards = {1, 2}}}), Error);
  EXPECT_THROW(parse_advantage("gpro"), Error);
}

TEST(OverlongPenalty, falls_linearly_in_the_buffer) {
  EXPECT_EQ(overlong_penalty(90, 100, 10), 0.0);
  EXPECT_DOUBLE_EQ(overlong_penalty(95, 100, 10), -0.5);
  EXPECT_EQ(overlong_penalty(100, 100, 10), -1.0);
  EXPECT_EQ(overlong_penalty(200, 100, 10), -1.0);
}

}  // namespace
}  // namespace unirg::rl
