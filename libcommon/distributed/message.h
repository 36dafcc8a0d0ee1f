// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace unirg::distributed {

/// Bytes to or from a rank: uint8, contiguous, on the CPU or the rank's GPU.
struct Message {
  int rank = 0;
  at::Tensor bytes;
};

}  // namespace unirg::distributed
