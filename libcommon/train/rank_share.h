// What a rank keeps and receives, by arithmetic: for plans, before there is a model; the run record
// has what was measured. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace unirg::train {

/// A trained tensor.
struct TrainedSize {
  int64_t values = 0;
  bool bfloat16 = false;  ///< how the weights are held; else float32
};

/// In bytes.
struct RankShare {
  int64_t optimizer = 0;       ///< two moments in float32, of bfloat16 weights a master too
  int64_t gradients = 0;       ///< sums over units, in float32, while a step is made
  int64_t unit_gradients = 0;  ///< of one unit in hand, in the weights' type: every thread has one
  int64_t received = 0;        ///< in a step: gradients and weights
};

/// What each rank has, by rank. \param sizes in the order of names (ties are shared out by it)
/// \param zero stage, see ranks.h \param units of a rank and step
std::vector<RankShare> rank_shares(const std::vector<TrainedSize>& sizes, int ranks, int64_t zero,
                                   int64_t units = 1);

}  // namespace unirg::train
