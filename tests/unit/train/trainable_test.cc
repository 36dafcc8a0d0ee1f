// Which tensors a run trains. SPDX-License-Identifier: Apache-2.0
#include "train/trainable.h"

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "io/atomic_file.h"
#include "model/checkpoint_tensors.h"
#include "temp_folder.h"
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

TEST(TrainedNames, of_the_vision_tower_alone_may_be_nothing) {
  const model::Qwen3VL model = tiny();
  for (const std::string& name : trained_names(model, {}, /*vision_only=*/true))
    EXPECT_TRUE(name.starts_with("model.visual.")) << name;
  EXPECT_THROW((void)trained_names(model, {.freeze = {"model.visual.*"}}, true), Error);
  model::Qwen3VL adapted = tiny();
  prepare_adapter(adapted, {.lora_rank = 2, .lora_targets = {"q_proj"}}, "base", 1);
  EXPECT_THROW((void)trained_names(adapted, {}, true), Error);
}

TEST(PrepareAdapter, makes_one_and_trains_it_alone) {
  model::Qwen3VL model = tiny();
  prepare_adapter(model, {.lora_rank = 4, .lora_targets = {"q_proj"}}, "base", 1);
  ASSERT_TRUE(model.adapter.has_value());
  const auto names = trained_names(model, {});
  ASSERT_EQ(names.size(), 6U);
  EXPECT_EQ(names.front(), "model.language_model.layers.0.self_attn.q_proj.lora_A.weight");
}

TEST(PrepareAdapter, keeps_the_one_that_is_there) {
  model::Qwen3VL model = tiny();
  prepare_adapter(model, {.lora_rank = 4, .lora_targets = {"q_proj"}}, "base", 1);
  prepare_adapter(model, {.lora_rank = 8}, "other", 1);
  EXPECT_EQ(model.adapter->rank, 4);
}

class CheckTrainable : public ::testing::Test {
 protected:
  CheckTrainable() {
    io::make_folders(root / "base");
    io::write_file(root / "base/config.json", R"({"model_type": "qwen3_vl", "dtype": "bfloat16"})");
    io::make_folders(root / "adapter");
    io::write_file(root / "adapter/adapter_config.json",
                   R"({"peft_type": "LORA", "r": 4, "base_model_name_or_path": "../base"})");
  }
  testing::TempFolder folder;
  std::filesystem::path root = folder.path();
};

TEST_F(CheckTrainable, float16_is_trained_through_an_adapter_only) {
  io::make_folders(root / "half");
  io::write_file(root / "half/config.json", R"({"model_type": "qwen3_vl", "dtype": "float16"})");
  EXPECT_THROW(check_trainable(root / "half", "auto", {}, root / "out"), Error);
  EXPECT_NO_THROW(check_trainable(root / "half", "auto", {.lora_rank = 2}, root / "out"));
  EXPECT_NO_THROW(check_trainable(root / "base", "bfloat16", {}, root / "out"));
  EXPECT_NO_THROW(check_trainable(root / "base", "float32", {}, root / "out"));
  EXPECT_NO_THROW(check_trainable(root / "base", "bfloat16", {.lora_rank = 2}, root / "out"));
  EXPECT_NO_THROW(check_trainable(root / "adapter", "bfloat16", {}, root / "out"));
}

TEST_F(CheckTrainable, an_adapter_is_not_put_on_an_adapter) {
  EXPECT_THROW(check_trainable(root / "adapter", "float32", {.lora_rank = 4}, root / "out"), Error);
}

TEST_F(CheckTrainable, an_adapter_does_not_replace_its_base) {
  const TrainableOptions lora{.lora_rank = 2};
  EXPECT_THROW(check_trainable(root / "base", "float32", lora, root / "base"), Error);
  EXPECT_THROW(check_trainable(root / "base", "float32", lora, root / "base/"), Error);
  EXPECT_THROW(check_trainable(root / "base", "float32", lora, root), Error);
  EXPECT_THROW(check_trainable(root / "adapter", "float32", {}, root / "adapter/../base"), Error);
  EXPECT_NO_THROW(check_trainable(root / "base", "float32", lora, root / "base/in"));
  EXPECT_NO_THROW(check_trainable(root / "base", "float32", {}, root / "base"));
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

TEST(MakeLeaves, float16_is_trained_through_an_adapter_only) {
  model::Qwen3VL model = tiny(at::kHalf);
  EXPECT_THROW((void)make_leaves(model, trained_names(model, {})), Error);
  prepare_adapter(model, {.lora_rank = 2}, "base", 1);
  EXPECT_NO_THROW((void)make_leaves(model, trained_names(model, {})));
}

TEST(TrainingPass, draws_other_masks_for_each_unit_and_none_without_dropout) {
  model::Qwen3VL model = tiny();
  EXPECT_EQ(training_pass(model, {}, 1, "s1", 0).dropout.p, 0);
  prepare_adapter(model, {.lora_rank = 2, .lora_dropout = 0.1}, "base", 1);
  const auto seed = [&](const char* subject, int64_t epoch) {
    return training_pass(model, {}, 1, subject, epoch).dropout.seed;
  };
  EXPECT_EQ(seed("s1", 0), seed("s1", 0));
  EXPECT_NE(seed("s1", 0), seed("s1", 1));
  EXPECT_NE(seed("s1", 0), seed("s2", 0));
}

}  // namespace
}  // namespace unirg::train
