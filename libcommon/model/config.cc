// SPDX-License-Identifier: Apache-2.0
#include "model/config.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "model/config_keys.h"

namespace unirg::model {
namespace {

/// Of channels, and of the sides of a patch, its frames, and of a merged block.
constexpr int64_t kMostPixels = 256;

VisionConfig read_vision(const Keys& keys) {
  VisionConfig c;
  c.depth = keys.positive("depth");
  if (c.depth > kMostLayers) keys.fail("key 'depth': too large");
  c.hidden_size = keys.positive("hidden_size");
  c.intermediate_size = keys.positive("intermediate_size");
  c.num_heads = keys.positive("num_heads");
  c.in_channels = keys.positive("in_channels", c.in_channels, kMostPixels);
  c.patch_size = keys.positive("patch_size", c.patch_size, kMostPixels);
  c.temporal_patch_size = keys.positive("temporal_patch_size", c.temporal_patch_size, kMostPixels);
  c.spatial_merge_size = keys.positive("spatial_merge_size", c.spatial_merge_size, kMostPixels);
  c.num_position_embeddings = keys.positive("num_position_embeddings", c.num_position_embeddings);
  c.out_hidden_size = keys.positive("out_hidden_size");
  c.deepstack_visual_indexes =
      keys.integers("deepstack_visual_indexes", c.deepstack_visual_indexes);
  const std::string activation = keys.string("hidden_act", "gelu_pytorch_tanh");
  if (activation != "gelu_pytorch_tanh")
    keys.fail(fmt::format("key 'hidden_act': '{}' is not supported (hint: gelu_pytorch_tanh)",
                          activation));
  if (keys.has("rope_parameters"))
    c.rope_theta = keys.child("rope_parameters").number("rope_theta", c.rope_theta);
  const auto side =
      static_cast<int64_t>(std::llround(std::sqrt(static_cast<double>(c.num_position_embeddings))));
  if (side < 1 || side * side != c.num_position_embeddings)
    keys.fail("key 'num_position_embeddings': must be a square");
  if (c.hidden_size % c.num_heads != 0 || c.head_dim() % 4 != 0) {
    keys.fail("key 'hidden_size': must be a multiple of 4 x num_heads");
  }
  for (const int64_t index : c.deepstack_visual_indexes) {
    if (index < 0 || index >= c.depth)
      keys.fail("key 'deepstack_visual_indexes': index out of range");
  }
  return c;
}

/// What an architecture's text tower is before config.json speaks: transformers' class defaults.
TextConfig text_defaults(const std::string& model_type) {
  TextConfig c;
  if (model_type == "qwen3_vl") return c;
  c.rope_theta = 10000;
  c.qk_norm = model_type == "qwen3";
  c.attention_bias = model_type == "qwen2";   // always, and config.json does not say so
  if (model_type != "qwen3") c.head_dim = 0;  // hidden_size / heads unless given
  if (model_type == "llama") {
    c.vocab_size = 32000;
    c.intermediate_size = 11008;
  }
  return c;
}

void read_rope(const Keys& keys, TextConfig& c) {
  c.rope_theta = keys.number("rope_theta", c.rope_theta);
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    if (!keys.has(key)) continue;
    const Keys rope = keys.child(key);
    RopeScaling& scaling = c.rope_scaling;
    c.rope_theta = rope.number("rope_theta", c.rope_theta);
    c.mrope_section = rope.integers("mrope_section", c.mrope_section);
    scaling.type = rope.string("type", scaling.type);  // the older spelling
    scaling.type = rope.string("rope_type", scaling.type);
    scaling.factor = rope.number("factor", scaling.factor);
    scaling.low_freq_factor = rope.number("low_freq_factor", scaling.low_freq_factor);
    scaling.high_freq_factor = rope.number("high_freq_factor", scaling.high_freq_factor);
    scaling.original_max_position_embeddings =
        rope.positive("original_max_position_embeddings", scaling.original_max_position_embeddings);
    if (scaling.type == "mrope") scaling.type = "default";
    if (scaling.type != "default" && scaling.type != "linear" && scaling.type != "llama3") {
      rope.fail(fmt::format(
          "rope type '{}' is not supported (hint: default, linear and llama3 are)", scaling.type));
    }
    if (!(scaling.factor >= 1)) rope.fail("key 'factor': must be at least 1");
    if (!(scaling.high_freq_factor > scaling.low_freq_factor && scaling.low_freq_factor > 0))
      rope.fail("key 'high_freq_factor': must be above low_freq_factor, which is above 0");
  }
  if (c.mrope_section.size() != 3) keys.fail("key 'mrope_section': expected three numbers");
  for (const int64_t n : c.mrope_section)
    if (n < 0 || n > kLargestSize) keys.fail("key 'mrope_section': out of range");
}

/// Only full attention is built: a window that would hide tokens is refused.
void check_window(const Keys& keys) {
  const bool uses_window = keys.boolean("use_sliding_window", true);
  if (uses_window && keys.has("sliding_window"))
    keys.fail("key 'sliding_window': windowed attention is not supported");
}

/// \param sizes_required false: Janus-Pro says only where it differs from the class's defaults
TextConfig read_text(const Keys& keys, const std::string& model_type, bool sizes_required) {
  TextConfig c = text_defaults(model_type);
  const auto size = [&](const char* key, int64_t otherwise) {
    return sizes_required ? keys.positive(key) : keys.positive(key, otherwise);
  };
  c.vocab_size = size("vocab_size", c.vocab_size);
  c.hidden_size = size("hidden_size", c.hidden_size);
  c.intermediate_size = size("intermediate_size", c.intermediate_size);
  c.num_hidden_layers = size("num_hidden_layers", c.num_hidden_layers);
  if (c.num_hidden_layers > kMostLayers) keys.fail("key 'num_hidden_layers': too large");
  c.num_attention_heads = size("num_attention_heads", c.num_attention_heads);
  c.num_key_value_heads = keys.positive("num_key_value_heads", c.num_attention_heads);
  c.head_dim = keys.positive("head_dim", c.head_dim);
  c.max_position_embeddings = keys.positive("max_position_embeddings", c.max_position_embeddings);
  c.rms_norm_eps = keys.number("rms_norm_eps", c.rms_norm_eps);
  if (model_type != "qwen2") {
    c.attention_bias = keys.boolean("attention_bias", c.attention_bias);
    c.output_bias = c.attention_bias;
  }
  c.mlp_bias = keys.boolean("mlp_bias", c.mlp_bias);
  c.tie_word_embeddings = keys.boolean("tie_word_embeddings", c.tie_word_embeddings);
  const std::string activation = keys.string("hidden_act", "silu");
  if (activation != "silu")
    keys.fail(fmt::format("key 'hidden_act': '{}' is not supported (hint: silu)", activation));
  read_rope(keys, c);
  check_window(keys);
  if (c.num_key_value_heads < 1 || c.num_attention_heads % c.num_key_value_heads != 0) {
    keys.fail("key 'num_key_value_heads': must divide num_attention_heads");
  }
  if (!(c.rms_norm_eps > 0)) keys.fail("key 'rms_norm_eps': must be above 0");
  if (!(c.rope_theta > 0)) keys.fail("key 'rope_theta': must be above 0");
  if (c.head_dim == 0) c.head_dim = c.hidden_size / c.num_attention_heads;
  if (c.head_dim < 2 || c.head_dim % 2 != 0) keys.fail("key 'head_dim': must be even");
  return c;
}

bool is_text_only(const std::string& model_type) {
  return model_type == "llama" || model_type == "mistral" || model_type == "qwen2" ||
         model_type == "qwen3";
}

void read_text_side(const Keys& keys, const std::string& model_type, ModelConfig& config) {
  config.text = read_text(keys, model_type, config.model_type != "multi_modality");
  config.bos_token_id = keys.integer("bos_token_id", config.bos_token_id);
  if (!keys.is_list("eos_token_id"))
    config.eos_token_id = keys.integer("eos_token_id", config.eos_token_id);
}

void read_image_tokens(const Keys& keys, ModelConfig& config) {
  config.image_token_id = keys.integer("image_token_id");
  config.video_token_id = keys.integer("video_token_id", config.video_token_id);
  config.vision_start_token_id = keys.integer("vision_start_token_id");
  config.vision_end_token_id = keys.integer("vision_end_token_id");
  if (config.vision.out_hidden_size != config.text.hidden_size)
    keys.fail("vision_config.out_hidden_size must equal text_config.hidden_size");
}

}  // namespace

