// SPDX-License-Identifier: Apache-2.0
#include "evaluation/rollout_cards.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace unirg::evaluation {
namespace {

data::Generation rollout(const std::string& study, int64_t sample) {
  data::Generation g;
  g.study_id = study;
  g.sample = sample;
  g.text = study + " " + std::to_string(sample);
  g.finish = "stop";
  g.tokens = {1, 2, 3};
  return g;
}

data::Reward reward(const std::string& study, int64_t sample, double value) {
  data::Reward r;
  r.study_id = study;
  r.sample = sample;
  r.components = {{"bleu2", value / 2}, {"judge", std::nullopt}};
  r.reward = value;
  return r;
}

TEST(RolloutCards, have_the_samples_of_a_study_highest_reward_first) {
  const auto cards = join_samples(
      {rollout("s2", 0), rollout("s1", 0), rollout("s2", 1), rollout("s2", 2)},
      {reward("s1", 0, 7), reward("s2", 2, 0.5), reward("s2", 1, 1), reward("s2", 0, 0.5)}, 0);
  ASSERT_EQ(cards.size(), 2U);
  EXPECT_EQ(cards[0].study_id, "s2");
  ASSERT_EQ(cards[0].samples.size(), 3U);
  EXPECT_EQ(cards[0].samples[0].sample, 1);
  EXPECT_EQ(cards[0].samples[1].sample, 0) << "equal rewards: by sample";
  EXPECT_EQ(cards[0].samples[2].sample, 2);
  EXPECT_EQ(cards[0].samples[0].text, "s2 1");
  EXPECT_EQ(cards[0].samples[0].tokens, 3);
  EXPECT_EQ(cards[0].samples[0].components[0].second, 0.5);
  EXPECT_EQ(cards[1].study_id, "s1");
}

TEST(RolloutCards, tell_the_advantage_over_the_mean_of_the_group) {
  const auto cards = join_samples({rollout("s", 0), rollout("s", 1), rollout("t", 0)},
                                  {reward("s", 0, 1), reward("s", 1, 0), reward("t", 0, 9)}, 0);
  EXPECT_DOUBLE_EQ(cards[0].samples[0].advantage, 0.5);
  EXPECT_DOUBLE_EQ(cards[0].samples[1].advantage, -0.5);
  EXPECT_DOUBLE_EQ(cards[1].samples[0].advantage, 0);
}

TEST(RolloutCards, are_spread_evenly_where_not_all_are_kept) {
  std::vector<data::Generation> rollouts;
  std::vector<data::Reward> rewards;
  for (const char* study : {"a", "b", "c", "d"}) {
    rollouts.push_back(rollout(study, 0));
    rewards.push_back(reward(study, 0, 1));
  }
  const auto cards = join_samples(rollouts, rewards, 2);
  ASSERT_EQ(cards.size(), 2U);
  EXPECT_EQ(cards[0].study_id, "a");
  EXPECT_EQ(cards[1].study_id, "c");
  EXPECT_EQ(evenly_spread(3, 0), (std::vector<size_t>{0, 1, 2}));
  EXPECT_EQ(evenly_spread(3, 9), (std::vector<size_t>{0, 1, 2}));
}

std::string message(const std::vector<data::Generation>& rollouts,
                    const std::vector<data::Reward>& rewards) {
  try {
    join_samples(rollouts, rewards, 0);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(RolloutCards, need_a_reward_for_each_rollout_and_the_reverse) {
  EXPECT_EQ(message({rollout("s", 0), rollout("s", 1)}, {reward("s", 0, 1)}),
            "rollout of study 's', sample 1, has no reward");
  EXPECT_EQ(message({rollout("s", 0)}, {reward("s", 0, 1), reward("s", 4, 1)}),
            "reward of study 's', sample 4, has no rollout");
}

}  // namespace
}  // namespace unirg::evaluation
