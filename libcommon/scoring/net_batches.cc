// SPDX-License-Identifier: Apache-2.0
#include "scoring/net_batches.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <numeric>

namespace unirg::scoring {

void use_one_thread() {
  thread_local const bool done = [] {
    at::set_num_threads(1);
    return true;
  }();
  (void)done;
}

std::vector<std::vector<size_t>> make_batches(const std::vector<size_t>& lengths, size_t size) {
  std::vector<size_t> order(lengths.size());
  std::iota(order.begin(), order.end(), size_t{0});
  if (size > 1) {
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return lengths[a] > lengths[b]; });
  }
  std::vector<std::vector<size_t>> batches;
  for (const size_t i : order) {
    const bool full = batches.empty() || batches.back().size() >= size ||
                      (batches.back().size() + 1) * lengths[batches.back().front()] > kBatchTokens;
    if (full) batches.emplace_back();
    batches.back().push_back(i);
  }
  return batches;
}

}  // namespace unirg::scoring
