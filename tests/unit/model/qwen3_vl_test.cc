// Parity with transformers (goldens qwen3_vl_tiny*, made by make_golden.py) and of the
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
#include "golden.h"
#include "io/atomic_file.h"
#include "io/safetensors.h"
#include "model/checkpoint_tensors.h"
#include "temp_folder.h"
#include "tiny_model.h"

namespace unirg::model {
namespace {

namespace fs = std::filesystem;
using unirg::testing::tiny_config;
using unirg::testing::tiny_prompt;

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
    folder = unirg::testing::golden_folder(GetParam());
    UNIRG_SKIP_WITHOUT(folder);
    golden = load_tensors(folder / "golden.safetensors");
    if (golden.contains("pixel_levels"))  // see tests/parity/copy_golden.py
      golden["pixel_values"] = (golden.at("pixel_levels").to(at::kFloat) / 255.0F - 0.5F) / 0.5F;
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
  if (golden.contains("logits")) {
    EXPECT_LT(excess(at::matmul(hidden, model.text.head.t()), golden.at("logits")), 2e-4);
  }
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

/// transformers pads a batch on the left, we on the right: the tokens that count agree.
TEST_P(Golden, a_padded_batch_of_two_one_and_no_images_agrees) {
  const Tensor& mask = golden.at("batch.attention_mask");
  const int64_t width = mask.size(1);
  const std::vector<Grid> all = grids(golden.at("batch.image_grid_thw"));
  const int64_t first_image = all[0].patches();
  const Tensor pixels = golden.at("pixel_values");
  std::vector<PromptTokens> prompts(3);
  prompts[0] = {{}, {all[0], all[1]}, pixels};
  prompts[1] = {{}, {all[2]}, pixels.narrow(0, first_image, all[2].patches())};
  std::vector<int64_t> padding;
  for (size_t b = 0; b < 3; ++b) {
    const auto row = static_cast<int64_t>(b);
    padding.push_back(width - mask[row].sum().item<int64_t>());
    prompts[b].tokens =
        ids(golden.at("batch.input_ids")[row].narrow(0, padding[b], width - padding[b]));
    const Positions places = mrope_positions(model.config, prompts[b].tokens, prompts[b].grids);
    for (size_t i = 0; i < places.ids.size(); ++i) {
      for (int64_t axis = 0; axis < 3; ++axis) {
        const Tensor& expected = golden.at("batch.position_ids");
        ASSERT_EQ(places.ids[i][static_cast<size_t>(axis)],
                  expected[axis][row][padding[b] + static_cast<int64_t>(i)].item<int64_t>());
      }
    }
  }
  const Tensor hidden = forward_plain(model, prompts);
  for (size_t b = 0; b < 3; ++b) {
    const auto row = static_cast<int64_t>(b);
    const Tensor last = hidden[row][width - padding[b] - 1];
    EXPECT_LT(excess(at::matmul(model.text.head, last), golden.at("batch.last_logits")[row]), 2e-4);
  }
}

class GoldenGradients : public Golden {};

TEST_P(GoldenGradients, loss_and_every_gradient_agree) {
  const Parameters expected = load_tensors(folder / "gradients.safetensors");
  std::vector<Tensor> leaves;
  for (auto& [name, tensor] : model.parameters) leaves.push_back(tensor.requires_grad_(true));
  const Qwen3VL bound = bind_model(model.config, model.parameters);
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

TEST(SharedPrompt, equals_the_plain_form_for_padded_prompts_with_and_without_images) {
  const ModelConfig c = tiny_config();
  const Qwen3VL model = bind_model(c, random_parameters(expected_parameters(c), 1, 0.2));
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
  const Qwen3VL model = bind_model(c, random_parameters(expected_parameters(c), 2, 0.2));
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
  Parameters parameters = random_parameters(expected_parameters(c), 1);
  parameters["model.visual.extra.weight"] = at::randn({2});
  parameters.erase("model.language_model.norm.weight");
  save_parameters(folder.path(), parameters);
  try {
    (void)load_checkpoint(folder.path(), c, {});
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
