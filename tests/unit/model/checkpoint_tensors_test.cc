// Files of weights: shards, mapped views, names of older exports and of text-only decoders.
// SPDX-License-Identifier: Apache-2.0
#include "model/checkpoint_tensors.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "base/error.h"
#include "io/atomic_file.h"
#include "io/safetensors.h"
#include "model/qwen3_vl.h"
#include "temp_folder.h"
#include "tiny_model.h"

namespace unirg::model {
namespace {

namespace fs = std::filesystem;

ModelConfig llama(const char* more = "") {
  const std::string text =
      std::string(R"({"model_type": "llama", "vocab_size": 32, "hidden_size": 24,
    "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "rope_theta": 10000.0)") +
      more + "}";
  return config_from_json(io::Json::parse(text), "config.json");
}

Shapes three_tensors() { return {{"a", {10}}, {"b", {20}}, {"c", {5}}}; }

Parameters three_values() {
  return {{"a", at::arange(10, at::kFloat)},
          {"b", at::arange(20, at::kFloat)},
          {"c", at::arange(5, at::kFloat)}};
}

const Naming kAsTheyAre = [](const std::string& name) { return name; };

TEST(SaveParameters, cuts_files_at_the_shard_size_and_writes_their_index) {
  testing::TempFolder folder;
  save_parameters(folder.path(), three_values(),
                  /*max_shard_bytes=*/60);  // 40 | 80 (too large) | 20
  EXPECT_FALSE(fs::exists(folder.path() / "model.safetensors"));
  const io::Json index =
      io::Json::parse(io::read_file(folder.path() / "model.safetensors.index.json"));
  EXPECT_EQ(index.at("metadata").at("total_size"), 140);
  EXPECT_EQ(index.at("weight_map").at("a"), "model-00001-of-00003.safetensors");
  EXPECT_EQ(index.at("weight_map").at("b"), "model-00002-of-00003.safetensors");
  EXPECT_EQ(index.at("weight_map").at("c"), "model-00003-of-00003.safetensors");
  for (const auto& [name, tensor] : load_parameters(folder.path(), three_tensors(), kAsTheyAre, {}))
    EXPECT_TRUE(tensor.equal(three_values().at(name))) << name;
}

TEST(SaveParameters, what_fits_stays_in_one_file) {
  testing::TempFolder folder;
  save_parameters(folder.path(), three_values(), 140);
  EXPECT_TRUE(fs::exists(folder.path() / "model.safetensors"));
}

TEST(LoadParameters, mapped_tensors_outlive_the_call_and_are_not_copies) {
  testing::TempFolder folder;
  save_parameters(folder.path(), three_values());
  const Placement mapped{at::kFloat, at::kCPU, /*map=*/true};
  const Parameters one = load_parameters(folder.path(), three_tensors(), kAsTheyAre, mapped);
  EXPECT_TRUE(one.at("b").equal(three_values().at("b")));
  const auto a = reinterpret_cast<uintptr_t>(one.at("a").const_data_ptr());
  const auto b = reinterpret_cast<uintptr_t>(one.at("b").const_data_ptr());
  EXPECT_EQ(b - a, 40U) << "they lie as in the file";
}

TEST(LoadParameters, converts_what_is_stored_otherwise_and_keeps_it_when_asked) {
  testing::TempFolder folder;
  Parameters half = three_values();
  half["a"] = half["a"].to(at::kBFloat16);
  save_parameters(folder.path(), half);
  const auto type = [&](const Placement& placement) {
    return load_parameters(folder.path(), three_tensors(), kAsTheyAre, placement)
        .at("a")
        .scalar_type();
  };
  EXPECT_EQ(type({at::kFloat, at::kCPU, true}), at::kFloat);
  EXPECT_EQ(type({std::nullopt, at::kCPU, true}), at::kBFloat16);
}

TEST(CheckpointNaming, makes_old_names_new) {
  const Naming vl = checkpoint_naming(testing::tiny_config());
  EXPECT_EQ(vl("visual.pos_embed.weight"), "model.visual.pos_embed.weight");
  EXPECT_EQ(vl("language_model.norm.weight"), "model.language_model.norm.weight");
  EXPECT_EQ(vl("model.norm.weight"), "model.language_model.norm.weight");
  EXPECT_EQ(vl("model.visual.pos_embed.weight"), "model.visual.pos_embed.weight");
  EXPECT_EQ(vl("model.layers.0.self_attn.rotary_emb.inv_freq"), "");
  EXPECT_EQ(vl("lm_head.weight"), "") << "tied: a copy";
  EXPECT_EQ(checkpoint_naming(llama())("lm_head.weight"), "lm_head.weight");
}

TEST(Llama, has_no_query_norms_no_tower_and_names_without_language_model) {
  const ModelConfig c = llama();
  EXPECT_FALSE(c.sees());
  EXPECT_EQ(c.text.head_dim, 6);
  const Shapes shapes = expected_parameters(c);
  EXPECT_EQ(shapes.size(), 3U + 2 * 9);
  EXPECT_TRUE(shapes.contains("model.layers.1.self_attn.o_proj.weight"));
  EXPECT_FALSE(shapes.contains("model.layers.1.self_attn.q_norm.weight"));
  EXPECT_TRUE(expected_parameters(llama(R"(, "attention_bias": true, "mlp_bias": true)"))
                  .contains("model.layers.1.mlp.down_proj.bias"));
}

TEST(Llama, of_janus_pro_the_language_side_alone_is_read) {
  const ModelConfig c = config_from_json(
      io::Json::parse(R"({"model_type": "multi_modality", "vision_config": {}, "language_config":
        {"model_type": "llama", "vocab_size": 32, "hidden_size": 24, "intermediate_size": 40,
         "num_hidden_layers": 1, "num_attention_heads": 4}})"),
      "config.json");
  const Naming naming = checkpoint_naming(c);
  EXPECT_EQ(naming("language_model.model.norm.weight"), "model.norm.weight");
  EXPECT_EQ(naming("vision_model.vision_tower.pos_embed"), "");
  EXPECT_EQ(c.text.num_key_value_heads, 4);
}

TEST(Llama, janus_pro_says_only_where_it_differs_from_the_defaults) {
  const ModelConfig c =
      config_from_json(io::Json::parse(R"({"model_type": "multi_modality", "language_config":
        {"model_type": "llama", "vocab_size": 102400, "num_hidden_layers": 30,
         "max_position_embeddings": 16384, "torch_dtype": "bfloat16"}})"),
                       "config.json");
  EXPECT_EQ(c.text.hidden_size, 4096);
  EXPECT_EQ(c.text.intermediate_size, 11008);
  EXPECT_EQ(c.text.num_attention_heads, 32);
  EXPECT_EQ(c.text.head_dim, 128);
  EXPECT_EQ(c.dtype, "bfloat16");
}

