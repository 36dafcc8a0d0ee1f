// SPDX-License-Identifier: Apache-2.0
#include "policy/sampler.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/rng.h"
#include "golden.h"
#include "model/checkpoint_tensors.h"
#include "policy/image_processor.h"
#include "tiny_policy.h"

namespace unirg::policy {
namespace {

using at::Tensor;

/// A model whose next-token distribution is the given one whatever the context: embeddings of ones,
/// layers that add nothing, and a head that holds the logits in its first column.
model::Qwen3VL fixed_model(const std::vector<double>& probabilities) {
  model::ModelConfig config = testing::tiny_policy_config();
  config.text.vocab_size = static_cast<int64_t>(probabilities.size());
  config.text.num_hidden_layers = 1;
  config.vision.deepstack_visual_indexes = {};
  config.text.tie_word_embeddings = false;
  model::Parameters p = model::random_parameters(model::expected_parameters(config), 1, 0.2);
  p.at("model.language_model.embed_tokens.weight").fill_(1.0);
  p.at("model.language_model.layers.0.self_attn.o_proj.weight").zero_();
  p.at("model.language_model.layers.0.mlp.down_proj.weight").zero_();
  Tensor& head = p.at("lm_head.weight");
  head.zero_();
  for (int64_t id = 0; id < config.text.vocab_size; ++id)
    head[id][0] = std::log(probabilities[static_cast<size_t>(id)]);
  return model::bind_model(config, p);
}

/// Id 1, the likeliest, may not be drawn; the others then have 1/3, 1/3, 1/6, 1/10, 1/15.
const std::vector<double> kShares{0.20, 0.40, 0.20, 0.10, 0.06, 0.04};
const std::map<int64_t, double> kAllowedShares{
    {0, 1.0 / 3}, {2, 1.0 / 3}, {3, 1.0 / 6}, {4, 0.1}, {5, 1.0 / 15}};
const TokenRules kRules{{true, false, true, true, true, true}, {}};
const model::PromptTokens kPrompt{{0, 2}, {}, {}};

std::vector<Reply> draw(DecodeOptions options) {
  static const model::Qwen3VL model = fixed_model(kShares);
  options.max_new_tokens = 1;
  return sample_replies(model, kPrompt, "study", kRules, options);
}

std::map<int64_t, double> frequencies(const DecodeOptions& options) {
  std::map<int64_t, double> shares;
  for (const Reply& reply : draw(options))
    shares[reply.tokens.at(0)] += 1.0 / static_cast<double>(options.samples);
  return shares;
}

std::set<int64_t> drawn(const DecodeOptions& options) {
  std::set<int64_t> ids;
  for (const auto& [id, share] : frequencies(options)) ids.insert(id);
  return ids;
}

using Ids = std::set<int64_t>;

TEST(SampleReplies, frequencies_match_the_probabilities_of_the_allowed_tokens) {
  const auto shares = frequencies({.samples = 6000, .seed = 7});
  EXPECT_FALSE(shares.contains(1)) << "a token that is not allowed was drawn";
  // standard deviation of a share of 1/3 over 6000 draws: 0.0061
  for (const auto& [id, share] : kAllowedShares) EXPECT_NEAR(shares.at(id), share, 0.02) << id;
}

TEST(SampleReplies, temperature_sharpens_the_distribution) {
  // T = 1/2 squares the shares: 0.04 0.04 0.01 0.0036 0.0016, sum 0.0952.
  const auto shares = frequencies({.temperature = 0.5, .samples = 6000, .seed = 7});
  EXPECT_NEAR(shares.at(0), 0.04 / 0.0952, 0.02);
  EXPECT_NEAR(shares.at(3), 0.01 / 0.0952, 0.02);
}

TEST(SampleReplies, each_draw_takes_the_uniform_of_its_seed_study_sample_and_position) {
  const auto replies = draw({.samples = 200, .seed = 11});
  for (uint64_t i = 0; i < replies.size(); ++i) {
    double target = uniform_at(11, "sample", "study", i, 0);
    auto it = kAllowedShares.begin();
    for (; std::next(it) != kAllowedShares.end() && target >= it->second; ++it)
      target -= it->second;
    EXPECT_EQ(replies[i].tokens[0], it->first) << i;
  }
}

TEST(SampleReplies, top_k_keeps_the_likeliest_allowed_tokens_and_ties_with_the_last_of_them) {
  EXPECT_EQ(drawn({.top_k = 1, .samples = 2000}), (Ids{0, 2})) << "0 and 2 are equally likely";
  EXPECT_EQ(drawn({.top_k = 2, .samples = 2000}), (Ids{0, 2}));
  EXPECT_EQ(drawn({.top_k = 3, .samples = 2000}), (Ids{0, 2, 3}));
  EXPECT_EQ(drawn({.top_k = 100, .samples = 2000}), (Ids{0, 2, 3, 4, 5})) << "more than there are";
  EXPECT_NEAR(frequencies({.top_k = 3, .samples = 6000}).at(3), 0.2, 0.02)
      << "1/6 of what is left, 5/6";
}

TEST(SampleReplies, a_likely_token_that_is_not_allowed_does_not_drown_the_others) {
  // (log 0.4 - log 0.2) / 0.001 = 693: beyond what exp can hold.
  EXPECT_EQ(drawn({.temperature = 0.001, .samples = 200}), (Ids{0, 2}));
}

TEST(SampleReplies, top_p_keeps_the_fewest_tokens_that_reach_it) {
  // Cumulative shares of the allowed: 1/3 2/3 5/6 14/15 1.
  EXPECT_EQ(drawn({.top_p = 0.60, .samples = 2000}), (Ids{0, 2}));
  EXPECT_EQ(drawn({.top_p = 0.70, .samples = 2000}), (Ids{0, 2, 3}));
  EXPECT_EQ(drawn({.top_p = 0.90, .samples = 2000}), (Ids{0, 2, 3, 4}));
  EXPECT_EQ(drawn({.top_p = 0.95, .samples = 2000}), (Ids{0, 2, 3, 4, 5}));
}

TEST(SampleReplies, top_p_counts_what_top_k_has_left) {
  // top-k leaves 1/3 1/3 1/6, of their sum 0.4 0.4 0.2: two of them reach 0.75. Of everything two
  // would be 0.67 only.
  EXPECT_EQ(drawn({.top_k = 3, .top_p = 0.75, .samples = 2000}), (Ids{0, 2}));
}

TEST(SampleReplies, log_probabilities_are_those_of_the_policy_before_top_k_and_top_p) {
  for (const Reply& reply : draw({.top_k = 2, .top_p = 0.9, .samples = 20})) {
    EXPECT_NEAR(reply.logprobs[0], std::log(0.2), 1e-5) << "over the whole vocabulary";
  }
  // T = 1/2, squares of all six shares: 0.04 0.16 0.04 0.01 0.0036 0.0016, sum 0.2552.
  for (const Reply& reply : draw({.temperature = 0.5, .top_k = 2, .samples = 20})) {
    EXPECT_NEAR(reply.logprobs[0], std::log(0.04 / 0.2552), 1e-5);
  }
}

TEST(SampleReplies, greedy_takes_the_first_of_the_likeliest_allowed_tokens) {
  const auto replies = draw({.temperature = 0, .samples = 3});
  for (const Reply& reply : replies) {
    EXPECT_EQ(reply.tokens, std::vector<int64_t>{0});
    EXPECT_NEAR(reply.logprobs[0], std::log(0.2), 1e-5) << "at temperature 1";
    EXPECT_FALSE(reply.stopped);
  }
}

TEST(SampleReplies, an_end_token_ends_the_reply_and_belongs_to_it) {
  TokenRules rules = kRules;
  rules.ends = {0, 2};
  const model::Qwen3VL model = fixed_model(kShares);
  const auto replies = sample_replies(model, kPrompt, "study", rules,
                                      {.max_new_tokens = 2, .samples = 90, .seed = 3});
  int64_t cut = 0;
  for (const Reply& reply : replies) {
    const auto end = std::find_if(reply.tokens.begin(), reply.tokens.end(),
                                  [](int64_t id) { return id == 0 || id == 2; });
    EXPECT_EQ(reply.stopped, end != reply.tokens.end());
    if (reply.stopped) {
      EXPECT_EQ(std::next(end), reply.tokens.end());
    } else {
      EXPECT_EQ(reply.tokens.size(), 2);
      ++cut;
    }
    EXPECT_EQ(reply.logprobs.size(), reply.tokens.size());
  }
  EXPECT_GT(cut, 2) << "(1/3)^2 of 90 replies, 10, are expected not to end";
  EXPECT_LT(cut, 25);
}

/// The tiny random model before a prompt with a picture.
class SampleFromPicture : public ::testing::Test {
 protected:
  /// Log-softmax of the plain forward at the places that predict the reply. \returns [n, V]
  [[nodiscard]] Tensor plain_logprobs(const std::vector<int64_t>& reply, double temperature) const {
    model::PromptTokens all = prompt;
    all.tokens.insert(all.tokens.end(), reply.begin(), reply.end());
    const auto n = static_cast<int64_t>(reply.size());
    const Tensor hidden = model::forward_plain(model, {all})[0].narrow(
        0, static_cast<int64_t>(prompt.tokens.size()) - 1, n);
    return at::log_softmax(at::linear(hidden, model.text.head) / temperature, -1);
  }

