// Gradient checkpointing: a part of the network whose intermediate values are not kept for the
// backward pass but computed again there (Chen et al., arXiv:1604.06174).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

namespace unirg::model {

using at::Tensor;
/// A pure function of its arguments and of weights it holds; it must give the same bits each time.
using Part = std::function<std::vector<Tensor>(const std::vector<Tensor>& arguments)>;

/// Runs `part` without keeping its intermediate values. The gradients are those of the plain call.
/// \param weights what `part` reads besides its arguments and may need gradients of: leaves.
/// Undefined ones are ignored
std::vector<Tensor> recomputed(const Part& part, const std::vector<Tensor>& arguments,
                               const std::vector<Tensor>& weights);

}  // namespace unirg::model
