// The few layer functions all towers share. Tensors in, tensors out; float32 inside the norms
// whatever the dtype. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "model/parameters.h"

namespace unirg::model {

/// Dropout on what an adapter reads. The masks depend on (seed, layer name, shape) alone, so a
/// layer that is computed twice (recomputed in the backward pass) sees the same ones.
struct Dropout {
  double p = 0;  ///< share of values dropped, 0 <= p < 1
  uint64_t seed = 0;
};

/// How a forward pass is to run; nothing here changes what is learned but dropout.
struct Pass {
  Dropout dropout;
  /// Keep only each layer's input for the backward pass and compute the rest again there: memory
  /// for about a third more time (gradient checkpointing, arXiv:1604.06174).
  bool recompute = false;
};

/// A linear layer as the checkpoint stores it, with its low-rank adapter when one is loaded.
struct Linear {
  Tensor weight;          ///< [out, in]
  Tensor bias;            ///< [out] or undefined
  Tensor lora_a, lora_b;  ///< [rank, in], [out, rank]; both undefined without adapter
  double lora_scale = 0;
  Tensor packed{};     ///< the weight as packed_linear() takes it; for who needs no gradient
  std::string name{};  ///< of a layer with an adapter; names its dropout masks
};

/// The layer called `name` ("...q_proj") of the store; an adapter is there when
/// `name`.lora_A.weight is. \param bias whether the architecture has one
Linear bind_linear(const Parameters& parameters, const std::string& name, bool bias,
                   double lora_scale = 0);

/// x W^T + b, and with an adapter + scale * dropout(x) A^T B^T in the adapter's dtype (Hu et al.,
/// arXiv:2106.09685). \param x [..., in] \returns [..., out] in x's dtype
Tensor apply(const Linear& layer, const Tensor& x, const Dropout& dropout = {});

/// RMSNorm over the last axis: x / sqrt(mean(x^2) + eps) in float32, cast back, times weight (Zhang
/// and Sennrich 2019); on a GPU cast back after the weight.
Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps);

/// LayerNorm over the last axis with bias.
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps = 1e-6);

/// Rotary embedding: x cos + rot(x) sin with rot([a, b]) = [-b, a] on halves of the last axis.
/// \param x [..., D]; cos, sin broadcastable to x
Tensor rotate(const Tensor& x, const Tensor& cos, const Tensor& sin);

}  // namespace unirg::model
