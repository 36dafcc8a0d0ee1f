// Scores of rows of logits by one kernel, on a GPU whose build has it (score_kernels.h); elsewhere
// losses.cc composes them of LibTorch's operators. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace unirg::train {

using at::Tensor;

/// Whether the functions below take these logits: on a GPU, float32 or bfloat16, rows next to each
/// other, in a build with CUDA.
bool have_score_rows(const Tensor& logits);

/// [n] each, float32 but for `best`, int64.
struct RowScores {
  Tensor logprobs, log_totals, entropy, best;
};
/// \param logits [n, V] \param targets [n] int64 \param temperature > 0, divides the logits
/// \throws Error(Exit::internal) with CUDA's message
RowScores score_rows(const Tensor& logits, const Tensor& targets, double temperature);

/// What flows back into the logits. \param found log_totals and entropy of the same rows
/// \param logprob, entropy [n] float32 gradients, either may be undefined \returns [n, V], as
/// logits
Tensor logit_gradient_rows(const Tensor& logits, const Tensor& targets, const RowScores& found,
                           const Tensor& logprob, const Tensor& entropy, double temperature);

}  // namespace unirg::train
