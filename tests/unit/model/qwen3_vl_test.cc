// Parity with transformers (../shared/golden/qwen3_vl_tiny*, made by its make_golden.py) and of the
// shared-prompt form with the plain one. SPDX-License-Identifier: Apache-2.0
#include "model/qwen3_vl.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <filesystem>

#include "base/error.h"
#include "io/atomic_file.h"
#include "io/safetensors.h"
#include "temp_folder.h"

namespace unirg::model {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(UNIRG_SOURCE_DIR) / "../shared/golden";

double worst(const Tensor& a, const Tensor& b) { return (a - b).abs().max().item<double>(); }

/// Largest |a - b| beyond 1e-5 |b|.
double excess(const Tensor& a, const Tensor& b) {
  return ((a - b).abs() - 1e-5 * b.abs()).max().item<double>();
}

std::vector<int64_t> ids(const Tensor& t) {
  return {t.const_data_ptr<int64_t>(), t.const_data_ptr<int64_t>() + t.numel()};
}

std::vector<Grid> grids(const Tensor& grid_thw) {
  std::vector<Grid> out;
  for (int64_t i = 0; i < grid_thw.size(0); ++i)
    out.push_back({grid_thw[i][1].item<int64_t>(), grid_thw[i][2].item<int64_t>()});
  return out;
}

class Golden : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    folder = kGolden / GetParam();
    if (!fs::exists(folder)) GTEST_SKIP() << "needs ../shared/golden/" << GetParam();
    golden = load_tensors(folder / "golden.safetensors");
    model = load_model(folder, "cpu", "float32");
    prompt = {ids(golden.at("input_ids")), grids(golden.at("image_grid_thw")),
              golden.at("pixel_values")};
  }
  fs::path folder;
  Parameters golden;
  Qwen3VL model;
  PromptTokens prompt;
};

TEST_P(Golden, vision_tower_agrees) {
  const VisionOutput seen =
      vision_forward(model.config.vision, model.vision, golden.at("pixel_values"), prompt.grids);
  EXPECT_LT(excess(seen.tokens, golden.at("vision.merger")), 2e-4);
  for (size_t j = 0; j < seen.deepstack.size(); ++j) {
    EXPECT_LT(excess(seen.deepstack[j], golden.at("vision.deepstack" + std::to_string(j))), 2e-4);
  }
}

TEST_P(Golden, positions_and_rotary_tables_agree) {
  const Positions p = mrope_positions(model.config, prompt.tokens, prompt.grids);
  const Tensor expected = golden.at("position_ids");  // [3, 1, T]
  for (size_t i = 0; i < p.ids.size(); ++i) {
    for (int64_t axis = 0; axis < 3; ++axis) {
      ASSERT_EQ(p.ids[i][static_cast<size_t>(axis)],
                expected[axis][0][static_cast<int64_t>(i)].item<int64_t>());
    }
  }
  EXPECT_EQ(p.next - static_cast<int64_t>(p.ids.size()), golden.at("rope_deltas").item<int64_t>());
  const Rotary rotary = rotary_tables(model.config.text, p.ids);
  EXPECT_LT(worst(rotary.cos.view({-1, model.config.text.head_dim}),
                  golden.at("text.rotary.cos")[0].to(at::kFloat)),
            1e-5);
}

TEST_P(Golden, logits_agree) {
  const Tensor hidden = forward_plain(model, {prompt});
  EXPECT_LT(excess(hidden, golden.at("text.norm")), 2e-4);
  EXPECT_LT(excess(at::matmul(hidden, model.text.head.t()), golden.at("logits")), 2e-4);
}

TEST_P(Golden, shared_prompt_form_gives_the_same_logits) {
  constexpr size_t kSplit = 70;  // after the images
  PromptTokens head = prompt;
  head.tokens.resize(kSplit);
  const std::vector<int64_t> tail(prompt.tokens.begin() + kSplit - 1, prompt.tokens.end());
  const Tensor replies = forward_replies(model, {head}, {{tail, tail}});
  const Tensor plain =
      forward_plain(model, {prompt}).narrow(1, kSplit - 1, static_cast<int64_t>(tail.size()));
  EXPECT_LT(worst(replies[0][0], plain[0]), 2e-5);
  EXPECT_LT(worst(replies[0][1], plain[0]), 2e-5);
}

class GoldenGradients : public Golden {};

TEST_P(GoldenGradients, loss_and_every_gradient_agree) {
  const Parameters expected = load_tensors(folder / "gradients.safetensors");
  std::vector<Tensor> leaves;
  for (auto& [name, tensor] : model.parameters) leaves.push_back(tensor.requires_grad_(true));
  const Qwen3VL bound = bind(model.config, model.parameters);
  const Tensor logits = at::matmul(forward_plain(bound, {prompt}), bound.text.head.t());
  const int64_t T = logits.size(1);
  const Tensor loss = at::cross_entropy_loss(logits[0].narrow(0, 0, T - 1),
                                             golden.at("labels")[0].narrow(0, 1, T - 1));
  EXPECT_NEAR(loss.item<double>(), golden.at("loss").item<double>(), 1e-5);
  const auto gradients = torch::autograd::grad({loss}, leaves);
  size_t i = 0;
  for (const auto& [name, tensor] : model.parameters) {
    const Tensor& want = expected.at("grad." + name);
    EXPECT_LT(worst(gradients[i], want), 1e-3 * std::max(1e-2, want.abs().max().item<double>()))
        << name;
    ++i;
  }
}

