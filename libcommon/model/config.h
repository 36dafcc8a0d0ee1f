// Architecture of a checkpoint that writes text: config.json of Qwen3-VL in both published layouts
// (transformers 4.57 and 5.x), and of text-only decoders of the same family tree (Llama, Mistral,
// Qwen2, Qwen3, the language side of Janus-Pro), which are the same layers with switches. Depends
// on io (JSON). Specification: transformers `qwen3_vl`, `llama`, `qwen2`, `qwen3`.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "io/jsonl.h"

namespace unirg::model {

using io::Json;

struct VisionConfig {
  int64_t depth = 27;
  int64_t hidden_size = 1152;
  int64_t intermediate_size = 4304;
  int64_t num_heads = 16;
  int64_t in_channels = 3;
  int64_t patch_size = 16;
  int64_t temporal_patch_size = 2;
  int64_t spatial_merge_size = 2;
  int64_t num_position_embeddings = 2304;  ///< a square; the table is interpolated
  int64_t out_hidden_size = 3584;
  std::vector<int64_t> deepstack_visual_indexes{8, 16, 24};  ///< blocks whose output is taken
  double rope_theta = 10000;

  [[nodiscard]] int64_t head_dim() const { return hidden_size / num_heads; }
  /// Floats of one patch row: channels x time x rows x columns.
  [[nodiscard]] int64_t patch_values() const {
    return in_channels * temporal_patch_size * patch_size * patch_size;
  }
  /// Patches merged into one token.
  [[nodiscard]] int64_t merged_patches() const { return spatial_merge_size * spatial_merge_size; }
};

/// Change of the rotary frequencies for contexts longer than those of pre-training.
struct RopeScaling {
  std::string type = "default";  ///< default, linear, llama3
  double factor = 1;
  double low_freq_factor = 1;   ///< llama3: waves longer than original / low are slowed by factor
  double high_freq_factor = 4;  ///< llama3: waves shorter than original / high are left as they are
  int64_t original_max_position_embeddings = 8192;
};

struct TextConfig {
  int64_t vocab_size = 151936;
  int64_t hidden_size = 4096;
  int64_t intermediate_size = 22016;
  int64_t num_hidden_layers = 32;
  int64_t num_attention_heads = 32;
  int64_t num_key_value_heads = 32;
  int64_t head_dim = 128;
  int64_t max_position_embeddings = 128000;
  double rms_norm_eps = 1e-6;
  double rope_theta = 500000;
  std::vector<int64_t> mrope_section{24, 20, 20};  ///< frequencies of (time, height, width)
  RopeScaling rope_scaling = {};
  bool attention_bias = false;  ///< biases of the query, key and value projections
  bool output_bias = false;     ///< bias of the attention's output projection
  bool mlp_bias = false;        ///< biases of the feed-forward layers
  bool qk_norm = true;          ///< RMSNorm of queries and keys per head
  bool tie_word_embeddings = false;
};

struct ModelConfig {
  std::string model_type = "qwen3_vl";
  VisionConfig vision;  ///< depth 0 in text-only models
  TextConfig text;
  int64_t image_token_id = -1;
  int64_t video_token_id = -1;
  int64_t vision_start_token_id = -1;
  int64_t vision_end_token_id = -1;
  int64_t bos_token_id = -1;
  int64_t eos_token_id = -1;
  std::string dtype = "float32";

  /// Whether there is a vision tower.
  [[nodiscard]] bool sees() const { return vision.depth > 0; }
};

/// \throws Error(Exit::data) naming file and key: missing, ill-typed, or out of the range the
/// architecture allows
ModelConfig load_config(const std::filesystem::path& config_json);
ModelConfig config_from_json(const Json& object, const std::string& file);
/// The 5.x layout, key order fixed.
Json to_json(const ModelConfig& config);

}  // namespace unirg::model
