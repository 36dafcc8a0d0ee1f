// SPDX-License-Identifier: Apache-2.0
#include "rl/update_plan.h"

#include <gtest/gtest.h>

#include "qwen_8b.h"

namespace unirg::rl {
namespace {

/// Two studies with two rollouts each, of 100 and 60, and of 100 and 40 tokens.
UpdateJob job() {
  UpdateJob j;
  for (const int64_t length : {60, 40}) {
    policy::EncodedStudy study;
    study.prompt.resize(static_cast<size_t>(340 + length));
    study.reply.resize(120);
    study.images = {{{512, 512, 1, std::vector<uint8_t>(512 * 512)}, {32, 32}}};
    j.studies.push_back(std::move(study));
    RolloutGroup group;
    group.samples.resize(2);
    group.samples[0].tokens.resize(100);
    group.samples[1].tokens.resize(static_cast<size_t>(length));
    j.batch.groups.push_back(std::move(group));
  }
  return j;
}

double flops(int64_t prompt, int64_t replies, int64_t tokens) {
  return model::forward_flops(
      testing::qwen_8b(),
      {.replies = replies, .prompt_tokens = prompt, .reply_tokens = tokens, .patches = 1024});
}

TEST(UpdateWork, replies_are_padded_to_the_longest_and_the_mean_is_costed) {
  const train::TrainingWork work = update_work(job(), testing::qwen_8b(), {});
  EXPECT_EQ(work.unit.prompt_tokens, 400);
  EXPECT_EQ(work.unit.replies, 2);
  EXPECT_EQ(work.unit.reply_tokens, 100);
  EXPECT_DOUBLE_EQ(work.forward_flops, flops(400, 2, 100) + flops(380, 2, 100));
  EXPECT_EQ(work.study.prompt_tokens, 390);
  EXPECT_EQ(work.study.replies, 1);
  EXPECT_EQ(work.study.reply_tokens, 75);
  EXPECT_EQ(work.study.patches, 1024);
  EXPECT_EQ(work.picture_bytes, 2 * 512 * 512);
}

TEST(UpdateWork, a_reference_report_that_is_learned_is_one_more_reply) {
  UpdateJob j = job();
  j.options.cross_entropy = 0.1;
  const train::TrainingWork work = update_work(j, testing::qwen_8b(), {});
  EXPECT_EQ(work.unit.replies, 3);
  EXPECT_EQ(work.unit.reply_tokens, 120);
}

TEST(UpdateWork, a_group_is_a_unit_and_ranks_share_a_step) {
  UpdateJob j = job();
  j.options.epochs = 3;
  train::Place place;
  place.threads = 4;
  train::TrainingWork work = update_work(j, testing::qwen_8b(), place);
  EXPECT_EQ(work.steps, 3);
  EXPECT_EQ(work.units_per_step, 2);
  EXPECT_EQ(work.units_at_once, 2);
  place.machine.ranks = 2;
  EXPECT_EQ(update_work(j, testing::qwen_8b(), place).units_at_once, 1);
  j.options.groups_per_step = 1;
  EXPECT_EQ(update_work(j, testing::qwen_8b(), {}).steps, 6);
}

TEST(UpdateWork, passes_before_the_first_step_count_as_a_third) {
  UpdateJob j = job();
  const double plain = update_work(j, testing::qwen_8b(), {}).forward_flops;
  j.options.importance_cap = 2;
  EXPECT_DOUBLE_EQ(update_work(j, testing::qwen_8b(), {}).forward_flops, plain * (1 + 1 / 3.0));
}

}  // namespace
}  // namespace unirg::rl