INSTANTIATE_TEST_SUITE_P(Qwen3VL, GoldenGradients, ::testing::Values("qwen3_vl_tiny"));
INSTANTIATE_TEST_SUITE_P(Qwen3VL, Golden, ::testing::Values("qwen3_vl_tiny", "qwen3_vl_tiny_tied"));

ModelConfig tiny_config() {
  ModelConfig c;
  c.vision = {.depth = 2,
              .hidden_size = 32,
              .intermediate_size = 48,
              .num_heads = 4,
              .num_position_embeddings = 16,
              .out_hidden_size = 40,
              .deepstack_visual_indexes = {0, 1}};
  c.text = {.vocab_size = 64,
            .hidden_size = 40,
            .intermediate_size = 56,
            .num_hidden_layers = 3,
            .num_attention_heads = 4,
            .num_key_value_heads = 2,
            .head_dim = 16,
            .rope_theta = 1e4,
            .mrope_section = {4, 2, 2},
            .tie_word_embeddings = true};
  c.image_token_id = 60;
  c.video_token_id = 61;
  c.vision_start_token_id = 58;
  c.vision_end_token_id = 59;
  return c;
}

PromptTokens tiny_prompt(const ModelConfig& c, int64_t text_tokens, bool image) {
  PromptTokens prompt;
  if (image) {
    prompt.tokens = {58, 60, 60, 60, 60, 59};
    prompt.grids = {{4, 4}};
    prompt.pixels = at::randn({16, c.vision.patch_values()});
  }
  for (int64_t i = 0; i < text_tokens; ++i) prompt.tokens.push_back((i * 7) % 50);
  return prompt;
}

TEST(SharedPrompt, equals_the_plain_form_for_padded_prompts_with_and_without_images) {
  const ModelConfig c = tiny_config();
  const Qwen3VL model = bind(c, random_parameters(c, 1, 0.2));
  const std::vector<PromptTokens> prompts{tiny_prompt(c, 9, true), tiny_prompt(c, 4, false)};
  std::vector<std::vector<std::vector<int64_t>>> replies;
  for (const PromptTokens& p : prompts)
    replies.push_back({{p.tokens.back(), 3, 5, 8}, {p.tokens.back(), 9}, {p.tokens.back(), 1, 2}});
  const Tensor shared = forward_replies(model, prompts, replies);
  for (size_t b = 0; b < prompts.size(); ++b) {
    for (size_t g = 0; g < replies[b].size(); ++g) {
      PromptTokens full = prompts[b];
      full.tokens.insert(full.tokens.end(), replies[b][g].begin() + 1, replies[b][g].end());
      const auto n = static_cast<int64_t>(replies[b][g].size());
      const Tensor plain = forward_plain(model, {full})[0];
      const Tensor tail = plain.narrow(0, plain.size(0) - n, n);
      EXPECT_LT(
          worst(shared[static_cast<int64_t>(b)][static_cast<int64_t>(g)].narrow(0, 0, n), tail),
          1e-5)
          << b << " " << g;
    }
  }
}

TEST(ReplyCache, token_by_token_equals_all_at_once) {
  const ModelConfig c = tiny_config();
  const Qwen3VL model = bind(c, random_parameters(c, 2, 0.2));
  const PromptTokens prompt = tiny_prompt(c, 6, true);
  const std::vector<int64_t> reply{prompt.tokens.back(), 11, 12, 13};
  const Tensor whole = forward_replies(model, {prompt}, {{reply, reply}});
  const PromptBatch batch = embed_prompts(model, {prompt}, true);
  const PrefixCache prefix = prefill(c.text, model.text, batch.input);
  ReplyCache cache = make_reply_cache(c.text, 1, 2, 8, model.text.embed.options());
  for (int64_t t = 0; t < 4; ++t) {
    const Tensor hidden = model.text.embed[reply[static_cast<size_t>(t)]]
                              .view({1, 1, 1, -1})
                              .expand({1, 2, 1, -1})
                              .contiguous();
    const Tensor out = reply_forward(c.text, model.text, prefix, hidden,
                                     reply_rotary(model, batch.positions, t, 1), &cache);
    EXPECT_LT(worst(out.select(2, 0), whole.select(2, t)), 1e-5);
  }
}

TEST(LoadParameters, names_missing_and_unknown_tensors) {
  unirg::testing::TempFolder folder;
  const ModelConfig c = tiny_config();
  Parameters parameters = random_parameters(c, 1);
  parameters["model.visual.extra.weight"] = at::randn({2});
  parameters.erase("model.language_model.norm.weight");
  save_parameters(folder.path(), parameters);
  try {
    (void)load_parameters(folder.path(), c, at::kFloat, at::kCPU);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::data);
    EXPECT_NE(std::string(e.what()).find("missing tensors: model.language_model.norm.weight"),
              std::string::npos)
        << e.what();
    EXPECT_NE(std::string(e.what()).find("unknown tensors: model.visual.extra.weight"),
              std::string::npos)
        << e.what();
  }
}

}  // namespace
}  // namespace unirg::model
