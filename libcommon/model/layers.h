// The few layer functions both towers share. Tensors in, tensors out; float32 inside the norms
// whatever the dtype. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace unirg::model {

using at::Tensor;

/// x W^T + b. \param x [..., in], weight [out, in], bias [out] or undefined. \returns [..., out]
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

/// RMSNorm over the last axis: x / sqrt(mean(x^2) + eps) in float32, cast back, times weight (Zhang
/// and Sennrich 2019).
Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps);

/// LayerNorm over the last axis with bias.
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps = 1e-6);

/// Rotary embedding: x cos + rot(x) sin with rot([a, b]) = [-b, a] on halves of the last axis.
/// \param x [..., D]; cos, sin broadcastable to x
Tensor rotate(const Tensor& x, const Tensor& cos, const Tensor& sin);

}  // namespace unirg::model
