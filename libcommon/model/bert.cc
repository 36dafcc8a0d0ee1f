// SPDX-License-Identifier: Apache-2.0
#include "model/bert.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>

#include "model/encoder_positions.h"

namespace unirg::model {
namespace {

constexpr const char* kWords = "embeddings.word_embeddings.weight";
constexpr const char* kPositions = "embeddings.position_embeddings.weight";
constexpr const char* kTypes = "embeddings.token_type_embeddings.weight";
constexpr const char* kDistances = "encoder.relative_attention_bias.weight";

/// [T] for BERT, [B, T] for the families that count tokens.
Tensor positions(const EncoderConfig& config, const Tensor& ids) {
  if (config.family == EncoderFamily::bert)
    return at::arange(ids.size(1), at::TensorOptions().dtype(at::kLong).device(ids.device()));
  return counted_positions(ids, config.pad_token_id);
}

Tensor embed(const EncoderConfig& config, const Parameters& p, const TokenBatch& batch) {
  const at::Device device = parameter(p, kWords).device();
  const Tensor ids = batch.ids.to(device);
  Tensor x = at::embedding(parameter(p, kWords), ids);  // [B, T, H]
  if (config.type_vocab_size > 0) {
    const Tensor types = batch.types.defined() ? batch.types.to(device) : at::zeros_like(ids);
    x = x + at::embedding(parameter(p, kTypes), types);
  }
  x = x + at::embedding(parameter(p, kPositions), positions(config, ids));
  return norm(p, "embeddings.LayerNorm", x, config.layer_norm_eps);
}

/// What every layer adds to its scores: padding, and MPNet's bias by distance.
Tensor score_bias(const EncoderConfig& config, const Parameters& p, const TokenBatch& batch) {
  const at::Device device = parameter(p, kWords).device();
  const Tensor mask = key_mask(batch, device);
  if (config.family != EncoderFamily::mpnet) return mask;
  const Tensor buckets = mpnet_buckets(-distances(batch.ids.size(1), device));  // key - query
  const Tensor bias = at::embedding(parameter(p, kDistances), buckets)
                          .permute({2, 0, 1})
                          .unsqueeze(0);  // [1,A,T,T]
  return mask.defined() ? bias + mask : bias;
}

}  // namespace

Shapes bert_shapes(const EncoderConfig& config) {
  const int64_t H = config.hidden_size;
  Shapes shapes{{kWords, {config.vocab_size, H}},
                {kPositions, {config.max_position_embeddings, H}}};
  if (config.type_vocab_size > 0) shapes[kTypes] = {config.type_vocab_size, H};
  add_norm_shapes(shapes, "embeddings.LayerNorm", H);
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) add_layer_shapes(shapes, config, i);
  if (config.family == EncoderFamily::mpnet)
    shapes[kDistances] = {config.relative_attention_num_buckets, config.num_attention_heads};
  return shapes;
}

std::vector<Tensor> bert_hidden(const EncoderConfig& config, const Parameters& parameters,
                                const TokenBatch& batch, int64_t layers) {
  const Tensor bias = score_bias(config, parameters, batch);
  const double scale = 1.0 / std::sqrt(static_cast<double>(config.head_dim()));
  std::vector<Tensor> hidden{embed(config, parameters, batch)};
  for (int64_t i = 0; i < layers; ++i) {
    const Tensor& x = hidden.back();
    const AttentionInputs inputs = attention_inputs(config, parameters, i, x);
    hidden.push_back(layer_output(config, parameters, i, x, inputs, bias, scale));
  }
  return hidden;
}

}  // namespace unirg::model
