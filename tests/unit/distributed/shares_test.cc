// SPDX-License-Identifier: Apache-2.0
#include "distributed/shares.h"

#include <gtest/gtest.h>

namespace unirg::distributed {
namespace {

TEST(Shares, the_largest_goes_to_the_rank_that_has_least) {
  // 9 -> 0; 7 -> 1; 6 -> 1 is 13, so 0 has 9: 6 -> 1 (7 < 9) = 13; 5 -> 0 = 14; 4 -> 1 = 17; 1 ->
  // 0.
  EXPECT_EQ(share_out({5, 9, 1, 6, 7, 4}, 2), (std::vector<int>{0, 0, 0, 1, 1, 1}));
}

TEST(Shares, ties_go_to_the_earlier_tensor_and_the_lower_rank) {
  EXPECT_EQ(share_out({2, 2, 2, 2}, 3), (std::vector<int>{0, 1, 2, 0}));
}

TEST(Shares, one_rank_keeps_all_and_some_of_many_keep_nothing) {
  EXPECT_EQ(share_out({3, 1}, 1), (std::vector<int>{0, 0}));
  EXPECT_EQ(share_out({3, 1}, 4), (std::vector<int>{0, 1}));
  EXPECT_TRUE(share_out({}, 2).empty());
}

std::vector<std::vector<std::vector<int64_t>>> cut(const std::vector<int64_t>& values,
                                                   const std::vector<int64_t>& items,
                                                   int64_t bytes) {
  std::vector<std::vector<std::vector<int64_t>>> buckets;
  const std::vector<int> owners(values.size(), 3);
  for (const Bucket& bucket : cut_buckets(values, items, owners, 3, bytes)) {
    auto& pieces = buckets.emplace_back();
    for (const Piece& piece : bucket)
      pieces.push_back({static_cast<int64_t>(piece.tensor), piece.begin, piece.count});
  }
  return buckets;
}

using Cut = std::vector<std::vector<std::vector<int64_t>>>;

TEST(Shares, buckets_hold_small_tensors_together_and_parts_of_large_ones) {
  EXPECT_EQ(cut({2, 5, 1}, {4, 4, 4}, 16), (Cut{{{0, 0, 2}, {1, 0, 2}}, {{1, 2, 3}, {2, 0, 1}}}));
}

TEST(Shares, buckets_never_split_an_element) {
  EXPECT_EQ(cut({1, 2}, {2, 4}, 7), (Cut{{{0, 0, 1}, {1, 0, 1}}, {{1, 1, 1}}}));
  EXPECT_EQ(cut({2}, {4}, 1), (Cut{{{0, 0, 1}}, {{0, 1, 1}}})) << "one element at least";
  EXPECT_TRUE(cut({0}, {4}, 16).empty());
}

TEST(Shares, buckets_are_filled_in_the_order_asked_for) {
  const auto buckets = cut_buckets({1, 3, 1}, {4, 4, 4}, {0, 0, 0}, 0, 8, {2, 1, 0});
  ASSERT_EQ(buckets.size(), 3U);
  const auto tensors = [&](size_t b) {
    std::vector<size_t> each;
    for (const Piece& piece : buckets[b]) each.push_back(piece.tensor);
    return each;
  };
  EXPECT_EQ(tensors(0), (std::vector<size_t>{2, 1}));
  EXPECT_EQ(tensors(1), (std::vector<size_t>{1}));
  EXPECT_EQ(tensors(2), (std::vector<size_t>{0}));
}

TEST(Shares, buckets_are_those_of_the_owner_alone) {
  const auto buckets = cut_buckets({4, 4, 4}, {4, 4, 4}, {0, 1, 0}, 0, 1024);
  ASSERT_EQ(buckets.size(), 1U);
  ASSERT_EQ(buckets[0].size(), 2U);
  EXPECT_EQ(buckets[0][1].tensor, 2U);
}

}  // namespace
}  // namespace unirg::distributed