ModelConfig config_from_json(const Json& object, const std::string& file) {
  const Keys keys(object, file);
  if (!object.is_object()) keys.fail("not a JSON object");
  ModelConfig config;
  const auto type = io::Fields(object).string("model_type");
  if (!type) keys.fail(type.error().reason);
  config.model_type = *type;
  if (*type == "qwen3_vl") {
    config.vision = read_vision(keys.child("vision_config"));
    read_text_side(keys.child("text_config"), *type, config);
    config.text.tie_word_embeddings =
        keys.boolean("tie_word_embeddings", config.text.tie_word_embeddings);  // the top level wins
    read_image_tokens(keys, config);
  } else {
    config.vision.depth = 0;
    const bool wrapped = *type == "multi_modality";  // Janus-Pro
    const Keys text = wrapped ? keys.child("language_config") : keys;
    std::string text_type = *type;
    if (wrapped) text_type = "llama";
    if (!is_text_only(text_type))
      keys.fail(
          fmt::format("model_type '{}' is not supported (hint: qwen3_vl, or text-only "
                      "llama, mistral, qwen2, qwen3)",
                      *type));
    read_text_side(text, text_type, config);
  }
  for (const char* part : {"language_config", "text_config", ""}) {  // the top level wins
    const Keys level = *part == 0 ? keys : keys.has(part) ? keys.child(part) : keys;
    for (const char* key : {"torch_dtype", "dtype"}) config.dtype = level.string(key, config.dtype);
  }
  return config;
}

