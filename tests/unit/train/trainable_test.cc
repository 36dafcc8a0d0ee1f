// Which tensors a run trains. SPDX-License-Identifier: Apache-2.0
#include "train/trainable.h"

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "model/checkpoint_tensors.h"
#include "tiny_model.h"

namespace unirg::train {
namespace {

model::Qwen3VL tiny(at::ScalarType dtype = at::kFloat) {
  const model::ModelConfig c = testing::tiny_config();
  model::Parameters parameters = model::random_parameters(model::expected_parameters(c), 1, 0.2);
  for (auto& [name, tensor] : parameters) tensor = tensor.to(dtype);
  return model::bind_model(c, parameters);
}

TEST(TrainedNames, are_all_but_what_a_pattern_freezes) {
  const model::Qwen3VL model = tiny();
  EXPECT_EQ(trained_names(model, {}).size(), model.parameters.size());
  const auto names = trained_names(model, {.freeze = {"model.visual.*", "*embed_tokens*"}});
  EXPECT_TRUE(std::none_of(names.begin(), names.end(), [](const std::string& n) {
    return n.starts_with("model.visual.") || n.find("embed_tokens") != std::string::npos;
  }));
  EXPECT_EQ(names.size(), 3U * 11 + 1);
}

TEST(TrainedNames, a_pattern_that_fits_nothing_or_everything_is_refused) {
  const model::Qwen3VL model = tiny();
  EXPECT_THROW((void)trained_names(model, {.freeze = {"visual"}}), Error);
  EXPECT_THROW((void)trained_names(model, {.freeze = {"*"}}), Error);
}

TEST(PrepareAdapter, makes_one_and_trains_it_alone) {
  model::Qwen3VL model = tiny();
  prepare_adapter(model, {.lora_rank = 4, .lora_targets = {"q_proj"}}, "/runs/base",
                  "/runs/sft/best", 1);
  ASSERT_TRUE(model.adapter.has_value());
  EXPECT_EQ(model.adapter->base, "../../base");
  const auto names = trained_names(model, {});
  ASSERT_EQ(names.size(), 6U);
  EXPECT_EQ(names.front(), "model.language_model.layers.0.self_attn.q_proj.lora_A.weight");
}

TEST(PrepareAdapter, keeps_the_one_that_is_there_and_refuses_another_rank) {
  model::Qwen3VL model = tiny();
  const TrainableOptions four{.lora_rank = 4, .lora_targets = {"q_proj"}};
  prepare_adapter(model, four, "/runs/base", "/runs/sft/best", 1);
  prepare_adapter(model, {}, "/runs/base", "/runs/rl/next", 1);
  EXPECT_EQ(model.adapter->rank, 4);
  EXPECT_EQ(model.adapter->base, "../../base");
  EXPECT_THROW(prepare_adapter(model, {.lora_rank = 8}, "/runs/base", "/runs/x", 1), Error);
}

TEST(MakeLeaves, owns_what_it_trains_and_leaves_the_rest_constant) {
  model::Qwen3VL model = tiny();
  const model::Parameters before = model.parameters;
  const auto names = trained_names(model, {.freeze = {"model.visual.*"}});
  const auto leaves = make_leaves(model, names);
  ASSERT_EQ(leaves.size(), names.size());
  EXPECT_TRUE(leaves[0].requires_grad());
  EXPECT_NE(leaves[0].const_data_ptr(), before.at(names[0]).const_data_ptr());
  EXPECT_TRUE(model.text.norm.requires_grad()) << "the towers see the leaves";
  EXPECT_FALSE(model.vision.pos_embed.requires_grad());
}

TEST(MakeLeaves, bfloat16_is_trained_through_an_adapter_only) {
  EXPECT_THROW(check_dtype("/none", "bfloat16", {}), Error);
  EXPECT_NO_THROW(check_dtype("/none", "float32", {}));
  EXPECT_NO_THROW(check_dtype("/none", "bfloat16", {.lora_rank = 2}));
  model::Qwen3VL model = tiny(at::kBFloat16);
  EXPECT_THROW((void)make_leaves(model, trained_names(model, {})), std::logic_error);
  prepare_adapter(model, {.lora_rank = 2}, "/runs/base", "/runs/next", 1);
  EXPECT_NO_THROW((void)make_leaves(model, trained_names(model, {})));
}

TEST(TrainingPass, draws_other_masks_for_each_unit_and_none_without_dropout) {
  model::Qwen3VL model = tiny();
  EXPECT_EQ(training_pass(model, {}, 1, "s1", 0).dropout.p, 0);
  prepare_adapter(model, {.lora_rank = 2, .lora_dropout = 0.1}, "/b", "/n", 1);
  const auto seed = [&](const char* subject, int64_t epoch) {
    return training_pass(model, {}, 1, subject, epoch).dropout.seed;
  };
  EXPECT_EQ(seed("s1", 0), seed("s1", 0));
  EXPECT_NE(seed("s1", 0), seed("s1", 1));
  EXPECT_NE(seed("s1", 0), seed("s2", 0));
}

}  // namespace
}  // namespace unirg::train