TEST(Llama, of_other_families_what_is_not_built_is_refused) {
  EXPECT_THROW(llama(R"(, "rope_scaling": {"type": "dynamic", "factor": 2.0})"), Error);
  EXPECT_THROW(llama(R"(, "hidden_act": "gelu")"), Error);
  EXPECT_THROW(llama(R"(, "sliding_window": 4096)"), Error);
  EXPECT_NO_THROW(llama(R"(, "sliding_window": 4096, "use_sliding_window": false)"));
}

/// Angle of frequency f at position 1.
double angle(const ModelConfig& c, int64_t f) {
  const Rotary r = rotary_tables(c.text, {{1, 1, 1}});
  return std::atan2(r.sin[0][0][f].item<double>(), r.cos[0][0][f].item<double>());
}

TEST(Rotary, linear_scaling_divides_every_frequency) {
  const ModelConfig c = llama(R"(, "rope_scaling": {"type": "linear", "factor": 4.0})");
  EXPECT_NEAR(angle(c, 0), 1.0 / 4, 1e-6);
  EXPECT_NEAR(angle(c, 1), std::pow(10000, -2.0 / 6) / 4, 1e-6);
}

TEST(Rotary, llama3_leaves_short_waves_slows_long_ones_and_blends_between) {
  // Head size 6: frequencies 1, 0.046416, 0.0021544; waves 6.28, 135.4, 2916 tokens.
  const ModelConfig c = llama(R"(, "rope_scaling": {"rope_type": "llama3", "factor": 8.0,
    "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 256})");
  EXPECT_NEAR(angle(c, 0), 1.0, 1e-6) << "6.28 < 256 / 4";
  EXPECT_NEAR(angle(c, 2), 0.00215443 / 8, 1e-7) << "2916 > 256 / 1";
  const double frequency = std::pow(10000, -2.0 / 6);
  const double smooth = (256 / (2 * std::numbers::pi / frequency) - 1) / (4 - 1);
  EXPECT_NEAR(angle(c, 1), (1 - smooth) * frequency / 8 + smooth * frequency, 1e-6);
}

}  // namespace
}  // namespace unirg::model