  [[nodiscard]] std::vector<Reply> sample(const DecodeOptions& options) const {
    return sample_replies(model, prompt, "s1", rules, options);
  }

  void expect_plain_logprobs(const Reply& reply, double temperature) const {
    const Tensor logprobs = plain_logprobs(reply.tokens, temperature);
    for (size_t t = 0; t < reply.tokens.size(); ++t) {
      EXPECT_NEAR(reply.logprobs[t],
                  logprobs[static_cast<int64_t>(t)][reply.tokens[t]].item<double>(), 1e-4)
          << t;
    }
  }

  const model::ModelConfig config = testing::tiny_policy_config();
  const model::Qwen3VL model = model::bind_model(
      config, model::random_parameters(model::expected_parameters(config), 5, 0.2));
  const policy::EncodedStudy study = testing::encoded_study("s1", 1, "Report:", "");
  const model::PromptTokens prompt{
      study.prompt, {{4, 4}}, patch_rows(testing::tiny_processor(), study.images[0])};
  const TokenRules rules = [this] {
    TokenRules r;
    for (int64_t id = 0; id < config.text.vocab_size; ++id) r.allowed.push_back(id < 259);
    for (int64_t id = 0; id < 40; ++id) r.ends.push_back(id);  // many ends: replies of many lengths
    return r;
  }();
};

TEST_F(SampleFromPicture, greedy_is_the_argmax_of_the_plain_forward) {
  TokenRules no_end = rules;
  no_end.ends = {};
  const Reply reply =
      sample_replies(model, prompt, "s1", no_end, {.temperature = 0, .max_new_tokens = 12})[0];
  ASSERT_EQ(reply.tokens.size(), 12);
  const Tensor best =
      plain_logprobs(reply.tokens, 1.0).narrow(1, 0, 259).argmax(1);  // of the ids allowed
  for (size_t t = 0; t < reply.tokens.size(); ++t)
    EXPECT_EQ(reply.tokens[t], best[static_cast<int64_t>(t)].item<int64_t>()) << t;
  expect_plain_logprobs(reply, 1.0);
}

TEST_F(SampleFromPicture, log_probabilities_are_those_of_the_plain_forward_at_the_temperature) {
  for (const Reply& reply :
       sample({.temperature = 0.7, .top_k = 50, .max_new_tokens = 10, .samples = 4, .seed = 9})) {
    expect_plain_logprobs(reply, 0.7);
  }
}

TEST_F(SampleFromPicture, packed_weights_change_nothing_but_the_order_of_sums) {
  model::Qwen3VL packed = model;
  model::pack_weights(packed);
  if (!packed.text.head_packed.defined()) GTEST_SKIP() << "this LibTorch has no oneDNN";
  const DecodeOptions options{.max_new_tokens = 10, .samples = 4, .seed = 9};
  const auto plain = sample(options);
  const auto replies = sample_replies(packed, prompt, "s1", rules, options);
  for (size_t i = 0; i < replies.size(); ++i) {
    EXPECT_EQ(replies[i].tokens, plain[i].tokens);
    expect_plain_logprobs(replies[i], 1.0);
  }
}

TEST_F(SampleFromPicture, a_reply_does_not_depend_on_who_leaves_the_batch_beside_it) {
  const DecodeOptions options{.max_new_tokens = 16, .samples = 7, .seed = 2};
  const auto all = sample(options);
  std::set<size_t> lengths;
  for (const Reply& reply : all) lengths.insert(reply.tokens.size());
  ASSERT_GT(lengths.size(), 2)
      << "rows must leave the batch at different steps for this test to say anything";
  for (int64_t G = 1; G < 7; ++G) {
    DecodeOptions fewer = options;
    fewer.samples = G;
    const auto some = sample(fewer);
    for (size_t i = 0; i < some.size(); ++i) {
      EXPECT_EQ(some[i].tokens, all[i].tokens) << i << " of " << G;
      for (size_t t = 0; t < some[i].tokens.size(); ++t)
        EXPECT_NEAR(some[i].logprobs[t], all[i].logprobs[t], 1e-5);
    }
  }
  for (const Reply& reply : all) expect_plain_logprobs(reply, 1.0);
}

TEST_F(SampleFromPicture, samples_studies_and_seeds_differ) {
  const auto replies = sample({.max_new_tokens = 8, .samples = 2, .seed = 2});
  EXPECT_NE(replies[0].tokens, replies[1].tokens);
  EXPECT_NE(sample({.max_new_tokens = 8, .seed = 3})[0].tokens, replies[0].tokens);
  EXPECT_NE(sample_replies(model, prompt, "s2", rules, {.max_new_tokens = 8, .seed = 2})[0].tokens,
            replies[0].tokens);
}

TEST_F(SampleFromPicture, top_k_of_one_equals_greedy_without_ties) {
  const DecodeOptions options{.temperature = 0, .max_new_tokens = 12};
  DecodeOptions one = options;
  one.temperature = 1.3;
  one.top_k = 1;
  EXPECT_EQ(sample(one)[0].tokens, sample(options)[0].tokens);
  one.top_k = 0;
  one.top_p = 1e-6;
  EXPECT_EQ(sample(one)[0].tokens, sample(options)[0].tokens);
}

/// The copy in tests/parity/golden keeps 8-bit levels instead (see copy_golden.py).
Tensor pixel_values(const model::Parameters& golden) {
  if (golden.contains("pixel_values")) return golden.at("pixel_values");
  return (golden.at("pixel_levels").to(at::kFloat) / 255.0F - 0.5F) / 0.5F;
}

class GoldenGreedy : public ::testing::TestWithParam<const char*> {};

TEST_P(GoldenGreedy, gives_the_tokens_of_transformers) {
  const auto folder = testing::golden_folder(GetParam());
  UNIRG_SKIP_WITHOUT(folder);
  constexpr int64_t kPromptLength =
      74;  // golden.json: prompt_length; the rest of input_ids is the reply of the SFT loss
  const model::Parameters golden = model::load_tensors(folder / "golden.safetensors");
  const model::Qwen3VL model = model::load_model(folder, "cpu", "float32");
  const auto ids = [](const Tensor& t, int64_t n) {
    return std::vector<int64_t>(t.const_data_ptr<int64_t>(), t.const_data_ptr<int64_t>() + n);
  };
  model::PromptTokens prompt{ids(golden.at("input_ids"), kPromptLength), {}, pixel_values(golden)};
  for (int64_t i = 0; i < golden.at("image_grid_thw").size(0); ++i) {
    prompt.grids.push_back({golden.at("image_grid_thw")[i][1].item<int64_t>(),
                            golden.at("image_grid_thw")[i][2].item<int64_t>()});
  }
  TokenRules rules{std::vector<bool>(static_cast<size_t>(model.config.text.vocab_size), true), {}};
  for (const size_t end : {640, 642}) rules.allowed[end] = false;  // golden.json: greedy_note
  const Reply reply =
      sample_replies(model, prompt, "golden", rules, {.temperature = 0, .max_new_tokens = 16})[0];
  EXPECT_EQ(reply.tokens, ids(golden.at("greedy.tokens"), 16));
  const Tensor logprobs = at::log_softmax(golden.at("greedy.logits")[0], -1);
  for (size_t t = 0; t < 16; ++t)
    EXPECT_NEAR(reply.logprobs[t],
                logprobs[static_cast<int64_t>(t)][reply.tokens[t]].item<double>(), 1e-4);
}

/// transformers decodes the three as one left-padded batch.
TEST_P(GoldenGreedy, gives_the_tokens_of_a_padded_batch) {
  const auto folder = testing::golden_folder(GetParam());
  UNIRG_SKIP_WITHOUT(folder);
  const model::Parameters golden = model::load_tensors(folder / "golden.safetensors");
  const model::Qwen3VL model = model::load_model(folder, "cpu", "float32");
  const Tensor pixels = pixel_values(golden);
  const auto grid = [&](int64_t i) {
    const Tensor& all = golden.at("batch.image_grid_thw");
    return model::Grid{all[i][1].item<int64_t>(), all[i][2].item<int64_t>()};
  };
  std::vector<model::PromptTokens> prompts(3);
  prompts[0] = {{}, {grid(0), grid(1)}, pixels};
  prompts[1] = {{}, {grid(2)}, pixels.narrow(0, grid(0).patches(), grid(2).patches())};
  TokenRules rules{std::vector<bool>(static_cast<size_t>(model.config.text.vocab_size), true), {}};
  for (const size_t end : {640, 642}) rules.allowed[end] = false;  // golden.json: greedy_note
  for (int64_t row = 0; row < 3; ++row) {
    const Tensor kept = golden.at("batch.input_ids")[row].masked_select(
        golden.at("batch.attention_mask")[row] == 1);
    const int64_t* ids = kept.const_data_ptr<int64_t>();
    model::PromptTokens& prompt = prompts[static_cast<size_t>(row)];
    prompt.tokens.assign(ids, ids + kept.numel());
    const Reply reply =
        sample_replies(model, prompt, "golden", rules, {.temperature = 0, .max_new_tokens = 16})[0];
    const int64_t* expected = golden.at("batch.greedy.tokens").const_data_ptr<int64_t>() + row * 16;
    EXPECT_EQ(reply.tokens, std::vector<int64_t>(expected, expected + 16)) << row;
  }
}

INSTANTIATE_TEST_SUITE_P(Qwen3VL, GoldenGreedy,
                         ::testing::Values("qwen3_vl_tiny", "qwen3_vl_tiny_tied"));

}  // namespace
}  // namespace unirg::policy
