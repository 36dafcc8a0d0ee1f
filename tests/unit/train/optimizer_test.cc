// SPDX-License-Identifier: Apache-2.0
#include "train/optimizer.h"

#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>

namespace unirg::train {
namespace {

TEST(AdamW, first_step_is_worked_by_hand) {
  // m = 0.1 g, v = 0.001 g^2; bias-corrected g and g^2: step = lr * sign(g) (up to eps), decay lr * wd * w first.
  Parameters p{{"w", at::full({2, 1}, 1.0F)}, {"b", at::full({1}, 1.0F)}};
  AdamWState state;
  const AdamWOptions options{.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 0.5};
  adamw_step(options, 0.1, {"b", "w"}, p, {at::full({1}, 4.0F), at::full({2, 1}, -3.0F)}, state);
  EXPECT_NEAR(p.at("w")[0][0].item<double>(), 1.0 - 0.1 * 0.5 * 1.0 + 0.1, 1e-6);
  EXPECT_NEAR(p.at("b")[0].item<double>(), 1.0 - 0.1, 1e-6) << "no decay on biases";
  EXPECT_EQ(state.step, 1);
  EXPECT_NEAR(state.first.at("b")[0].item<double>(), 0.4, 1e-6);
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
}

}  // namespace
}  // namespace unirg::train
