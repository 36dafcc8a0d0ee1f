// SPDX-License-Identifier: Apache-2.0
#include "base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>

namespace unirg {
namespace {

TEST(OrderedParallel, consumes_in_order_at_any_thread_count) {
  for (const int threads : {1, 2, 5}) {
    std::vector<int64_t> seen;
    ordered_parallel(
        threads, 50,
        [](int64_t i) {
          if (i % 7 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
          return i * i;
        },
        [&](int64_t i, int64_t square) {
          EXPECT_EQ(square, i * i);
          seen.push_back(i);
          return true;
        });
    ASSERT_EQ(seen.size(), 50u);
    for (int64_t i = 0; i < 50; ++i) EXPECT_EQ(seen[static_cast<size_t>(i)], i);
  }
}

TEST(OrderedParallel, rethrows_the_first_failure_in_input_order) {
  std::vector<int64_t> seen;
  EXPECT_THROW(ordered_parallel(
                   3, 20,
                   [](int64_t i) {
                     if (i >= 5) throw std::runtime_error("unit");
                     return i;
                   },
                   [&](int64_t i, int64_t) {
                     seen.push_back(i);
                     return true;
                   }),
               std::runtime_error);
  EXPECT_EQ(seen.size(), 5u);
}

TEST(OrderedParallel, stops_early_when_told) {
  std::atomic<int> begun = 0;
  int consumed = 0;
  ordered_parallel(
      2, 1000,
      [&](int64_t i) {
        ++begun;
        return i;
      },
      [&](int64_t, int64_t) { return ++consumed < 3; });
  EXPECT_EQ(consumed, 3);
  EXPECT_LT(begun, 1000);
}

}  // namespace
}  // namespace unirg