ModelConfig load_config(const std::filesystem::path& config_json) {
  return config_from_json(read_json_object(config_json), config_json.string());
}

Json to_json(const ModelConfig& c) {
  const VisionConfig& v = c.vision;
  const TextConfig& t = c.text;
  return {{"architectures", {"Qwen3VLForConditionalGeneration"}},
          {"dtype", c.dtype},
          {"image_token_id", c.image_token_id},
          {"model_type", "qwen3_vl"},
          {"text_config",
           {{"attention_bias", t.attention_bias},
            {"attention_dropout", 0.0},
            {"bos_token_id", c.bos_token_id},
            {"dtype", c.dtype},
            {"eos_token_id", c.eos_token_id},
            {"head_dim", t.head_dim},
            {"hidden_act", "silu"},
            {"hidden_size", t.hidden_size},
            {"initializer_range", 0.02},
            {"intermediate_size", t.intermediate_size},
            {"max_position_embeddings", t.max_position_embeddings},
            {"model_type", "qwen3_vl_text"},
            {"num_attention_heads", t.num_attention_heads},
            {"num_hidden_layers", t.num_hidden_layers},
            {"num_key_value_heads", t.num_key_value_heads},
            {"rms_norm_eps", t.rms_norm_eps},
            {"rope_parameters",
             {{"mrope_interleaved", true},
              {"mrope_section", t.mrope_section},
              {"rope_theta", t.rope_theta},
              {"rope_type", "default"}}},
            {"rope_scaling",
             {{"mrope_interleaved", true},
              {"mrope_section", t.mrope_section},
              {"rope_type", "default"}}},
            {"rope_theta", t.rope_theta},
            {"tie_word_embeddings", t.tie_word_embeddings},
            {"use_cache", true},
            {"vocab_size", t.vocab_size}}},
          {"tie_word_embeddings", t.tie_word_embeddings},
          {"video_token_id", c.video_token_id},
          {"vision_config",
           {{"deepstack_visual_indexes", v.deepstack_visual_indexes},
            {"depth", v.depth},
            {"hidden_act", "gelu_pytorch_tanh"},
            {"hidden_size", v.hidden_size},
            {"in_channels", v.in_channels},
            {"initializer_range", 0.02},
            {"intermediate_size", v.intermediate_size},
            {"model_type", "qwen3_vl"},
            {"num_heads", v.num_heads},
            {"num_position_embeddings", v.num_position_embeddings},
            {"out_hidden_size", v.out_hidden_size},
            {"patch_size", v.patch_size},
            {"spatial_merge_size", v.spatial_merge_size},
            {"temporal_patch_size", v.temporal_patch_size}}},
          {"vision_end_token_id", c.vision_end_token_id},
          {"vision_start_token_id", c.vision_start_token_id}};
}

}  // namespace unirg::model
