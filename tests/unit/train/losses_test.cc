// SPDX-License-Identifier: Apache-2.0
#include "train/losses.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

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
      token_scores(kHidden, head(), at::tensor({int64_t{2}, int64_t{0}}), 1.0, true);
  EXPECT_NEAR(s.logprobs[0].item<double>(), std::log(5.0 / 8), 1e-6);
  EXPECT_NEAR(s.logprobs[1].item<double>(), std::log(1.0 / 4), 1e-6);
  // -(1/8 ln 1/8 + 2/8 ln 2/8 + 5/8 ln 5/8) = 0.900256; -(2 x 1/4 ln 1/4 + 1/2 ln 1/2) = 1.5 ln 2
  EXPECT_NEAR(s.entropy[0].item<double>(), 0.900256, 1e-6);
  EXPECT_NEAR(s.entropy[1].item<double>(), 1.5 * std::log(2.0), 1e-6);
}

TEST(TokenScores, temperature_divides_the_logits) {
  // T = 1/2 squares the weights: 1 4 25 of 30 and 1 1 4 of 6.
  const TokenScores s =
      token_scores(kHidden, head(), at::tensor({int64_t{2}, int64_t{0}}), 0.5, false);
  EXPECT_NEAR(s.logprobs[0].item<double>(), std::log(25.0 / 30), 1e-6);
  EXPECT_NEAR(s.logprobs[1].item<double>(), std::log(1.0 / 6), 1e-6);
  EXPECT_FALSE(s.entropy.defined());
}

TEST(TokenScores, only_log_probabilities_carry_a_gradient) {
  const Tensor hidden = kHidden.clone().requires_grad_(true);
  const TokenScores s =
      token_scores(hidden, head(), at::tensor({int64_t{2}, int64_t{0}}), 1.0, true);
  EXPECT_TRUE(s.logprobs.requires_grad());
  EXPECT_FALSE(s.entropy.requires_grad());
}

TEST(TokenScores, equal_those_of_transformers) {
  const auto folder = std::filesystem::path(UNIRG_SOURCE_DIR) / "../shared/golden/qwen3_vl_tiny";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "needs ../shared/golden/qwen3_vl_tiny";
  const model::Parameters golden = model::load_tensors(folder / "golden.safetensors");
  const Tensor head =
      model::load_tensors(folder / "model.safetensors").at("lm_head.weight").to(at::kFloat);
  const Tensor hidden = golden.at("text.norm")[0];
  const int64_t n = hidden.size(0) - 1;
  const TokenScores s = token_scores(hidden.narrow(0, 0, n), head,
                                     golden.at("input_ids")[0].narrow(0, 1, n), 1.0, true);
  EXPECT_LT((s.logprobs - golden.at("next_token_logprobs")[0]).abs().max().item<double>(), 1e-4);
  EXPECT_LT((s.entropy - golden.at("entropy")[0]).abs().max().item<double>(), 1e-4);
}

}  // namespace
}  // namespace unirg::train
