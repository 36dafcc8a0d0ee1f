// SPDX-License-Identifier: Apache-2.0
#include "model/encoder_layer.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/log.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include "base/error.h"
#include "model/dense.h"
#include "model/layers.h"

namespace unirg::model {
namespace {

/// Names below "encoder.layer.I." that differ between families.
struct LayerNames {
  const char *query, *key, *value, *output, *output_norm;
};

LayerNames layer_names(EncoderFamily family) {
  switch (family) {
    case EncoderFamily::bert:
    case EncoderFamily::roberta:
      return {"attention.self.query", "attention.self.key", "attention.self.value",
              "attention.output.dense", "attention.output.LayerNorm"};
    case EncoderFamily::mpnet:
      return {"attention.attn.q", "attention.attn.k", "attention.attn.v", "attention.attn.o",
              "attention.LayerNorm"};
    case EncoderFamily::deberta_v2:
      return {"attention.self.query_proj", "attention.self.key_proj", "attention.self.value_proj",
              "attention.output.dense", "attention.output.LayerNorm"};
  }
  UNIRG_ASSERT(false, "unknown family");
}

/// Behind a dense layer's name: its weight as packed_linear() takes it.
constexpr const char* kPacked = ".packed";

}  // namespace

void add_dense_shapes(Shapes& shapes, const std::string& name, int64_t out, int64_t in) {
  shapes[name + ".weight"] = {out, in};
  shapes[name + ".bias"] = {out};
}

void add_norm_shapes(Shapes& shapes, const std::string& name, int64_t size) {
  shapes[name + ".weight"] = {size};
  shapes[name + ".bias"] = {size};
}

void pack_dense(Parameters& parameters) {
  Parameters packed;
  for (const auto& [name, tensor] : parameters) {
    constexpr std::string_view kWeight = ".weight";
    if (!name.ends_with(kWeight)) continue;
    const std::string layer = name.substr(0, name.size() - kWeight.size());
    if (tensor.dim() != 2 || !parameters.contains(layer + ".bias")) continue;
    if (Tensor weight = packed_weight(tensor); weight.defined())
      packed.emplace(layer + kPacked, std::move(weight));
  }
  parameters.merge(packed);
}

Tensor dense(const Parameters& parameters, const std::string& name, const Tensor& x) {
  const auto packed = parameters.find(name + kPacked);
  if (packed != parameters.end() && !at::GradMode::is_enabled() && x.numel() > 0)
    return packed_linear(x, packed->second, parameter(parameters, name + ".bias"));
  return at::linear(x, parameter(parameters, name + ".weight"),
                    parameter(parameters, name + ".bias"));
}

Tensor norm(const Parameters& parameters, const std::string& name, const Tensor& x, double eps) {
  return layer_norm(x, parameter(parameters, name + ".weight"),
                    parameter(parameters, name + ".bias"), eps);
}

Tensor activate(Activation activation, const Tensor& x) {
  switch (activation) {
    case Activation::gelu:
      return at::gelu(x);
    case Activation::gelu_tanh:
      return at::gelu(x, "tanh");
    case Activation::relu:
      return at::relu(x);
    case Activation::silu:
      return at::silu(x);
    case Activation::tanh:
      return at::tanh(x);
  }
  UNIRG_ASSERT(false, "unknown activation");
}

std::string layer_root(int64_t layer) { return fmt::format("encoder.layer.{}.", layer); }
std::string query_name(EncoderFamily family) { return layer_names(family).query; }
std::string key_name(EncoderFamily family) { return layer_names(family).key; }

void add_layer_shapes(Shapes& shapes, const EncoderConfig& config, int64_t layer) {
  const LayerNames names = layer_names(config.family);
  const std::string root = layer_root(layer);
  const int64_t H = config.hidden_size;
  for (const char* name : {names.query, names.key, names.value, names.output})
    add_dense_shapes(shapes, root + name, H, H);
  add_norm_shapes(shapes, root + names.output_norm, H);
  add_dense_shapes(shapes, root + "intermediate.dense", config.intermediate_size, H);
  add_dense_shapes(shapes, root + "output.dense", H, config.intermediate_size);
  add_norm_shapes(shapes, root + "output.LayerNorm", H);
}

Tensor split_heads(const EncoderConfig& config, const Tensor& x) {
  auto shape = x.sizes().vec();
  shape.back() = config.num_attention_heads;
  shape.push_back(config.head_dim());
  return x.view(shape).transpose(-3, -2);
}

AttentionInputs attention_inputs(const EncoderConfig& config, const Parameters& parameters,
                                 int64_t layer, const Tensor& x) {
  const LayerNames names = layer_names(config.family);
  const std::string root = layer_root(layer);
  const auto heads = [&](const char* name) {
    return split_heads(config, dense(parameters, root + name, x));
  };
  return {heads(names.query), heads(names.key), heads(names.value)};
}

Tensor layer_output(const EncoderConfig& config, const Parameters& parameters, int64_t layer,
                    const Tensor& x, const AttentionInputs& inputs, const Tensor& bias,
                    double scale) {
  const LayerNames names = layer_names(config.family);
  const std::string root = layer_root(layer);
  std::optional<Tensor> mask;
  if (bias.defined()) mask = bias.expand({-1, -1, x.size(1), x.size(1)});  // [B|1, A|1, T, T]
  const Tensor attended =
      at::scaled_dot_product_attention(inputs.q, inputs.k, inputs.v, mask, /*dropout_p=*/0.0,
                                       /*is_causal=*/false, scale)
          .transpose(1, 2)
          .flatten(2, 3);  // [B, T, A*D]
  const Tensor mixed =
      norm(parameters, root + names.output_norm,
           dense(parameters, root + names.output, attended) + x, config.layer_norm_eps);
  const Tensor inner =
      activate(config.hidden_act, dense(parameters, root + "intermediate.dense", mixed));
  return norm(parameters, root + "output.LayerNorm",
              dense(parameters, root + "output.dense", inner) + mixed, config.layer_norm_eps);
}

Tensor token_mask(const TokenBatch& batch, const at::Device& device) {
  const int64_t B = batch.ids.size(0);
  const int64_t T = batch.ids.size(1);
  Tensor mask = at::zeros({B, T, 1}, at::kFloat);
  for (int64_t b = 0; b < B; ++b)
    mask[b].narrow(0, 0, batch.lengths[static_cast<size_t>(b)]).fill_(1);
  return mask.to(device);
}

Tensor key_mask(const TokenBatch& batch, const at::Device& device) {
  const int64_t T = batch.ids.size(1);
  bool is_padded = false;
  for (const int64_t length : batch.lengths) is_padded = is_padded || length < T;
  if (!is_padded) return {};
  return at::log(token_mask(batch, device)).view({-1, 1, 1, T});  // log 1 = 0, log 0 = -inf
}

}  // namespace unirg::model
