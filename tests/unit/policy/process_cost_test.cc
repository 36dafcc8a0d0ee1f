// SPDX-License-Identifier: Apache-2.0
#include "policy/process_cost.h"

#include <gtest/gtest.h>

#include "qwen_8b.h"

namespace unirg::policy {
namespace {

/// FLOPs of a forward pass of a study with one reply of 100 tokens, and with 16 of them; by hand in
/// tests/unit/model/cost_test.cc.
constexpr double kOne = 8'202'058'465'280;
constexpr double kSixteen = 31'304'481'505'280;
constexpr double kStudies = 563'494;
constexpr double kSteps = 2'202;  // of 256 studies, an epoch

TrainedModel trained(bool recompute) {
  return {testing::qwen_8b(),
          {.prompt_tokens = 400, .reply_tokens = 100, .patches = 1024},
          8'767'123'696,
          2,
          recompute};
}

TEST(ProcessCost, is_the_papers_three_epochs_of_sft_and_two_of_rl) {
  const auto stages = process_cost({}, trained(false), {});
  ASSERT_EQ(stages.size(), 4);
  EXPECT_DOUBLE_EQ(stages[0].flops, 3 * 3 * kStudies * kOne);
  EXPECT_DOUBLE_EQ(stages[1].flops, 2 * kStudies * kSixteen);
  EXPECT_DOUBLE_EQ(stages[2].flops, 3 * kStudies * kSixteen);
  EXPECT_DOUBLE_EQ(stages[3].flops, 4 * kStudies * kSixteen) << "with the reference's pass";
  for (const StageCost& stage : stages) EXPECT_EQ(stage.sent, 0) << "one rank sends nothing";
}

TEST(ProcessCost, recompute_is_one_more_forward_pass) {
  const auto stages = process_cost({}, trained(true), {});
  EXPECT_DOUBLE_EQ(stages[0].flops, 3 * 4 * kStudies * kOne);
  EXPECT_DOUBLE_EQ(stages[1].flops, 2 * kStudies * kSixteen);
  EXPECT_DOUBLE_EQ(stages[3].flops, 5 * kStudies * kSixteen);
}

TEST(ProcessCost, a_rank_sends_in_every_step_of_training_and_not_in_decoding) {
  Machine machine;
  machine.ranks = 8;
  auto stages = process_cost({}, trained(false), machine);
  EXPECT_DOUBLE_EQ(stages[0].sent, 3 * kSteps * 61'369'865'872);
  EXPECT_DOUBLE_EQ(stages[1].sent, 0);
  EXPECT_DOUBLE_EQ(stages[2].sent, kSteps * 61'369'865'872);
  machine.zero = 2;  // a unit of SFT is 4 studies, of RL one: 8 and 32 a rank and step
  stages = process_cost({}, trained(false), machine);
  EXPECT_DOUBLE_EQ(stages[0].sent, 3 * kSteps * step_bytes(machine, 8'767'123'696, 2, 8));
  EXPECT_DOUBLE_EQ(stages[2].sent, kSteps * step_bytes(machine, 8'767'123'696, 2, 32));
}

TEST(ProcessCost, a_step_of_256_studies_keeps_64_ranks_busy_in_sft_and_256_in_rl) {
  Machine machine;
  machine.ranks = 512;
  machine.peak_flops = 1;
  const auto stages = process_cost({}, trained(false), machine);
  EXPECT_DOUBLE_EQ(stage_seconds(stages[0], machine), stages[0].flops / 64);
  EXPECT_DOUBLE_EQ(stage_seconds(stages[1], machine), stages[1].flops / 512) << "decoding";
  EXPECT_DOUBLE_EQ(stage_seconds(stages[2], machine), stages[2].flops / 256);
}

TEST(ProcessCost, decoding_has_a_rate_of_its_own) {
  Machine machine;
  machine.peak_flops = 1e15;
  machine.flops_share = 0.5;
  machine.decode_share = 0.05;
  EXPECT_DOUBLE_EQ(stage_seconds({"", 1e18, 0, false}, machine), 2000);
  EXPECT_DOUBLE_EQ(stage_seconds({"", 1e18, 0, true}, machine), 20000);
}

}  // namespace
}  // namespace unirg::policy
