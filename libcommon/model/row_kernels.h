// The small functions between the products of a transformer layer, for float32 on a CPU: one pass
// over memory each, with their backward passes, where composed operators take five to seven.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace unirg::model {

using at::Tensor;

/// Whether the functions below take these tensors: float32 on a CPU, none empty.
bool have_row_kernels(const Tensor& x, const Tensor& other);

/// x / sqrt(mean(x^2) + eps) * weight over the last axis, with gradient.
/// \param x [..., n] \param weight [n]
Tensor rms_norm_rows(const Tensor& x, const Tensor& weight, double eps);

/// x cos + rot(x) sin with rot([a, b]) = [-b, a] on halves of the last axis, with gradient of x.
/// \param x [..., D], D even \param cos, sin broadcastable to x
Tensor rotate_rows(const Tensor& x, const Tensor& cos, const Tensor& sin);

}  // namespace unirg::model
