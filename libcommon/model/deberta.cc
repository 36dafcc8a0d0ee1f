// SPDX-License-Identifier: Apache-2.0
#include "model/deberta.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/conv1d.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>

#include "model/encoder_positions.h"

namespace unirg::model {
namespace {

constexpr const char* kWords = "embeddings.word_embeddings.weight";
constexpr const char* kPositions = "embeddings.position_embeddings.weight";
constexpr const char* kTypes = "embeddings.token_type_embeddings.weight";
constexpr const char* kProjection = "embeddings.embed_proj.weight";
constexpr const char* kRelative = "encoder.rel_embeddings.weight";
constexpr const char* kPositionKey = "attention.self.pos_key_proj";
constexpr const char* kPositionQuery = "attention.self.pos_query_proj";

/// What all layers share: where tokens stand to each other, and which are there.
struct Geometry {
  Tensor rows;      ///< [T, T] int64: row of the position table for query i, key j
  Tensor table;     ///< [2S, H] float32, normed where the checkpoint says so
  Tensor mask;      ///< key_mask()
  Tensor is_token;  ///< [B, T, 1] float32
};

Tensor embed(const EncoderConfig& config, const Parameters& p, const TokenBatch& batch,
             const Tensor& is_token) {
  const at::Device device = parameter(p, kWords).device();
  const Tensor ids = batch.ids.to(device);
  Tensor x = at::embedding(parameter(p, kWords), ids);  // [B, T, E]
  if (config.deberta.position_biased_input) {
    const Tensor places = at::arange(ids.size(1), ids.options());
    x = x + at::embedding(parameter(p, kPositions), places);
  }
  if (config.type_vocab_size > 0) {
    const Tensor types = batch.types.defined() ? batch.types.to(device) : at::zeros_like(ids);
    x = x + at::embedding(parameter(p, kTypes), types);
  }
  if (config.deberta.embedding_size != config.hidden_size)
    x = at::linear(x, parameter(p, kProjection));  // [B, T, H]
  return norm(p, "embeddings.LayerNorm", x, config.layer_norm_eps) * is_token;
}

Geometry make_geometry(const EncoderConfig& config, const Parameters& p, const TokenBatch& batch) {
  const DebertaConfig& d = config.deberta;
  const at::Device device = parameter(p, kWords).device();
  Geometry g;
  g.mask = key_mask(batch, device);
  g.is_token = token_mask(batch, device);
  if (!d.relative_attention) return g;
  Tensor relative = distances(batch.ids.size(1), device);
  if (d.position_buckets > 0)
    relative = deberta_buckets(relative, d.position_buckets, d.max_relative_positions);
  g.rows = at::clamp(relative + d.span(), 0, 2 * d.span() - 1);
  g.table = parameter(p, kRelative);
  if (d.norm_rel_ebd) g.table = norm(p, "encoder.LayerNorm", g.table, config.layer_norm_eps);
  return g;
}

/// Heads of the position table under one projection. \returns [A, 2S, D]
Tensor table_heads(const EncoderConfig& config, const Parameters& p, const Geometry& g,
                   const std::string& name) {
  return split_heads(config, dense(p, name, g.table));
}

/// (q_i . pk[d(i,j)] + k_j . pq[d(i,j)]) * scale, plus padding. The source indexes the second term
/// by -d(j,i), which is d(i,j). \returns [B, A, T, T], or the mask alone
Tensor score_bias(const EncoderConfig& config, const Parameters& p, int64_t layer,
                  const AttentionInputs& inputs, const Geometry& g, double scale) {
  const DebertaConfig& d = config.deberta;
  if (!d.relative_attention || !(d.c2p || d.p2c)) return g.mask;
  const std::string root = layer_root(layer);
  const int64_t T = inputs.q.size(2);
  const Tensor rows = g.rows.view({1, 1, T, T}).expand({inputs.q.size(0), inputs.q.size(1), T, T});
  Tensor bias;
  if (d.c2p) {
    const std::string name = d.share_att_key ? key_name(config.family) : kPositionKey;
    const Tensor keys = table_heads(config, p, g, root + name);
    bias = at::gather(at::matmul(inputs.q, keys.transpose(-1, -2)), -1, rows);
  }
  if (d.p2c) {
    const std::string name = d.share_att_key ? query_name(config.family) : kPositionQuery;
    const Tensor queries = table_heads(config, p, g, root + name);
    // Row j of the product belongs to key j, so the index is gathered transposed.
    const Tensor by_key =
        at::gather(at::matmul(inputs.k, queries.transpose(-1, -2)), -1, rows.transpose(-1, -2));
    const Tensor by_query = by_key.transpose(-1, -2);
    bias = bias.defined() ? bias + by_query : by_query;
  }
  bias = bias * scale;
  return g.mask.defined() ? bias + g.mask : bias;
}

/// Layer 0's output with the convolution of the embeddings added.
Tensor add_convolution(const EncoderConfig& config, const Parameters& p, const Tensor& embedded,
                       const Tensor& x, const Tensor& is_token) {
  const DebertaConfig& d = config.deberta;
  const Tensor convolved =
      at::conv1d(embedded.transpose(1, 2), parameter(p, "encoder.conv.conv.weight"),
                 parameter(p, "encoder.conv.conv.bias"), /*stride=*/1,
                 /*padding=*/(d.conv_kernel_size - 1) / 2, /*dilation=*/1, d.conv_groups)
          .transpose(1, 2);  // [B, T, H]
  const Tensor sum = x + activate(d.conv_act, convolved * is_token);
  return norm(p, "encoder.conv.LayerNorm", sum, config.layer_norm_eps) * is_token;
}

}  // namespace

Shapes deberta_shapes(const EncoderConfig& config) {
  const DebertaConfig& d = config.deberta;
  const int64_t H = config.hidden_size;
  Shapes shapes{{kWords, {config.vocab_size, d.embedding_size}}};
  if (d.position_biased_input)
    shapes[kPositions] = {config.max_position_embeddings, d.embedding_size};
  if (config.type_vocab_size > 0) shapes[kTypes] = {config.type_vocab_size, d.embedding_size};
  if (d.embedding_size != H) shapes[kProjection] = {H, d.embedding_size};
  add_norm_shapes(shapes, "embeddings.LayerNorm", H);
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
    add_layer_shapes(shapes, config, i);
    if (!d.relative_attention || d.share_att_key) continue;
    if (d.c2p) add_dense_shapes(shapes, layer_root(i) + kPositionKey, H, H);
    if (d.p2c) add_dense_shapes(shapes, layer_root(i) + kPositionQuery, H, H);
  }
  if (d.relative_attention) shapes[kRelative] = {2 * d.span(), H};
  if (d.norm_rel_ebd) add_norm_shapes(shapes, "encoder.LayerNorm", H);
  if (d.conv_kernel_size > 0) {
    shapes["encoder.conv.conv.weight"] = {H, H / d.conv_groups, d.conv_kernel_size};
    shapes["encoder.conv.conv.bias"] = {H};
    add_norm_shapes(shapes, "encoder.conv.LayerNorm", H);
  }
  return shapes;
}

std::vector<Tensor> deberta_hidden(const EncoderConfig& config, const Parameters& parameters,
                                   const TokenBatch& batch, int64_t layers) {
  const DebertaConfig& d = config.deberta;
  const Geometry geometry = make_geometry(config, parameters, batch);
  // The terms share one variance: content with content, and each positional one in use.
  const double terms = 1.0 + (d.c2p ? 1.0 : 0.0) + (d.p2c ? 1.0 : 0.0);
  const double scale = 1.0 / std::sqrt(static_cast<double>(config.head_dim()) * terms);
  std::vector<Tensor> hidden{embed(config, parameters, batch, geometry.is_token)};
  for (int64_t i = 0; i < layers; ++i) {
    const Tensor x = hidden.back();
    const AttentionInputs inputs = attention_inputs(config, parameters, i, x);
    const Tensor bias = score_bias(config, parameters, i, inputs, geometry, scale);
    Tensor out = layer_output(config, parameters, i, x, inputs, bias, scale);
    if (i == 0 && d.conv_kernel_size > 0)
      out = add_convolution(config, parameters, hidden.front(), out, geometry.is_token);
    hidden.push_back(out);
  }
  return hidden;
}

}  // namespace unirg::model
