// SPDX-License-Identifier: Apache-2.0
#include "policy/study_choice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "temp_folder.h"
#include "tiny_policy.h"

namespace unirg::policy {
namespace {

std::vector<std::string> chosen(const data::StudySet& set, const StudyChoice& choice,
                                uint64_t seed = 1) {
  std::vector<std::string> ids;
  for (const data::Study* study : choose_studies(set, choice, seed)) ids.push_back(study->study_id);
  return ids;
}

TEST(ChooseStudies, without_a_number_takes_all_of_the_splits_in_file_order) {
  testing::TempFolder folder;
  auto all = testing::studies(3);
  all[1].split = "test";
  const data::StudySet set(testing::write_studies(folder.path(), all));
  EXPECT_EQ(chosen(set, {}), (std::vector<std::string>{"s0", "s1", "s2"}));
  EXPECT_EQ(chosen(set, {.splits = {"train"}}), (std::vector<std::string>{"s0", "s2"}));
  EXPECT_THROW((void)chosen(set, {.splits = {"trian"}}), Error);
}

TEST(ChooseStudies, rounds_show_each_study_once_a_pass_in_an_order_of_its_own) {
  testing::TempFolder folder;
  const data::StudySet set(testing::write_studies(folder.path(), testing::studies(12)));
  std::vector<std::vector<std::string>> passes(3);
  for (int64_t round = 0; round < 9; ++round) {  // 4 of 12: three rounds a pass
    const auto ids = chosen(set, {.splits = {}, .prompts = 4, .round = round});
    ASSERT_EQ(ids.size(), 4);
    auto& pass = passes[static_cast<size_t>(round / 3)];
    pass.insert(pass.end(), ids.begin(), ids.end());
  }
  for (const auto& pass : passes)
    EXPECT_EQ(std::set<std::string>(pass.begin(), pass.end()).size(), 12);
  EXPECT_NE(passes[0], passes[1]);
  EXPECT_NE(passes[1], passes[2]);
  EXPECT_NE(chosen(set, {.splits = {}, .prompts = 4}, 2),
            chosen(set, {.splits = {}, .prompts = 4}, 1))
      << "another seed, another order";
}

TEST(ChooseStudies, a_round_that_spans_two_passes_has_no_study_twice_and_the_passes_stay_whole) {
  testing::TempFolder folder;
  const data::StudySet set(testing::write_studies(folder.path(), testing::studies(7)));
  for (uint64_t seed = 0; seed < 40; ++seed) {
    std::vector<std::string> sequence;
    for (int64_t round = 0; round < 7;
         ++round) {  // 5 of 7: round 1 ends pass 0 and begins pass 1, and so on
      const auto ids = chosen(set, {.splits = {}, .prompts = 5, .round = round}, seed);
      EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 5)
          << "seed " << seed << " round " << round;
      sequence.insert(sequence.end(), ids.begin(), ids.end());
    }
    for (auto pass = sequence.begin(); pass != sequence.end(); pass += 7) {
      EXPECT_EQ(std::set<std::string>(pass, pass + 7).size(), 7) << "seed " << seed;
    }
  }
}

TEST(ChooseStudies, more_than_there_are_is_refused) {
  testing::TempFolder folder;
  const data::StudySet set(testing::write_studies(folder.path(), testing::studies(3)));
  EXPECT_EQ(chosen(set, {.splits = {}, .prompts = 3}).size(), 3);
  try {
    (void)chosen(set, {.splits = {}, .prompts = 4});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::data);
    EXPECT_NE(std::string(e.what()).find("4"), std::string::npos) << e.what();
  }
}

class Replacements : public ::testing::Test {
 protected:
  Replacements() : set(testing::write_studies(folder.path(), testing::studies(9))) {}

  /// Two samples of each study of the round, equal ones for the first `equal` of them.
  [[nodiscard]] std::vector<data::Reward> rewards_of(const std::vector<std::string>& ids,
                                                     size_t equal) const {
    std::vector<data::Reward> rewards;
    for (size_t i = 0; i < ids.size(); ++i) {
      for (int64_t sample = 0; sample < 2; ++sample) {
        data::Reward reward;
        reward.study_id = ids[i];
        reward.sample = sample;
        reward.reward = i < equal ? 0.5 : static_cast<double>(sample);
        rewards.push_back(reward);
      }
    }
    return rewards;
  }
  [[nodiscard]] std::vector<std::string> instead(const StudyChoice& which,
                                                 const std::vector<data::Reward>& rewards) const {
    std::vector<std::string> ids;
    for (const data::Study* study : replacements(set, which, 1, rewards))
      ids.push_back(study->study_id);
    return ids;
  }

  testing::TempFolder folder;
  data::StudySet set;
  StudyChoice choice{.splits = {}, .prompts = 4, .round = 2};
};

TEST_F(Replacements, are_as_many_as_teach_nothing_and_new) {
  const auto round = chosen(set, choice);
  EXPECT_TRUE(instead(choice, rewards_of(round, 0)).empty());
  const auto others = instead(choice, rewards_of(round, 3));
  ASSERT_EQ(others.size(), 3);
  for (const std::string& id : others)
    EXPECT_EQ(std::count(round.begin(), round.end(), id), 0) << id;
  EXPECT_EQ(instead(choice, rewards_of(round, 3)), others) << "the same each time";
}

TEST_F(Replacements, are_replaced_in_turn_until_there_are_no_more) {
  const auto round = chosen(set, choice);
  auto rewards = rewards_of(round, 3);
  const auto first = instead(choice, rewards);
  const auto more = rewards_of(first, 3);  // no better
  rewards.insert(rewards.end(), more.begin(), more.end());
  const auto second = instead(choice, rewards);
  EXPECT_EQ(second.size(), 2) << "nine studies, seven of them drawn";
  for (const std::string& id : second)
    EXPECT_EQ(std::count(first.begin(), first.end(), id), 0) << id;
}

TEST_F(Replacements, want_the_rewards_of_the_round) {
  StudyChoice other = choice;
  other.round = 3;
  EXPECT_THROW((void)instead(other, rewards_of(chosen(set, choice), 1)), Error);
}

}  // namespace
}  // namespace unirg::policy
