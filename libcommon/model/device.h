// Where tensors live, by the name that --device takes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace unirg::model {

/// The device called `device`: "cpu", "cuda" (the first), "cuda:N", or "auto" (the first GPU if
/// there is one). The first GPU that is chosen sets LibTorch, for the whole process, to float32
/// products without TF32 and to kernels that give the same bits in every run.
/// \throws Error(Exit::usage) for another name, Error(Exit::unavailable) for a device this machine
/// lacks
at::Device parse_device(const std::string& device);

}  // namespace unirg::model
