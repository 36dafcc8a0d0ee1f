// Where tokens stand, as each encoder family counts it: RoBERTa's running positions, MPNet's and
// DeBERTa's buckets of distance. Integer tensors in and out. Source: transformers 5.x, roberta,
// mpnet and deberta_v2. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace unirg::model {

using at::Tensor;

/// RoBERTa's and MPNet's positions: the padding id plus the running count of tokens that are not
/// padding; padding itself keeps the padding id.
/// \param ids [B, T] int64 \returns [B, T] int64
Tensor counted_positions(const Tensor& ids, int64_t pad_token_id);

/// i - j for query i and key j. \returns [T, T] int64
Tensor distances(int64_t T, const at::Device& device);

/// MPNet's bucket (T5's, both directions; 32 buckets, distances from 128 share the last one) of
/// each distance key - query. \param relative int64, any shape \returns the same shape, in [0, 32)
Tensor mpnet_buckets(const Tensor& relative);

/// DeBERTa-v2's signed bucket of each distance query - key: exact up to buckets / 2, logarithmic
/// beyond. \param relative int64, any shape \param buckets >= 2 \param max_position > buckets / 2 +
/// 1
Tensor deberta_buckets(const Tensor& relative, int64_t buckets, int64_t max_position);

}  // namespace unirg::model
