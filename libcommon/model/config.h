// Architecture of a Qwen3-VL checkpoint: config.json in both published layouts (transformers 4.57
// and 5.x). Depends on io (JSON). Specification: Qwen3-VL model card and transformers `qwen3_vl`.
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
  bool attention_bias = false;
  bool tie_word_embeddings = false;
};

struct ModelConfig {
  VisionConfig vision;
  TextConfig text;
  int64_t image_token_id = -1;
  int64_t video_token_id = -1;
  int64_t vision_start_token_id = -1;
  int64_t vision_end_token_id = -1;
  int64_t bos_token_id = -1;
  int64_t eos_token_id = -1;
  std::string dtype = "float32";
};

/// \throws Error(Exit::data) naming file and key: missing, ill-typed, or out of the range the
/// architecture allows
ModelConfig load_config(const std::filesystem::path& config_json);
ModelConfig config_from_json(const Json& object, const std::string& file);
/// The 5.x layout, key order fixed.
Json to_json(const ModelConfig& config);

}  // namespace unirg::model
