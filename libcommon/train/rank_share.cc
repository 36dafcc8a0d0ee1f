// SPDX-License-Identifier: Apache-2.0
#include "train/rank_share.h"

#include "distributed/shares.h"

namespace unirg::train {
namespace {

constexpr int64_t kFloat = 4, kBfloat16 = 2;

}  // namespace

std::vector<RankShare> rank_shares(const std::vector<TrainedSize>& sizes, int ranks, int64_t zero,
                                   int64_t units) {
  std::vector<int64_t> values;
  for (const TrainedSize& size : sizes) values.push_back(size.values);
  const std::vector<int> owners = distributed::share_out(values, ranks);
  std::vector<RankShare> shares(static_cast<size_t>(ranks));
  for (int rank = 0; rank < ranks; ++rank) {
    RankShare& share = shares[static_cast<size_t>(rank)];
    for (size_t k = 0; k < sizes.size(); ++k) {
      const int64_t weights = sizes[k].values * (sizes[k].bfloat16 ? kBfloat16 : kFloat);
      const int64_t sum = sizes[k].values * kFloat;
      const bool mine = owners[k] == rank;
      if (mine || zero == 0) share.optimizer += (sizes[k].bfloat16 ? 3 : 2) * sum;
      if (mine || zero < 2 || ranks == 1) share.gradients += sum;
      share.unit_gradients += weights;
      if (mine) share.received += (ranks - 1) * (zero == 2 ? units * weights : sum);
      if (!mine) share.received += zero == 0 ? sum : weights;
    }
  }
  return shares;
}

}  // namespace unirg::train
