// The transformer layer that BERT, RoBERTa, MPNet and DeBERTa-v2 share: self-attention and a
// feed-forward layer, each with a residual and a LayerNorm behind it (post-norm). The families
// differ in names and in what they add to the attention scores, which is the caller's.
// Letters: B sequences, T tokens, H width, A heads, D = H / A. float32.
// Source: Vaswani et al. 2017; Devlin et al. 2019; transformers 5.x.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "model/encoder_config.h"
#include "model/parameters.h"

namespace unirg::model {

/// One batch of token sequences, padded at the right.
struct TokenBatch {
  Tensor ids;                    ///< [B, T] int64
  std::vector<int64_t> lengths;  ///< B, each in [1, T]; what lies beyond is padding
  Tensor types;                  ///< [B, T] int64 token types; undefined: all 0
};

/// Shapes of `name`.weight and `name`.bias.
void add_dense_shapes(Shapes& shapes, const std::string& name, int64_t out, int64_t in);
void add_norm_shapes(Shapes& shapes, const std::string& name, int64_t size);

/// Adds the packed weight of every dense layer (a 2-d .weight with a .bias), where there is one to
/// be had. The plain weights stay; mapped from their file, they need not stay in memory.
void pack_dense(Parameters& parameters);
/// x W^T + b with `name`.weight and `name`.bias; without gradient by the packed weight, if there is
/// one. \param x [..., in] \returns [..., out]
Tensor dense(const Parameters& parameters, const std::string& name, const Tensor& x);
/// LayerNorm over the last axis with `name`.weight and `name`.bias.
Tensor norm(const Parameters& parameters, const std::string& name, const Tensor& x, double eps);
Tensor activate(Activation activation, const Tensor& x);

/// "encoder.layer.I."
std::string layer_root(int64_t layer);
/// Names of the query and key projections below layer_root().
std::string query_name(EncoderFamily family);
std::string key_name(EncoderFamily family);

/// Every tensor of one layer that all families have.
void add_layer_shapes(Shapes& shapes, const EncoderConfig& config, int64_t layer);

/// x [..., T, H] as heads [..., A, T, D].
Tensor split_heads(const EncoderConfig& config, const Tensor& x);

struct AttentionInputs {
  Tensor q, k, v;  ///< [B, A, T, D]
};
AttentionInputs attention_inputs(const EncoderConfig& config, const Parameters& parameters,
                                 int64_t layer, const Tensor& x);

/// The layer's output.
/// \param x     [B, T, H] its input
/// \param bias  added to the scaled scores q.k * scale: broadcastable to [B, A, T, T], float32,
/// -inf
///              at keys that are padding; undefined: nothing
/// \returns     [B, T, H]
Tensor layer_output(const EncoderConfig& config, const Parameters& parameters, int64_t layer,
                    const Tensor& x, const AttentionInputs& inputs, const Tensor& bias,
                    double scale);

/// 0 at tokens, -inf at padding. \returns [B, 1, 1, T] float32; undefined when nothing is padded
Tensor key_mask(const TokenBatch& batch, const at::Device& device);
/// 1 at tokens, 0 at padding. \returns [B, T, 1] float32
Tensor token_mask(const TokenBatch& batch, const at::Device& device);

}  // namespace unirg::model
