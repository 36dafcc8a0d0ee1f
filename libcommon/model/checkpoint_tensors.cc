// SPDX-License-Identifier: Apache-2.0
#include "model/checkpoint_tensors.h"

#include <fmt/format.h>

namespace unirg::model {
namespace {

void add_norm(Shapes& shapes, const std::string& name, int64_t size) {
  shapes[name + ".weight"] = {size};
  shapes[name + ".bias"] = {size};
}

void add_linear(Shapes& shapes, const std::string& name, int64_t out, int64_t in, bool bias) {
  shapes[name + ".weight"] = {out, in};
  if (bias) shapes[name + ".bias"] = {out};
}

void add_merger(Shapes& shapes, const std::string& name, const VisionConfig& c, int64_t norm_size) {
  const int64_t merged = c.merged_patches() * c.hidden_size;
  add_norm(shapes, name + ".norm", norm_size);
  add_linear(shapes, name + ".linear_fc1", merged, merged, true);
  add_linear(shapes, name + ".linear_fc2", c.out_hidden_size, merged, true);
}

void add_vision(Shapes& shapes, const VisionConfig& c) {
  const std::string root = kVisionRoot;
  shapes[root + "patch_embed.proj.weight"] = {c.hidden_size, c.in_channels, c.temporal_patch_size,
                                              c.patch_size, c.patch_size};
  shapes[root + "patch_embed.proj.bias"] = {c.hidden_size};
  shapes[root + "pos_embed.weight"] = {c.num_position_embeddings, c.hidden_size};
  for (int64_t i = 0; i < c.depth; ++i) {
    const std::string block = fmt::format("{}blocks.{}.", root, i);
    add_norm(shapes, block + "norm1", c.hidden_size);
    add_norm(shapes, block + "norm2", c.hidden_size);
    add_linear(shapes, block + "attn.qkv", 3 * c.hidden_size, c.hidden_size, true);
    add_linear(shapes, block + "attn.proj", c.hidden_size, c.hidden_size, true);
    add_linear(shapes, block + "mlp.linear_fc1", c.intermediate_size, c.hidden_size, true);
    add_linear(shapes, block + "mlp.linear_fc2", c.hidden_size, c.intermediate_size, true);
  }
  add_merger(shapes, root + "merger", c, c.hidden_size);
  for (size_t j = 0; j < c.deepstack_visual_indexes.size(); ++j) {
    add_merger(shapes, fmt::format("{}deepstack_merger_list.{}", root, j), c,
               c.merged_patches() * c.hidden_size);
  }
}

void add_text(Shapes& shapes, const TextConfig& c, const std::string& root) {
  shapes[root + "embed_tokens.weight"] = {c.vocab_size, c.hidden_size};
  shapes[root + "norm.weight"] = {c.hidden_size};
  if (!c.tie_word_embeddings) shapes["lm_head.weight"] = {c.vocab_size, c.hidden_size};
  const int64_t q = c.num_attention_heads * c.head_dim;
  const int64_t kv = c.num_key_value_heads * c.head_dim;
  for (int64_t i = 0; i < c.num_hidden_layers; ++i) {
    const std::string layer = fmt::format("{}layers.{}.", root, i);
    shapes[layer + "input_layernorm.weight"] = {c.hidden_size};
    shapes[layer + "post_attention_layernorm.weight"] = {c.hidden_size};
    add_linear(shapes, layer + "self_attn.q_proj", q, c.hidden_size, c.attention_bias);
    add_linear(shapes, layer + "self_attn.k_proj", kv, c.hidden_size, c.attention_bias);
    add_linear(shapes, layer + "self_attn.v_proj", kv, c.hidden_size, c.attention_bias);
    add_linear(shapes, layer + "self_attn.o_proj", c.hidden_size, q, c.output_bias);
    if (c.qk_norm) {
      shapes[layer + "self_attn.q_norm.weight"] = {c.head_dim};
      shapes[layer + "self_attn.k_norm.weight"] = {c.head_dim};
    }
    add_linear(shapes, layer + "mlp.gate_proj", c.intermediate_size, c.hidden_size, c.mlp_bias);
    add_linear(shapes, layer + "mlp.up_proj", c.intermediate_size, c.hidden_size, c.mlp_bias);
    add_linear(shapes, layer + "mlp.down_proj", c.hidden_size, c.intermediate_size, c.mlp_bias);
  }
}

/// Older exports of Qwen3-VL lack the leading "model." or the "language_model." level.
std::string modern_name(const std::string& name) {
  if (name.starts_with("visual.") || name.starts_with("language_model.")) return "model." + name;
  for (const char* part : {"layers.", "embed_tokens.", "norm."}) {
    if (name.starts_with(std::string("model.") + part))
      return "model.language_model." + name.substr(6);
  }
  return name;
}

/// Janus-Pro keeps its decoder under "language_model."; the rest makes and reads pictures.
std::string language_side(const std::string& name) {
  constexpr std::string_view kPrefix = "language_model.";
  return name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : "";
}

}  // namespace

std::string text_root(const ModelConfig& config) {
  return config.sees() ? "model.language_model." : "model.";
}

Shapes expected_parameters(const ModelConfig& config) {
  Shapes shapes;
  if (config.sees()) add_vision(shapes, config.vision);
  add_text(shapes, config.text, text_root(config));
  return shapes;
}

Naming checkpoint_naming(const ModelConfig& config) {
  const bool tied = config.text.tie_word_embeddings;
  const bool sees = config.sees();
  const bool wrapped = config.model_type == "multi_modality";
  return [tied, sees, wrapped](const std::string& file_name) -> std::string {
    if (file_name.ends_with(".rotary_emb.inv_freq")) return "";
    const std::string name = wrapped ? language_side(file_name)
                             : sees  ? modern_name(file_name)
                                     : file_name;
    return tied && name == "lm_head.weight" ? "" : name;  // tied exports may keep a copy
  };
}

Parameters load_checkpoint(const std::filesystem::path& folder, const ModelConfig& config,
                           const Placement& placement) {
  return load_parameters(folder, expected_parameters(config), checkpoint_naming(config), placement);
}

}  // namespace unirg::model
