// Dense layers whose weights oneDNN lays out once. MKL copies the weights into its own layout at
// every call, which for the few rows of one report is a fifth to a third of the time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace unirg::model {

using at::Tensor;

/// \param weight [out, in]
/// \returns the weight as packed_linear() takes it; undefined where that is not to be had: not
/// float32 on a CPU, or a LibTorch without oneDNN
Tensor packed_weight(const Tensor& weight);

/// x W^T + b without gradient, as at::linear but for the order of its sums.
/// \param x [..., in] float32 on the CPU, not empty
/// \param packed of packed_weight(), defined
/// \param bias [out]
Tensor packed_linear(const Tensor& x, const Tensor& packed, const Tensor& bias);

}  // namespace unirg::model
