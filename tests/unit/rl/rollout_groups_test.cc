// SPDX-License-Identifier: Apache-2.0
#include "rl/rollout_groups.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace unirg::rl {
namespace {

constexpr const char* kPolicy = "0123456789abcdef";

data::Generation rollout(const std::string& study, int64_t sample, const std::string& text,
                         int64_t tokens, bool stops) {
  data::Generation g;
  g.study_id = study;
  g.sample = sample;
  g.text = text;
  g.tokens.assign(static_cast<size_t>(tokens), 1);
  g.logprobs.assign(static_cast<size_t>(tokens), -1.0F);
  g.finish = stops ? "stop" : "length";
  g.policy = kPolicy;
  return g;
}

data::Reward reward(const std::string& study, int64_t sample, double value, double bleu) {
  data::Reward r;
  r.study_id = study;
  r.sample = sample;
  r.reward = value;
  r.components = {{"bleu", bleu}};
  return r;
}

/// Study b with rewards 1, 3 and two texts alike; study a with equal rewards 2, 2.
const std::vector<data::Generation> kRollouts{
    rollout("b", 0, "x", 2, true), rollout("b", 1, "x", 4, false), rollout("a", 0, "x", 6, true),
    rollout("a", 1, "y", 8, true)};
const std::vector<data::Reward> kRewards{reward("a", 1, 2, 0), reward("a", 0, 2, 0),
                                         reward("b", 1, 3, 0), reward("b", 0, 1, 0.8)};

RolloutBatch join(const std::vector<data::Generation>& rollouts,
                  const std::vector<data::Reward>& rewards) {
  return join_rollouts(rollouts, rewards, kPolicy, {.epsilon = 0});
}

void expect_refused(const std::vector<data::Generation>& rollouts,
                    const std::vector<data::Reward>& rewards, const std::string& words) {
  try {
    (void)join(rollouts, rewards);
    FAIL() << "no error: " << words;
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::data);
    EXPECT_NE(std::string(e.what()).find(words), std::string::npos) << e.what();
  }
}

TEST(JoinRollouts, groups_come_in_order_of_appearance_with_the_rewards_of_their_samples) {
  const RolloutBatch batch = join(kRollouts, kRewards);
  ASSERT_EQ(batch.groups.size(), 2);
  EXPECT_EQ(batch.groups[0].study_id, "b");
  EXPECT_EQ(batch.groups[1].study_id, "a");
  ASSERT_EQ(batch.groups[0].samples.size(), 2);
  EXPECT_EQ(batch.groups[0].samples[1].sample, 1);
  // b: mean 2, sample deviation sqrt(2): advantages -1/sqrt(2), 1/sqrt(2)
  EXPECT_NEAR(batch.groups[0].advantage.advantages[0], -std::sqrt(0.5), 1e-12);
  EXPECT_NEAR(batch.groups[0].advantage.advantages[1], std::sqrt(0.5), 1e-12);
  EXPECT_EQ(batch.groups[1].advantage.advantages, (std::vector<double>{0, 0}));
}

TEST(JoinRollouts, statistics_are_worked_by_hand) {
  const RolloutBatch batch = join(kRollouts, kRewards);
  EXPECT_NEAR(batch.rewards.at("reward").mean, 2, 1e-12);              // 1 3 2 2
  EXPECT_NEAR(batch.rewards.at("reward").std, std::sqrt(0.5), 1e-12);  // (1 + 1 + 0 + 0) / 4
  EXPECT_NEAR(batch.rewards.at("bleu").mean, 0.2, 1e-12);              // 0.8 0 0 0
  EXPECT_NEAR(batch.rewards.at("bleu").std, std::sqrt(0.12), 1e-12);   // 0.64 / 4 - 0.04
  EXPECT_NEAR(batch.mean_length, 5, 1e-12);                            // 2 4 6 8
  EXPECT_NEAR(batch.stopped_share, 0.75, 1e-12);
  EXPECT_NEAR(batch.identical_share, 0.5, 1e-12) << "b's two; the x of a is another study's";
  EXPECT_EQ(batch.zero_variance_groups, 1);
}

