// SPDX-License-Identifier: Apache-2.0
#include "train/plan.h"

#include <gtest/gtest.h>

#include <map>

#include "io/atomic_file.h"
#include "qwen_8b.h"
#include "temp_folder.h"

namespace unirg::train {
namespace {

constexpr int64_t kValues = 8'767'123'696;      // of Qwen3-VL-8B
constexpr double kForward = 8'202'058'465'280;  // of a study with a reply; see model/cost_test.cc

/// Qwen3-VL-8B's configuration, and no weights.
class TrainingPlan : public ::testing::Test {
 protected:
  TrainingPlan() {
    io::write_file(folder.path() / "config.json", model::to_json(testing::qwen_8b()).dump());
    lengths.mean = lengths.longest = {.prompt_tokens = 400, .reply_tokens = 100, .patches = 1024};
    lengths.picture_bytes = 512 * 512;
    sft.batch_size = 256;
    sft.micro_batch = 4;
    sft.epochs = 3;
    place.machine.ranks = 8;
    place.gpu = true;
    place.threads = 16;
  }
  [[nodiscard]] policy::Plan plan() const {
    return training_plan(folder.path(), "auto", sft.trainable, work(), place);
  }
  [[nodiscard]] TrainingWork work() const {
    return sft_work(sft, testing::qwen_8b(), lengths, {1000, 10}, place);
  }
  /// Parts by name.
  [[nodiscard]] static std::map<std::string, int64_t> parts(const policy::Plan::Parts& parts) {
    return {parts.begin(), parts.end()};
  }

  testing::TempFolder folder;
  policy::Lengths lengths;
  SftOptions sft;
  Place place;
};

TEST_F(TrainingPlan, a_rank_on_a_gpu_holds_weights_its_share_of_state_and_one_unit) {
  place.machine.zero = 1;
  const policy::Plan p = plan();
  auto memory = parts(p.memory);
  EXPECT_EQ(memory["weights"], 2 * kValues);
  EXPECT_EQ(memory["gradients"], 4 * kValues);
  EXPECT_EQ(memory["moments"], kValues) << "8 bytes, an eighth of them";
  EXPECT_EQ(memory["masters"], kValues / 2);
  // Four studies with one reply of 100 tokens; numbers as in model/cost_test.cc.
  EXPECT_EQ(memory["activations-prompts"], int64_t{4} * 2 * 35 * 400 * 94'208);
  EXPECT_EQ(memory["activations-replies"], int64_t{4} * 2 * 36 * 100 * 118'016);
  EXPECT_EQ(memory["activations-vision"], int64_t{4} * 2 * 1024 * (27 * 21'280 + 15'360));
  EXPECT_EQ(memory["logits"], int64_t{3} * 4 << 24) << "400 rows: more than a chunk";
  // 2 bytes a value are 17.53 GB, which the unit's 19.0 GB hold already.
  EXPECT_EQ(memory["unit-gradients"], 0);
  EXPECT_EQ(memory.count("validation"), 0);
  EXPECT_EQ(memory.count("process"), 0);
  EXPECT_EQ(parts(p.host)["pictures"], 1010 * 512 * 512);
}

TEST_F(TrainingPlan, units_on_a_gpu_do_not_grow_with_threads_and_on_a_cpu_do) {
  const auto replies = [&](bool gpu, int64_t threads) {
    place.gpu = gpu;
    place.threads = threads;
    return parts(plan().memory)["activations-replies"];
  };
  const int64_t one = replies(true, 1);
  EXPECT_EQ(replies(true, 16), one);
  const int64_t alone = replies(false, 1);
  EXPECT_NEAR(replies(false, 2), 1.5 * alone, 4) << "beside one at its peak the others count half";
  EXPECT_NEAR(replies(false, 16), 4.5 * alone, 8) << "a rank's step has 8 units";
}

TEST_F(TrainingPlan, a_heap_grows_on_a_cpu_within_some_fifty_units) {
  place.gpu = false;
  place.threads = 1;
  sft.max_steps = 6;
  const int64_t few = parts(plan().memory)["activations-replies"];  // 48 units of a rank
  EXPECT_NEAR(few, 1.25 * 4 * 2 * 36 * 100 * 118'016, 1);
  sft.max_steps = 7;
  EXPECT_NEAR(parts(plan().memory)["activations-replies"], few * 1.6 / 1.25, 1);
}

TEST_F(TrainingPlan, a_validation_takes_the_place_of_units) {
  place.gpu = false;
  place.threads = 2;
  EXPECT_EQ(parts(plan().memory)["validation"], 0);
  sft.trainable.recompute = true;
  sft.trainable.lora_rank = 1;
  place.threads = 64;  // of which 8 have a unit in hand
  EXPECT_GT(parts(plan().memory)["validation"], 0);
}

TEST_F(TrainingPlan, gradients_of_a_unit_count_where_they_are_more_than_its_activations) {
  sft.trainable.recompute = true;
  auto memory = parts(plan().memory);
  const int64_t kept = memory["activations-vision"] + memory["activations-prompts"] +
                       memory["activations-replies"] + memory["activations-layer"] +
                       memory["logits"];
  EXPECT_GT(memory["activations-layer"], 0);
  EXPECT_EQ(memory["unit-gradients"] + kept, 2 * kValues);
}

TEST_F(TrainingPlan, an_adapter_has_little_state) {
  sft.trainable.lora_rank = 16;
  auto memory = parts(plan().memory);
  // 16 (in + out) of q, k, v, o, gate, up and down: 1,212,416 a layer.
  constexpr int64_t kAdapter = 36 * 1'212'416;
  EXPECT_EQ(memory["weights"], 2 * kValues + 4 * kAdapter);
  EXPECT_EQ(memory["gradients"], 4 * kAdapter);
  EXPECT_EQ(memory["moments"], 8 * kAdapter);
  EXPECT_EQ(memory["masters"], 0);
}

TEST_F(TrainingPlan, counts_steps_work_and_what_a_rank_sends) {
  const policy::Plan p = plan();
  EXPECT_EQ(p.steps, 3 * 4);
  EXPECT_DOUBLE_EQ(p.run.flops, 3 * 3000 * kForward);
  EXPECT_DOUBLE_EQ(p.step_bytes, 61'369'865'872);
  EXPECT_DOUBLE_EQ(p.run.sent, 12 * 61'369'865'872.0);
  EXPECT_EQ(work().units_per_step, 8);
  sft.max_steps = 2;
  EXPECT_EQ(plan().steps, 2);
  EXPECT_DOUBLE_EQ(plan().run.flops, 3 * 512 * kForward);
}

TEST_F(TrainingPlan, costs_the_whole_process_of_reports_and_not_of_labels) {
  ASSERT_EQ(plan().stages.size(), 4);
  EXPECT_DOUBLE_EQ(plan().stages[0].flops, 3 * 3 * 563'494 * kForward);
  sft.objective = "labels";
  EXPECT_TRUE(plan().stages.empty());
}

}  // namespace
}  // namespace unirg::train
