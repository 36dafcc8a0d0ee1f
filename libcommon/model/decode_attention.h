// Attention of one new token a reply, for float32 on a CPU: what decoding does once a layer and
// step, in one pass without temporaries. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace unirg::model {

using at::Tensor;

/// Whether decode_attention() takes them: float32 on a CPU, and nothing asks for a gradient.
bool have_decode_attention(const Tensor& q, const Tensor& prefix_k);

/// softmax(q k^T / sqrt(D)) v over the prompt's keys and the first T of the reply's own; heads of
/// keys and values serve A / K query heads each.
/// \param q [B, G, 1, A, D] \param prefix_k, prefix_v [B, K, P, D], contiguous
/// \param own_k, own_v [B, K, G, capacity, D], contiguous, T <= capacity
/// \returns [B, G, 1, A*D]
Tensor decode_attention(const Tensor& q, const Tensor& prefix_k, const Tensor& prefix_v,
                        const Tensor& own_k, const Tensor& own_v, int64_t T);

}  // namespace unirg::model
