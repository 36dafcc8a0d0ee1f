// SPDX-License-Identifier: Apache-2.0
#include "distributed/shares.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"

namespace unirg::distributed {

std::vector<int> share_out(const std::vector<int64_t>& sizes, int ranks) {
  UNIRG_ASSERT(ranks >= 1, "a world has a rank");
  std::vector<size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return sizes[a] > sizes[b]; });
  std::vector<int64_t> loads(static_cast<size_t>(ranks), 0);
  std::vector<int> owners(sizes.size(), 0);
  for (const size_t k : order) {
    const auto least = std::min_element(loads.begin(), loads.end());
    *least += sizes[k];
    owners[k] = static_cast<int>(least - loads.begin());
  }
  return owners;
}

std::vector<Bucket> cut_buckets(const std::vector<int64_t>& values,
                                const std::vector<int64_t>& item_bytes,
                                const std::vector<int>& owners, int owner, int64_t bucket_bytes,
                                const std::vector<size_t>& order) {
  UNIRG_ASSERT(order.empty() || order.size() == values.size(), "an order of all tensors");
  std::vector<Bucket> buckets;
  int64_t room = 0;  // bytes left in the last
  for (size_t place = 0; place < values.size(); ++place) {
    const size_t k = order.empty() ? place : order[place];
    if (owners[k] != owner) continue;
    for (int64_t begin = 0; begin < values[k];) {
      if (room < item_bytes[k]) {
        buckets.emplace_back();
        room = std::max(bucket_bytes, item_bytes[k]);
      }
      const int64_t count = std::min(values[k] - begin, room / item_bytes[k]);
      buckets.back().push_back({k, begin, count});
      room -= count * item_bytes[k];
      begin += count;
    }
  }
  return buckets;
}

}  // namespace unirg::distributed
