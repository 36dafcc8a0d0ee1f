// What SFT and RL compute from hidden states: log-probabilities of given tokens, entropy, the
// greedy choice. Logits of all tokens x the whole vocabulary never exist at once: rows are taken in
// chunks, and the backward pass, written by hand, computes them again.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace unirg::train {

using at::Tensor;

struct TokenScores {
  Tensor logprobs;  ///< [N] float32, natural log of the policy's probability of each target at
                    ///< `temperature`
  Tensor entropy;   ///< [N] float32, nats, with gradient; undefined unless asked for
  Tensor best;      ///< [N] int64, the likeliest token; undefined unless asked for
};

struct ScoreOptions {
  double temperature = 1;  ///< > 0, divides the logits
  bool entropy = false;
  bool best = false;
  /// Logits that may exist at once. The default, 64 MB, is a few hundred rows of the largest
  /// vocabularies.
  int64_t chunk_values = int64_t{1} << 24;
};

/// \param hidden  [N, H] states that predict the targets, N >= 1
/// \param head    [V, H]
/// \param targets [N] int64
TokenScores token_scores(const Tensor& hidden, const Tensor& head, const Tensor& targets,
                         const ScoreOptions& options = {});

}  // namespace unirg::train
