// What several ranks share, in a world of one; of several: tests/ranks/.
// SPDX-License-Identifier: Apache-2.0
#include "train/ranks.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "train/rank_sums.h"

namespace unirg::train {
namespace {

TEST(Ranks, a_world_of_one_takes_the_steps_of_one_process_at_any_stage) {
  const auto run = [](const auto& take_step) {
    Parameters parameters{{"a", at::tensor({1.0F, 2.0F}).requires_grad_(true)},
                          {"b", at::tensor({3.0F}).requires_grad_(true)}};
    const std::vector<Tensor> leaves{parameters.at("a"), parameters.at("b")};
    const auto unit = [&](int64_t i) {
      return UnitLoss{(leaves[0] * leaves[0]).sum() * static_cast<double>(i + 1), {{"n", 1.0}}};
    };
    AdamWState state;
    take_step(parameters, leaves, unit, state);
    return parameters.at("a").detach().clone();
  };
  const Tensor expected = run([](Parameters& p, const auto& leaves, const auto& unit, auto& state) {
    StepGradients step = accumulate(leaves, 1, 3, unit);
    EXPECT_NEAR(clip_gradients(step.gradients, 1.0), 12 * std::sqrt(5.0), 1e-5);
    adamw_step({}, 0.1, {"a", "b"}, p, step.gradients, state);
  });
  for (const int64_t zero : {0, 1, 2}) {
    distributed::World world;
    const Tensor weights =
        run([&](Parameters& p, const auto& leaves, const auto& unit, auto& state) {
          RankedOptimizer optimizer(world, {.zero = zero}, {"a", "b"}, leaves);
          StepGradients step = optimizer.accumulate(1, 3, unit);
          EXPECT_EQ(step.sums.at("n"), 3.0);
          EXPECT_NEAR(optimizer.clip(step, 1.0), 12 * std::sqrt(5.0), 1e-5);
          optimizer.step({}, 0.1, p, step, state);
          optimizer.keep_share(state);
          EXPECT_EQ(optimizer.whole(state).first.size(), 2U);
          const io::Json note = optimizer.note(state);
          EXPECT_EQ(note.at("count"), 1);
          EXPECT_EQ(note.at("optimizer_bytes"), io::Json({2 * 3 * 4}))
              << "two moments of three floats";
          EXPECT_EQ(note.at("gradient_bytes"), io::Json({3 * 4}));
        });
    EXPECT_TRUE(at::equal(weights, expected)) << zero;
  }
}

TEST(Ranks, what_they_keep_is_told_from_the_least_to_the_most) {
  const io::Json note = {{"count", 2},
                         {"zero", 1},
                         {"optimizer_bytes", {3 << 20, 1 << 19}},
                         {"gradient_bytes", {1 << 20, 1 << 20}},
                         {"peak_memory_bytes", {5 << 20, 6 << 20}}};
  EXPECT_EQ(RankedOptimizer::told(note),
            "2 ranks, --zero 1: optimiser state 0.5 to 3.0 MiB a rank, gradients 1.0 to 1.0 MiB, "
            "peak memory 5.0 to 6.0 MiB");
}

TEST(Ranks, units_are_dealt_out_in_turn_and_their_numbers_added_in_order) {
  distributed::World world;
  EXPECT_EQ(own_units(world, 5), 5);
  const Sums sums = sum_units(world, 2, 3, [](int64_t i) {
    return i == 1 ? Sums{} : Sums{{"x", i == 0 ? 1e16 : -1e16}, {"y", 1.0}};
  });
  EXPECT_EQ(sums.at("x"), 0.0);
  EXPECT_EQ(sums.at("y"), 2.0);
}

TEST(Ranks, each_has_a_gpu_of_its_node) {
  EXPECT_EQ(device_of_rank("cuda", 0, 8), "cuda:0");
  EXPECT_EQ(device_of_rank("auto", 3, 8), "cuda:3");
  EXPECT_EQ(device_of_rank("cuda", 3, 1), "cuda:0") << "a launcher that shows each its own only";
  EXPECT_EQ(device_of_rank("cpu", 3, 8), "cpu");
  EXPECT_EQ(device_of_rank("auto", 1, 0), "auto");
  EXPECT_EQ(device_of_rank("cuda", 1, 0), "cuda") << "which parse_device() refuses";
  EXPECT_THROW(device_of_rank("cuda:1", 1, 8), Error);
  const distributed::World alone;
  EXPECT_EQ(device_of_rank(alone, "cuda:1", [](const char*) { return nullptr; }), "cuda:1");
}

}  // namespace
}  // namespace unirg::train
