// SPDX-License-Identifier: Apache-2.0
#include "train/losses.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <filesystem>
#include <utility>

#include "golden.h"
#include "model/parameters.h"

namespace unirg::train {
namespace {

/// Logits ln 1, ln 2, ln 5 for the first state, ln 1, ln 1, ln 2 for the second: probabilities of
/// 8ths and of quarters.
const Tensor kHidden = at::tensor({1.0F, 0.0F, 0.0F, 1.0F}).view({2, 2});
Tensor head() {
  const auto f = [](double x) { return static_cast<float>(std::log(x)); };
  return at::tensor({f(1), f(1), f(2), f(1), f(5), f(2)}).view({3, 2});
}

TEST(TokenScores, are_worked_by_hand) {
  const TokenScores s =
      token_scores(kHidden, head(), at::tensor({int64_t{2}, int64_t{0}}), {.entropy = true});
  EXPECT_NEAR(s.logprobs[0].item<double>(), std::log(5.0 / 8), 1e-6);
  EXPECT_NEAR(s.logprobs[1].item<double>(), std::log(1.0 / 4), 1e-6);
  // -(1/8 ln 1/8 + 2/8 ln 2/8 + 5/8 ln 5/8) = 0.900256; -(2 x 1/4 ln 1/4 + 1/2 ln 1/2) = 1.5 ln 2
  EXPECT_NEAR(s.entropy[0].item<double>(), 0.900256, 1e-6);
  EXPECT_NEAR(s.entropy[1].item<double>(), 1.5 * std::log(2.0), 1e-6);
}

TEST(TokenScores, temperature_divides_the_logits) {
  // T = 1/2 squares the weights: 1 4 25 of 30 and 1 1 4 of 6.
  const TokenScores s =
      token_scores(kHidden, head(), at::tensor({int64_t{2}, int64_t{0}}), {.temperature = 0.5});
  EXPECT_NEAR(s.logprobs[0].item<double>(), std::log(25.0 / 30), 1e-6);
  EXPECT_NEAR(s.logprobs[1].item<double>(), std::log(1.0 / 6), 1e-6);
  EXPECT_FALSE(s.entropy.defined());
}

TEST(TokenScores, entropy_pulls_a_logit_by_its_surprise_less_the_mean) {
  // dH / dlogit = -p (ln p + H); hidden is a unit vector, so the head's gradient is that of logits.
  const Tensor weight = head().requires_grad_(true);
  const TokenScores s =
      token_scores(kHidden.narrow(0, 0, 1), weight, at::tensor({int64_t{2}}), {.entropy = true});
  const Tensor found = torch::autograd::grad({s.entropy.sum()}, {weight})[0];
  const double H = 0.900256;
  for (const auto& [row, p] : {std::pair{0, 1.0 / 8}, {1, 2.0 / 8}, {2, 5.0 / 8}})
    EXPECT_NEAR(found[row][0].item<double>(), -p * (std::log(p) + H), 1e-6) << row;
  EXPECT_EQ(found.select(1, 1).abs().sum().item<double>(), 0);
}

/// The hand-written backward pass against autograd's, in one chunk and in many.
TEST(TokenScores, gradients_and_choices_do_not_depend_on_the_chunks) {
  at::manual_seed(3);
  const Tensor hidden = at::randn({7, 5}).requires_grad_(true);
  const Tensor weight = at::randn({11, 5}).requires_grad_(true);
  const Tensor targets = at::randint(0, 11, {7}, at::kLong);
  const Tensor upstream = at::randn({7}), of_entropy = at::randn({7});
  const double temperature = 0.7;
  const Tensor plain = at::log_softmax(at::linear(hidden, weight) / temperature, -1);
  const Tensor chosen = plain.gather(1, targets.unsqueeze(1)).squeeze(1);
  const Tensor entropy = -(plain.exp() * plain).sum(-1);
  const auto expected = torch::autograd::grad({(chosen * upstream + entropy * of_entropy).sum()},
                                              {hidden, weight}, {}, /*retain_graph=*/true);
  const auto without = torch::autograd::grad({(chosen * upstream).sum()}, {hidden, weight});
  for (const int64_t chunk_values : {int64_t{1}, int64_t{23}, int64_t{1} << 20}) {
    const TokenScores s = token_scores(
        hidden, weight, targets,
        {.temperature = temperature, .entropy = true, .best = true, .chunk_values = chunk_values});
    EXPECT_LT((s.logprobs - chosen).abs().max().item<double>(), 1e-6) << chunk_values;
    EXPECT_LT((s.entropy - entropy).abs().max().item<double>(), 1e-6);
    EXPECT_TRUE(s.best.equal(plain.argmax(-1)));
    const auto found =
        torch::autograd::grad({(s.logprobs * upstream + s.entropy * of_entropy).sum()},
                              {hidden, weight}, {}, /*retain_graph=*/true);
    const auto one = torch::autograd::grad({(s.logprobs * upstream).sum()}, {hidden, weight});
    for (size_t i = 0; i < 2; ++i) {
      EXPECT_LT((found[i] - expected[i]).abs().max().item<double>(), 1e-5) << chunk_values;
      EXPECT_LT((one[i] - without[i]).abs().max().item<double>(), 1e-5) << chunk_values;
    }
  }
}

TEST(TokenScores, a_frozen_head_gets_no_gradient_and_the_states_still_do) {
  const Tensor hidden = kHidden.clone().requires_grad_(true);
  const TokenScores s = token_scores(hidden, head(), at::tensor({int64_t{2}, int64_t{0}}));
  const auto found = torch::autograd::grad({s.logprobs.sum()}, {hidden});
  EXPECT_GT(found[0].abs().sum().item<double>(), 0);
}

TEST(TokenScores, equal_those_of_transformers) {
  const auto folder = testing::golden_folder("qwen3_vl_tiny");
  UNIRG_SKIP_WITHOUT(folder);
  const model::Parameters golden = model::load_tensors(folder / "golden.safetensors");
  const Tensor head =
      model::load_tensors(folder / "model.safetensors").at("lm_head.weight").to(at::kFloat);
  const Tensor hidden = golden.at("text.norm")[0];
  const int64_t n = hidden.size(0) - 1;
  const TokenScores s = token_scores(hidden.narrow(0, 0, n), head,
                                     golden.at("input_ids")[0].narrow(0, 1, n), {.entropy = true});
  EXPECT_LT((s.logprobs - golden.at("next_token_logprobs")[0]).abs().max().item<double>(), 1e-4);
  EXPECT_LT((s.entropy - golden.at("entropy")[0]).abs().max().item<double>(), 1e-4);
}

}  // namespace
}  // namespace unirg::train
