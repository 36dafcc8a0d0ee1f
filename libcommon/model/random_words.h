// A random stream as a tensor, for devices that the stream's own words would have to be copied to.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include "base/rng.h"

namespace unirg::model {

/// The first n words that next_u32() of a fresh `stream` gives, computed on `device`: about eighty
/// kernels whatever n. \param n 0 <= n < 2^34 \returns [n] int64, each in [0, 2^32)
at::Tensor random_words(const Rng& stream, int64_t n, const at::Device& device);

}  // namespace unirg::model
