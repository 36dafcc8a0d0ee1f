// What a model costs, from its configuration and the shape of the work alone: bytes of caches and
// of what a backward pass keeps, FLOPs of a forward pass. Pure arithmetic; a FLOP is one
// multiplication or addition, so a product of matrices [m, k] x [k, n] has 2 m k n.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "model/config.h"

namespace unirg::model {

/// One pass over a unit of work: B studies with G replies each.
struct PassShape {
  int64_t studies = 1;        ///< B
  int64_t replies = 1;        ///< G
  int64_t prompt_tokens = 0;  ///< of each study, visual ones included
  int64_t reply_tokens = 0;   ///< of each reply
  int64_t patches = 0;        ///< of each study's images together
};

/// Bytes of keys and values that one token leaves in the cache. \param item bytes a value
int64_t kv_bytes_per_token(const TextConfig& config, int64_t item);

/// FLOPs of images, prompts and replies; the head reads reply tokens only. A backward pass takes
/// twice as many again.
double forward_flops(const ModelConfig& config, const PassShape& shape);

/// Bytes that a pass with gradients of every weight keeps for its backward pass: what autograd
/// saves of text.cc and vision.cc, operation by operation.
struct Activations {
  int64_t vision = 0, prompts = 0, replies = 0;
  int64_t layer = 0;  ///< with recompute: one layer at work, beside the kept inputs of all
  [[nodiscard]] int64_t total() const { return vision + prompts + replies + layer; }
};
/// \param item bytes a value \param recompute each layer's input alone, and one layer at work
Activations activations(const ModelConfig& config, const PassShape& shape, int64_t item,
                        bool recompute);

/// Bytes of one layer at work: the largest of its kinds.
int64_t layer_bytes(const ModelConfig& config, const PassShape& shape, int64_t item);

/// Bytes of the log-probabilities of all reply tokens x the vocabulary, as far as they exist at
/// once, three times: kept, and two more in the first step of the backward pass.
int64_t head_bytes(const ModelConfig& config, const PassShape& shape, int64_t chunk_values);

}  // namespace unirg::model
