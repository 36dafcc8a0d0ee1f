// SPDX-License-Identifier: Apache-2.0
#include "policy/plan.h"

#include <gtest/gtest.h>

#include "model/checkpoint_tensors.h"
#include "temp_folder.h"
#include "tiny_policy.h"

namespace unirg::policy {
namespace {

Plan plan() {
  Plan p;
  p.facts = {{"groups", 6}};
  p.memory = {{"weights", 60'000'000'000}, {"moments", 15'000'000'000}};
  p.run = {"update", 7.2e18, 4.5e12, false};
  p.steps = 10;
  p.step_bytes = 4.5e11;
  return p;
}

Machine machine() {
  Machine m;
  m.ranks = 8;
  m.device_memory = 80e9;
  m.peak_flops = 1e15;
  m.flops_share = 0.5;
  m.bandwidth = 2.5e10;
  m.price = 3;
  return m;
}

TEST(Plan, says_by_how_much_it_fits_and_what_it_costs) {
  EXPECT_EQ(plan_tables(plan(), machine()), R"(groups: 6

| memory of one rank | bytes | GB |
| --- | ---: | ---: |
| weights | 60000000000 | 60.00 |
| moments | 15000000000 | 15.00 |
| peak | 75000000000 | 75.00 |
| fits, is left of 80.00 GB | 5000000000 | 5.00 |

| the run | on 8 ranks |
| --- | ---: |
| FLOPs | 7.200e+18 |
| optimiser steps | 10 |
| a rank sends in a step, bytes | 450000000000 |
| hours at 0.5 x 1000 TFLOP/s a device | 0.55 |
| of these sending, at 25 GB/s | 0.05 |
| price at 3 a device and hour | 13.20 |
)");
}

TEST(Plan, says_what_is_missing_where_it_does_not_fit) {
  Machine small = machine();
  small.device_memory = 70e9;
  EXPECT_NE(plan_tables(plan(), small)
                .find("| does not fit, is missing of 70.00 GB | 5000000000 | "
                      "5.00 |"),
            std::string::npos);
  EXPECT_EQ(plan_json(plan(), small).at("fits"), false);
}

TEST(Plan, what_the_machine_does_not_tell_is_left_out_and_null) {
  const std::string text = plan_tables(plan(), {});
  for (const char* word : {"fits", "hours", "price", "sends"})
    EXPECT_EQ(text.find(word), std::string::npos) << word;
  const io::Json json = plan_json(plan(), {});
  for (const char* name : {"fits", "seconds", "price"})
    EXPECT_TRUE(json.at(name).is_null()) << name;
}

TEST(Plan, the_json_has_the_same_numbers) {
  Plan p = plan();
  p.stages = {{"SFT", 1.8e18, 0, false}, {"rollouts", 1.8e17, 0, true}};
  p.process.studies = 12;
  Machine m = machine();
  m.decode_share = 0.05;
  const io::Json json = plan_json(p, m);
  EXPECT_EQ(json.at("groups"), 6);
  EXPECT_EQ(json.at("memory").at("peak"), 75'000'000'000);
  EXPECT_EQ(json.at("fits"), true);
  EXPECT_EQ(json.at("seconds"), 1980);
  EXPECT_DOUBLE_EQ(json.at("price").get<double>(), 13.2);
  EXPECT_FALSE(json.contains("host"));
  EXPECT_EQ(json.at("process_studies"), 12);
  EXPECT_DOUBLE_EQ(json.at("process")[0].at("seconds").get<double>(), 450);
  EXPECT_DOUBLE_EQ(json.at("process")[1].at("seconds").get<double>(), 450);
}

TEST(Plan, the_whole_process_adds_up) {
  Plan p = plan();
  p.stages = {{"SFT", 1.8e18, 1e9, false}, {"rollouts", 1.8e17, 0, true}};
  p.process.studies = 12;
  Machine m = machine();
  m.decode_share = 0.05;
  m.bandwidth = 0;
  const std::string text = plan_tables(p, m);
  EXPECT_NE(text.find(R"(
| the whole process, 12 studies | FLOPs | a rank sends, GB | hours | device hours | price |
| --- | ---: | ---: | ---: | ---: | ---: |
| SFT | 1.800e+18 | 1 | 0.125 | 1 | 3 |
| rollouts | 1.800e+17 | 0 | 0.125 | 1 | 3 |
| all | 1.980e+18 | 1 | 0.25 | 2 | 6 |

Training at 0.5 x 1000 TFLOP/s a device, decoding at 0.05 x 1000 TFLOP/s; sending takes no time.
)"),
            std::string::npos)
      << text;
}

TEST(Plan, weights_that_are_not_there_yet_are_those_of_the_configuration) {
  const testing::TempFolder folder;
  testing::write_checkpoint(folder.path(), 1);
  const int64_t values =
      model::count_values(model::expected_parameters(testing::tiny_policy_config()));
  for (const bool there : {true, false}) {
    EXPECT_EQ(weight_bytes(folder.path(), "float32"), 4 * values);
    EXPECT_EQ(weight_bytes(folder.path(), "bfloat16"), 2 * values);
    EXPECT_EQ(weight_bytes(folder.path(), "auto"), 4 * values);
    if (there) std::filesystem::remove(folder.path() / "model.safetensors");
  }
}

}  // namespace
}  // namespace unirg::policy
