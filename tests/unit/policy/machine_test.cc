// SPDX-License-Identifier: Apache-2.0
#include "policy/machine.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace unirg::policy {
namespace {

constexpr int64_t kValues = 8'767'123'696;  // of Qwen3-VL-8B

Machine ranks(int64_t n, int64_t zero = 0) {
  Machine machine;
  machine.ranks = n;
  machine.zero = zero;
  return machine;
}

TEST(Quantity, letters_are_powers_of_a_thousand_with_an_i_of_1024) {
  EXPECT_DOUBLE_EQ(parse_quantity("80G", "x"), 80e9);
  EXPECT_DOUBLE_EQ(parse_quantity("80Gi", "x"), 85'899'345'920);
  EXPECT_DOUBLE_EQ(parse_quantity("0.5P", "x"), 5e14);
  EXPECT_DOUBLE_EQ(parse_quantity("3e2", "x"), 300);
  EXPECT_DOUBLE_EQ(parse_quantity("2K", "x"), 2000);
  EXPECT_DOUBLE_EQ(parse_quantity("2Mi", "x"), 2'097'152);
}

TEST(Quantity, what_is_none_is_an_error_that_names_the_option) {
  for (const char* bad : {"", "G", "80GB", "80Gx", "-1", "0", "80 G", "nan", "inf", "1e400"}) {
    try {
      (void)parse_quantity(bad, "bandwidth");
      ADD_FAILURE() << "'" << bad << "' passed";
    } catch (const Error& e) {
      EXPECT_EQ(e.exit(), Exit::usage);
      EXPECT_NE(std::string(e.what()).find("'--bandwidth'"), std::string::npos) << e.what();
    }
  }
}

TEST(Machine, a_plan_is_one_for_a_gpu_where_it_says_so) {
  Machine known;
  known.device_memory = 80e9;
  EXPECT_TRUE(plans_gpu("cuda", {}));
  EXPECT_TRUE(plans_gpu("cuda:3", {}));
  EXPECT_TRUE(plans_gpu("auto", known));
  EXPECT_FALSE(plans_gpu("cpu", known));
}

TEST(Machine, a_ring_sends_a_part_less_than_all_once_and_twice) {
  EXPECT_DOUBLE_EQ(reduce_scatter_bytes(8, 800), 700);
  EXPECT_DOUBLE_EQ(all_reduce_bytes(8, 800), 1400);
  EXPECT_DOUBLE_EQ(all_reduce_bytes(1, 800), 0);
}

TEST(Machine, zero_shares_out_moments_and_masters_then_gradients) {
  const auto held = [](int64_t n, int64_t zero) {
    const TrainingState s = training_state(ranks(n, zero), kValues, /*masters=*/true);
    return std::vector<int64_t>{s.gradients, s.moments, s.masters};
  };
  EXPECT_EQ(held(8, 0), (std::vector<int64_t>{35'068'494'784, 70'136'989'568, 35'068'494'784}));
  // An eighth: 1,095,890,462 values.
  EXPECT_EQ(held(8, 1), (std::vector<int64_t>{35'068'494'784, 8'767'123'696, 4'383'561'848}));
  EXPECT_EQ(held(8, 2), (std::vector<int64_t>{4'383'561'848, 8'767'123'696, 4'383'561'848}));
  EXPECT_EQ(held(1, 2), held(1, 0)) << "one rank has it all";
  EXPECT_EQ(training_state(ranks(8), kValues, /*masters=*/false).masters, 0);
}

TEST(Machine, a_rank_that_is_not_a_divisor_is_planned_with_the_largest_share) {
  EXPECT_EQ(training_state(ranks(3, 1), 10, true).masters, 16) << "4 of 10 values";
}

TEST(Machine, a_step_sends_gradients_and_with_zero_new_weights) {
  EXPECT_DOUBLE_EQ(step_bytes(ranks(1), kValues, 2, 32), 0);
  EXPECT_DOUBLE_EQ(step_bytes(ranks(8), kValues, 2, 32), 61'369'865'872);     // 2 x 7/8 x 4 a value
  EXPECT_DOUBLE_EQ(step_bytes(ranks(8, 1), kValues, 2, 32), 46'027'399'404);  // 7/8 x (4 + 2)
  EXPECT_DOUBLE_EQ(step_bytes(ranks(8, 2), kValues, 2, 32), 506'301'393'444);  // 7/8 x (32 x 2 + 2)
}

TEST(Machine, time_is_arithmetic_and_sending_one_after_the_other) {
  Machine machine = ranks(8);
  EXPECT_DOUBLE_EQ(work_seconds(machine, 8, 1e18, 0.5, 1e12), 0) << "the peak is not known";
  machine.peak_flops = 1e15;
  EXPECT_DOUBLE_EQ(work_seconds(machine, 8, 1e18, 0.5, 1e12), 250);
  machine.bandwidth = 1e10;
  EXPECT_DOUBLE_EQ(work_seconds(machine, 8, 1e18, 0.5, 1e12), 350);
}

TEST(Machine, ranks_are_idle_where_units_do_not_come_out_even) {
  EXPECT_DOUBLE_EQ(busy_ranks(ranks(8), 64), 8);
  EXPECT_DOUBLE_EQ(busy_ranks(ranks(32), 40), 20);
  EXPECT_DOUBLE_EQ(busy_ranks(ranks(1024), 64), 64) << "no unit is cut";
}

TEST(Machine, the_price_is_that_of_all_devices) {
  Machine machine = ranks(8);
  machine.price = 2.5;
  EXPECT_DOUBLE_EQ(price_of(1800, machine), 10);
}

}  // namespace
}  // namespace unirg::policy
