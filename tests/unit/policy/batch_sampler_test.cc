// Several prompts decoded together against each alone, and draws on tensors against draws one by
// one. SPDX-License-Identifier: Apache-2.0
#include "policy/batch_sampler.h"

#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "model/checkpoint_tensors.h"
#include "policy/image_processor.h"
#include "tiny_policy.h"

namespace unirg::policy {
namespace {

using at::Tensor;

/// Shares of six ids; id 1, the likeliest, may not be drawn. The others then have 1/3, 1/3, 1/6,
/// 1/10, 1/15, and sums of .333, .667, .833, .933, 1.
Tensor logits(int64_t rows) {
  return at::tensor({0.20, 0.40, 0.20, 0.10, 0.06, 0.04}, at::kFloat).log().expand({rows, 6});
}
const Tensor kBanned =
    at::tensor({0.0F, -std::numeric_limits<float>::infinity(), 0.0F, 0.0F, 0.0F, 0.0F});

std::vector<int64_t> ids(const DecodeOptions& options, const std::vector<double>& uniforms) {
  const Draws draws = draw_tokens(logits(std::ssize(uniforms)), kBanned,
                                  at::tensor(uniforms, at::kDouble), options);
  const int64_t* values = draws.tokens.const_data_ptr<int64_t>();
  return {values, values + draws.tokens.numel()};
}

using Ids = std::vector<int64_t>;

TEST(DrawTokens, take_the_id_that_lies_at_the_uniform) {
  EXPECT_EQ(ids({}, {0.0, 0.33, 0.34, 0.66, 0.67, 0.83, 0.84, 0.93, 0.94, 1.0 - 1e-12}),
            (Ids{0, 0, 2, 2, 3, 3, 4, 4, 5, 5}));
}

TEST(DrawTokens, top_k_keeps_ties_and_top_p_the_fewest_that_reach_it) {
  EXPECT_EQ(ids({.top_k = 1}, {0.49, 0.51}), (Ids{0, 2})) << "0 and 2 are equally likely";
  EXPECT_EQ(ids({.top_k = 3}, {0.79, 0.81, 0.999}), (Ids{2, 3, 3})) << "0.4 0.4 0.2 are left";
  EXPECT_EQ(ids({.top_k = 100}, {0.999}), (Ids{5})) << "more than there are";
  EXPECT_EQ(ids({.top_p = 0.60}, {0.999}), (Ids{2}));
  EXPECT_EQ(ids({.top_p = 0.70}, {0.999}), (Ids{3}));
  EXPECT_EQ(ids({.top_p = 0.95}, {0.999}), (Ids{5}));
  EXPECT_EQ(ids({.top_k = 3, .top_p = 0.75}, {0.999}), (Ids{2})) << "of what top-k has left";
}

TEST(DrawTokens, log_probabilities_are_over_all_ids_at_the_temperature) {
  const Draws draws =
      draw_tokens(logits(1), kBanned, at::tensor({0.0}, at::kDouble), {.temperature = 0.5});
  EXPECT_NEAR(draws.logprobs.item<double>(), std::log(0.04 / 0.2552), 1e-6);
  const Draws greedy =
      draw_tokens(logits(2), kBanned, at::zeros({2}, at::kDouble), {.temperature = 0});
  EXPECT_EQ(greedy.tokens[1].item<int64_t>(), 0) << "the first of the likeliest";
  EXPECT_NEAR(greedy.logprobs[1].item<double>(), std::log(0.2), 1e-6);
}

/// The tiny random model before three prompts of different lengths, one without a picture.
class SampleTogether : public ::testing::Test {
 protected:
  [[nodiscard]] std::vector<DecodeRequest> requests() const {
    const EncodedStudy study = testing::encoded_study("s", 1, "Report:", "");
    const model::PromptTokens seen{
        study.prompt, {{4, 4}}, patch_rows(testing::tiny_processor(), study.images[0])};
    model::PromptTokens longer = seen;
    longer.tokens.insert(longer.tokens.end(), {70, 71, 72, 73, 74});
    return {{seen, "a"}, {longer, "b"}, {{{70, 80, 90}, {}, {}}, "c"}};
  }
  const model::ModelConfig config = testing::tiny_policy_config();
  const model::Qwen3VL model = model::bind_model(
      config, model::random_parameters(model::expected_parameters(config), 5, 0.2));
  const TokenRules rules = [this] {
    TokenRules r;
    for (int64_t id = 0; id < config.text.vocab_size; ++id) r.allowed.push_back(id < 259);
    for (int64_t id = 0; id < 40; ++id) r.ends.push_back(id);  // many ends: studies leave early
    return r;
  }();
};

TEST_F(SampleTogether, gives_each_prompt_the_replies_it_gets_alone) {
  bool some_end = false, some_are_cut = false;
  for (const double temperature : {0.0, 1.0}) {
    const DecodeOptions options{
        .temperature = temperature, .max_new_tokens = 12, .samples = 3, .seed = 3};
    const auto together = sample_together(model, requests(), rules, options);
    ASSERT_EQ(together.size(), 3U);
    for (size_t b = 0; b < together.size(); ++b) {
      const DecodeRequest request = requests()[b];
      const auto alone = sample_replies(model, request.prompt, request.subject, rules, options);
      for (size_t s = 0; s < alone.size(); ++s) {
        EXPECT_EQ(together[b][s].tokens, alone[s].tokens) << temperature << " " << b << " " << s;
        EXPECT_EQ(together[b][s].stopped, alone[s].stopped);
        (alone[s].stopped ? some_end : some_are_cut) = true;
        ASSERT_EQ(together[b][s].logprobs.size(), alone[s].logprobs.size());
        for (size_t t = 0; t < alone[s].logprobs.size(); ++t)
          EXPECT_NEAR(together[b][s].logprobs[t], alone[s].logprobs[t], 1e-4);
      }
    }
  }
  EXPECT_TRUE(some_end && some_are_cut) << "the test wants both";
}

}  // namespace
}  // namespace unirg::policy