TEST(JoinRollouts, refuses_a_rollout_without_reward_and_the_reverse) {
  auto rewards = kRewards;
  rewards.pop_back();
  expect_refused(kRollouts, rewards, "rollout 'b sample 0' has no reward");
  rewards = kRewards;
  rewards.push_back(reward("c", 5, 1, 1));
  expect_refused(kRollouts, rewards, "1 rewards have no rollout, e.g. 'c sample 5'");
  expect_refused({}, {}, "no rollouts");
}

TEST(JoinRollouts, refuses_a_rollout_that_stands_twice) {
  auto rollouts = kRollouts;
  rollouts.push_back(rollouts.front());
  expect_refused(rollouts, kRewards, "rollout 'b sample 0'");
}

TEST(JoinRollouts, refuses_another_policy_s_rollout_and_an_empty_reply) {
  auto rollouts = kRollouts;
  rollouts[2].policy = "fedcba9876543210";
  expect_refused(rollouts, kRewards, "rollout 'a sample 0' was drawn by policy fedcba987654");
  rollouts = kRollouts;
  rollouts[3].tokens.clear();
  expect_refused(rollouts, kRewards, "rollout 'a sample 1' has no tokens");
}

TEST(JoinRollouts, refuses_a_reward_that_is_not_finite) {
  auto rewards = kRewards;
  rewards[0].reward = std::nan("");
  EXPECT_THROW((void)join(kRollouts, rewards), Error);
}

TEST(JoinRollouts, shapes_rewards_before_the_advantages) {
  // overlong from 2 tokens on, 1 at 6: 2 tokens 0, 4 tokens -0.5
  const RolloutBatch batch = join_rollouts(kRollouts, kRewards, kPolicy,
                                           {.advantage = AdvantageKind::dr_grpo,
                                            .reward_clip = 2,
                                            .overlong_limit = 6,
                                            .overlong_buffer = 4});
  EXPECT_NEAR(batch.groups[0].advantage.mean, (1 + 2.0) / 2, 1e-12) << "3 - 0.5 is cut to 2";
  EXPECT_NEAR(batch.groups[1].advantage.mean, 2 - 1.0, 1e-12) << "6 and 8 tokens";
}

TEST(JoinRollouts, leaves_samples_out_of_training) {
  GroupOptions options{.drop_unfinished = true, .drop_equal_groups = true};
  const RolloutBatch batch = join_rollouts(kRollouts, kRewards, kPolicy, options);
  EXPECT_EQ(batch.groups[0].trained, (std::vector<bool>{true, false})) << "the second was cut off";
  EXPECT_EQ(batch.groups[1].trained, (std::vector<bool>{false, false})) << "equal rewards";
  EXPECT_EQ(batch.untrained, 3);
  EXPECT_NE(batch.groups[0].advantage.advantages[0], 0.0) << "the other one counts in the baseline";
}

TEST(JoinRollouts, takes_terms_and_greedy_rewards) {
  auto rewards = kRewards;
  for (data::Reward& r : rewards) r.weights = {{"bleu", 2}};
  const GroupOptions gdpo{.advantage = AdvantageKind::gdpo};
  EXPECT_TRUE(join_rollouts(kRollouts, rewards, kPolicy, gdpo).groups[0].advantage.learns());
  rewards[2].weights = {{"rouge", 2}};
  EXPECT_THROW((void)join_rollouts(kRollouts, rewards, kPolicy, gdpo), Error);
  const GroupOptions greedy{.advantage = AdvantageKind::greedy};
  const std::vector<data::Reward> baselines{reward("a", 0, 1.5, 0), reward("b", 0, 1, 0)};
  const RolloutBatch batch = join_rollouts(kRollouts, kRewards, kPolicy, greedy, baselines);
  EXPECT_EQ(batch.groups[0].advantage.advantages, (std::vector<double>{0, 2}));
  EXPECT_EQ(batch.groups[1].advantage.advantages, (std::vector<double>{0.5, 0.5}));
  EXPECT_THROW((void)join_rollouts(kRollouts, kRewards, kPolicy, greedy), Error);
}

}  // namespace
}  // namespace unirg::rl
