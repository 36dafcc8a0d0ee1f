// SPDX-License-Identifier: Apache-2.0
#include "model/parameters.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/rng.h"
#include "io/safetensors.h"

namespace unirg::model {
namespace {

using Shapes = std::map<std::string, std::vector<int64_t>>;

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
  const std::string root = "model.visual.";
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

void add_text(Shapes& shapes, const TextConfig& c) {
  const std::string root = "model.language_model.";
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
    add_linear(shapes, layer + "self_attn.o_proj", c.hidden_size, q, c.attention_bias);
    shapes[layer + "self_attn.q_norm.weight"] = {c.head_dim};
    shapes[layer + "self_attn.k_norm.weight"] = {c.head_dim};
    add_linear(shapes, layer + "mlp.gate_proj", c.intermediate_size, c.hidden_size, false);
    add_linear(shapes, layer + "mlp.up_proj", c.intermediate_size, c.hidden_size, false);
    add_linear(shapes, layer + "mlp.down_proj", c.hidden_size, c.intermediate_size, false);
  }
}

/// Older exports lack the leading "model." or the "language_model." level.
std::string modern_name(const std::string& name) {
  if (name.starts_with("visual.") || name.starts_with("language_model.")) return "model." + name;
  for (const char* part : {"layers.", "embed_tokens.", "norm."}) {
    if (name.starts_with(std::string("model.") + part))
      return "model.language_model." + name.substr(6);
  }
  return name;
}

at::ScalarType scalar_type(io::Dtype dtype) {
  switch (dtype) {
    case io::Dtype::f32:
      return at::kFloat;
    case io::Dtype::f16:
      return at::kHalf;
    case io::Dtype::bf16:
      return at::kBFloat16;
    case io::Dtype::i64:
      return at::kLong;
    case io::Dtype::i32:
      return at::kInt;
    case io::Dtype::u8:
      return at::kByte;
    case io::Dtype::boolean:
      return at::kBool;
  }
  UNIRG_ASSERT(false, "unknown dtype");
}

io::Dtype file_dtype(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return io::Dtype::f32;
    case at::kHalf:
      return io::Dtype::f16;
    case at::kBFloat16:
      return io::Dtype::bf16;
    case at::kLong:
      return io::Dtype::i64;
    case at::kInt:
      return io::Dtype::i32;
    case at::kByte:
      return io::Dtype::u8;
    case at::kBool:
      return io::Dtype::boolean;
    default:
      UNIRG_ASSERT(false, "dtype has no safetensors name");
  }
}

/// A tensor over mapped bytes; valid only while the file is mapped.
Tensor view_tensor(const io::TensorView& view) {
  // from_blob takes a mutable pointer, the map is read-only: every caller copies before it writes.
  return at::from_blob(const_cast<char*>(view.bytes.data()), view.shape,
                       at::TensorOptions().dtype(scalar_type(view.dtype)));
}

std::string joined(const std::vector<std::string>& names) {
  constexpr size_t kShown = 20;
  const std::vector<std::string> shown(
      names.begin(), names.begin() + static_cast<std::ptrdiff_t>(std::min(kShown, names.size())));
  const std::string more =
      names.size() > kShown ? fmt::format(" and {} more", names.size() - kShown) : "";
  return fmt::format("{}{}", fmt::join(shown, ", "), more);
}

}  // namespace

std::map<std::string, std::vector<int64_t>> expected_parameters(const ModelConfig& config) {
  Shapes shapes;
  add_vision(shapes, config.vision);
  add_text(shapes, config.text);
  return shapes;
}

Parameters load_parameters(const std::filesystem::path& folder, const ModelConfig& config,
                           at::ScalarType dtype, const at::Device& device) {
  const io::SafetensorsFolder files(folder);
  Shapes expected = expected_parameters(config);
  Parameters parameters;
  std::vector<std::string> extra;
  std::vector<std::string> misshaped;
  for (const auto& [file_name, view] : files.tensors()) {
    if (file_name.ends_with(".rotary_emb.inv_freq")) continue;
    const std::string name = modern_name(file_name);
    if (name == "lm_head.weight" && config.text.tie_word_embeddings)
      continue;  // tied exports may keep a copy
    const auto it = expected.find(name);
    if (it == expected.end()) {
      extra.push_back(file_name);
      continue;
    }
    if (it->second != view.shape) {
      misshaped.push_back(fmt::format("{} [{}] instead of [{}]", name, fmt::join(view.shape, ","),
                                      fmt::join(it->second, ",")));
    } else {
      parameters[name] = view_tensor(view).to(at::TensorOptions().dtype(dtype).device(device),
                                              /*non_blocking=*/false, /*copy=*/true);
    }
    expected.erase(it);
  }
  std::string problems;
  std::vector<std::string> missing;
  for (const auto& [name, shape] : expected) missing.push_back(name);
  if (!missing.empty()) problems += "; missing tensors: " + joined(missing);
  if (!extra.empty()) problems += "; unknown tensors: " + joined(extra);
  if (!misshaped.empty()) problems += "; ill-shaped tensors: " + joined(misshaped);
  if (!problems.empty()) {
    throw Error(Exit::data, fmt::format("checkpoint '{}' does not fit its config.json{}",
                                        folder.string(), problems));
  }
  return parameters;
}

Parameters random_parameters(const ModelConfig& config, uint64_t seed, double std) {
  Parameters parameters;
  for (const auto& [name, shape] : expected_parameters(config)) {
    const bool is_norm = name.find("norm") != std::string::npos && name.ends_with(".weight");
    if (is_norm) {
      parameters[name] = at::full(shape, 1.0, at::kFloat);
      continue;
    }
    Tensor tensor = at::zeros(shape, at::kFloat);
    if (!name.ends_with(".bias")) {
      Rng rng(seed, "init", name);
      float* values = tensor.mutable_data_ptr<float>();
      for (int64_t i = 0; i < tensor.numel(); ++i)
        values[i] = static_cast<float>(rng.normal(0, std));
    }
    parameters[name] = tensor;
  }
  return parameters;
}

std::string save_tensors(const std::filesystem::path& file, const Parameters& tensors) {
  std::map<std::string, io::TensorView> views;
  std::vector<Tensor> kept;  // contiguous CPU copies stay alive until written
  for (const auto& [name, tensor] : tensors) {
    kept.push_back(tensor.detach().to(at::kCPU).contiguous());
    const Tensor& t = kept.back();
    views[name] = {file_dtype(t.scalar_type()),
                   t.sizes().vec(),
                   {static_cast<const char*>(t.const_data_ptr()), static_cast<size_t>(t.nbytes())}};
  }
  return io::write_safetensors(file, views);
}

std::string save_parameters(const std::filesystem::path& folder, const Parameters& parameters) {
  return save_tensors(folder / "model.safetensors", parameters);
}

Parameters load_tensors(const std::filesystem::path& file) {
  const io::SafetensorsFile mapped(file);
  Parameters tensors;
  for (const auto& [name, view] : mapped.tensors()) tensors[name] = view_tensor(view).clone();
  return tensors;
}

const Tensor& parameter(const Parameters& parameters, const std::string& name) {
  const auto it = parameters.find(name);
  if (it == parameters.end()) throw std::logic_error("unknown parameter " + name);
  return it->second;
}

int64_t count_values(const Parameters& parameters) {
  int64_t total = 0;
  for (const auto& [name, tensor] : parameters) total += tensor.numel();
  return total;
}

}  // namespace unirg::model
