// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace unirg::model {

/// Sum over i < n of f(i) in a fixed order, sixteen sums side by side, that a compiler may turn
/// into vector instructions of any width: the same bits whichever it takes.
template <typename F>
[[gnu::always_inline]] inline float lane_sum(int64_t n, const F& f) {
  constexpr int64_t kLanes = 16;
  float lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int64_t k = 0; k < kLanes; ++k) lanes[k] += f(i + k);
  }
  float sum = 0;
  for (; i < n; ++i) sum += f(i);
  for (const float lane : lanes) sum += lane;
  return sum;
}

}  // namespace unirg::model
