// What the RL stage computes from hidden states: log-probabilities of given tokens, and entropy.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace unirg::train {

using at::Tensor;

struct TokenScores {
  Tensor logprobs;  ///< [N] float32, natural log of the policy's probability of each target at
                    ///< `temperature`
  Tensor entropy;   ///< [N] float32, nats, without gradient; undefined unless asked for
};

/// \param hidden      [N, H] states that predict the targets
/// \param head        [V, H]
/// \param targets     [N] int64
/// \param temperature > 0, divides the logits
TokenScores token_scores(const Tensor& hidden, const Tensor& head, const Tensor& targets,
                         double temperature, bool with_entropy);

}  // namespace unirg::train
