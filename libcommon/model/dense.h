// Dense layers through oneDNN where LibTorch has it: x W^T + b in float32 on a CPU. Its kernels use
// what the processor has, whoever made it, while MKL's keep to a common subset on some; and weights
// that do not change can be laid out for them once, where MKL does so at every call.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace unirg::model {

using at::Tensor;

/// x W^T + b with gradient, as at::linear but for the order of its sums; at::linear itself where
/// oneDNN is not to be had (not float32 on a CPU) or does not pay (a few rows).
/// \param x [..., in] \param weight [out, in] \param bias [out] or undefined
Tensor dense_linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

/// \param weight [out, in]
/// \returns the weight as packed_linear() takes it; undefined where that is not to be had: not
/// float32 on a CPU, or a LibTorch without oneDNN
Tensor packed_weight(const Tensor& weight);

/// Tells the system that a tensor on the CPU is not going to be read for long: its memory may go
/// elsewhere, to be brought back when it is read after all.
void let_go(const Tensor& tensor);

/// x W^T + b without gradient, as dense_linear().
/// \param x [..., in] float32 on the CPU, not empty
/// \param packed of packed_weight(), defined
/// \param bias [out] or undefined
Tensor packed_linear(const Tensor& x, const Tensor& packed, const Tensor& bias = {});

}  // namespace unirg::model
