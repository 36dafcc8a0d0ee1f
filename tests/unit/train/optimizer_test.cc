// SPDX-License-Identifier: Apache-2.0
#include "train/optimizer.h"

#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace unirg::train {
namespace {

TEST(AdamW, first_step_is_worked_by_hand) {
  // m = 0.1 g, v = 0.001 g^2; bias-corrected g and g^2: step = lr * sign(g) (up to eps), decay lr *
  // wd * w first.
  Parameters p{{"w", at::full({2, 1}, 1.0F)}, {"b", at::full({1}, 1.0F)}};
  AdamWState state;
  const AdamWOptions options{.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 0.5};
  adamw_step(options, 0.1, {"b", "w"}, p, {at::full({1}, 4.0F), at::full({2, 1}, -3.0F)}, state);
  EXPECT_NEAR(p.at("w")[0][0].item<double>(), 1.0 - 0.1 * 0.5 * 1.0 + 0.1, 1e-6);
  EXPECT_NEAR(p.at("b")[0].item<double>(), 1.0 - 0.1, 1e-6) << "no decay on biases";
  EXPECT_EQ(state.step, 1);
  EXPECT_NEAR(state.first.at("b")[0].item<double>(), 0.4, 1e-6);
}

TEST(AdamW, second_step_uses_the_bias_corrected_moments) {
  // g = 4 then 1; b1 = 0.5, b2 = 0.75. m = 0.5 (0.5 x 4) + 0.5 x 1 = 1.5, over 1 - 0.5^2: 2.
  // v = 0.75 (0.25 x 16) + 0.25 x 1 = 3.25, over 1 - 0.75^2: 7.428571. First step: -0.1; second:
  // -0.1 x 2 / 2.725541.
  Parameters p{{"w", at::full({1}, 1.0F)}};
  AdamWState state;
  const AdamWOptions options{.beta1 = 0.5, .beta2 = 0.75, .epsilon = 0, .weight_decay = 0};
  adamw_step(options, 0.1, {"w"}, p, {at::full({1}, 4.0F)}, state);
  adamw_step(options, 0.1, {"w"}, p, {at::full({1}, 1.0F)}, state);
  EXPECT_NEAR(p.at("w").item<double>(), 0.9 - 0.1 * 2 / 2.725541, 1e-6);
  EXPECT_NEAR(state.first.at("w").item<double>(), 1.5, 1e-6);
  EXPECT_NEAR(state.second.at("w").item<double>(), 3.25, 1e-6);
  EXPECT_EQ(state.step, 2);
}

TEST(AdamW, decays_matrices_and_kernels_but_no_norms_and_biases) {
  Parameters p{{"bias", at::full({2}, 1.0F)},
               {"kernel", at::full({1, 1, 1, 1, 2}, 1.0F)},
               {"matrix", at::full({1, 2}, 1.0F)},
               {"norm.weight", at::full({2}, 1.0F)}};
  std::vector<std::string> names;
  std::vector<Tensor> zeros;
  for (const auto& [name, tensor] : p) {
    names.push_back(name);
    zeros.push_back(at::full(tensor.sizes(), 0.0F));
  }
  AdamWState state;
  adamw_step({.weight_decay = 0.5}, 0.1, names, p, zeros,
             state);  // without gradient: 1 - 0.1 x 0.5
  EXPECT_NEAR(p.at("matrix").min().item<double>(), 0.95, 1e-6);
  EXPECT_NEAR(p.at("kernel").min().item<double>(), 0.95, 1e-6);
  EXPECT_EQ(p.at("bias").min().item<double>(), 1.0);
  EXPECT_EQ(p.at("norm.weight").min().item<double>(), 1.0);
}

TEST(AdamW, steps_that_bfloat16_rounds_away_add_up_in_its_master) {
  // Each step is the rate, 1e-4; next to 1 bfloat16 knows 0.996 and no number between.
  Parameters p{{"w", at::full({1}, 1.0F, at::kBFloat16)}};
  AdamWState state;
  for (int i = 0; i < 10; ++i)
    adamw_step({.weight_decay = 0}, 1e-4, {"w"}, p, {at::full({1}, 4.0F)}, state);
  EXPECT_EQ(p.at("w").scalar_type(), at::kBFloat16);
  EXPECT_EQ(p.at("w").item<double>(), 1.0) << "0.999, rounded";
  EXPECT_NEAR(state.master.at("w").item<double>(), 0.999, 1e-6);
  for (int i = 0; i < 30; ++i)
    adamw_step({.weight_decay = 0}, 1e-4, {"w"}, p, {at::full({1}, 4.0F)}, state);
  EXPECT_EQ(p.at("w").item<double>(), 0.99609375) << "0.996, rounded";
  EXPECT_EQ(state.first.at("w").scalar_type(), at::kFloat);
}

TEST(PlaceState, keeps_masters_of_bfloat16_and_drops_those_of_float32) {
  AdamWState state;
  state.master["w"] = at::zeros({2}, at::kFloat);
  state.first["w"] = at::zeros({2}, at::kFloat);
  place_state(state, {{"w", at::zeros({2}, at::kBFloat16)}});
  EXPECT_TRUE(state.master.contains("w"));
  place_state(state, {{"w", at::zeros({2}, at::kFloat)}});
  EXPECT_TRUE(state.master.empty());
}

TEST(PlaceState, refuse_what_does_not_fit_its_parameter) {
  const Parameters parameters{{"w", at::zeros({2, 3})}};
  AdamWState state;
  state.first["w"] = at::zeros({2, 3});
  state.second["w"] = at::zeros({2, 3});
  EXPECT_NO_THROW(place_state(state, parameters));
  state.second["w"] = at::zeros({3, 2});
  EXPECT_THROW(place_state(state, parameters), Error);
  state.second["w"] = at::zeros({2, 3}, at::kDouble);
  EXPECT_THROW(place_state(state, parameters), Error);
  state.second = {{"v", at::zeros({2, 3})}};
  EXPECT_THROW(place_state(state, parameters), Error);
}

TEST(ClipGradients, scales_to_the_limit_and_reports_the_norm_before) {
  std::vector<Tensor> gradients{at::full({1}, 3.0F), at::full({1}, 4.0F)};
  EXPECT_NEAR(clip_gradients(gradients, 1.0), 5.0, 1e-9);
  EXPECT_NEAR(gradients[0].item<double>(), 0.6, 1e-6);
  EXPECT_NEAR(clip_gradients(gradients, 0), 1.0, 1e-6);
  EXPECT_NEAR(gradients[1].item<double>(), 0.8, 1e-6) << "0 means no limit";
}

TEST(Schedule, warms_up_linearly_then_follows_the_cosine) {
  const Schedule s{.learning_rate = 1.0, .warmup_steps = 4, .total_steps = 104, .final_ratio = 0.1};
  EXPECT_DOUBLE_EQ(learning_rate(s, 0), 0.25);
  EXPECT_DOUBLE_EQ(learning_rate(s, 3), 1.0);
  EXPECT_NEAR(learning_rate(s, 54), 0.55, 1e-12);  // half-way: mean of peak and floor
  EXPECT_NEAR(learning_rate(s, 104), 0.1, 1e-12);
  EXPECT_NEAR(learning_rate(s, 1000), 0.1, 1e-12);
}

TEST(Schedule, of_constant_shape_stays_at_the_peak) {
  const Schedule s{.learning_rate = 2.0,
                   .warmup_steps = 2,
                   .total_steps = 10,
                   .final_ratio = 0.1,
                   .shape = "constant"};
  EXPECT_DOUBLE_EQ(learning_rate(s, 0), 1.0);
  for (const int64_t step : {1, 2, 9, 100}) EXPECT_DOUBLE_EQ(learning_rate(s, step), 2.0) << step;
}

TEST(Schedule, without_warm_up_begins_at_the_peak) {
  EXPECT_DOUBLE_EQ(learning_rate({.learning_rate = 3.0, .total_steps = 10}, 0), 3.0);
  EXPECT_NEAR(learning_rate({.learning_rate = 3.0, .total_steps = 10}, 5), 1.5, 1e-12);
}

}  // namespace
}  // namespace unirg::train
