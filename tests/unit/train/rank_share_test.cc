// What was measured of the same: tests/ranks/. SPDX-License-Identifier: Apache-2.0
#include "train/rank_share.h"

#include <gtest/gtest.h>

namespace unirg::train {
namespace {

// Two ranks: 6 values -> rank 0; 4 -> 1; 2 -> 1, which has less: six values each.
const std::vector<TrainedSize> kSizes{{6, false}, {4, true}, {2, false}};

void expect(const RankShare& share, int64_t optimizer, int64_t gradients, int64_t received) {
  EXPECT_EQ(share.optimizer, optimizer);
  EXPECT_EQ(share.gradients, gradients);
  EXPECT_EQ(share.unit_gradients, 6 * 4 + 4 * 2 + 2 * 4) << "in the weights' type";
  EXPECT_EQ(share.received, received);
}

TEST(RankShare, of_stage_0_is_everything) {
  const auto shares = rank_shares(kSizes, 2, 0, 3);
  // Moments 2 * 4 * 8 of float32, and 3 * 4 * 4 of bfloat16 with its master. The other's sum of its
  // own six values comes, then the sums of the six that it adds up.
  for (const RankShare& share : shares) expect(share, 64 + 48, 48, 24 + 24);
}

TEST(RankShare, of_stage_1_is_the_optimiser_of_its_own) {
  const auto shares = rank_shares(kSizes, 2, 1, 3);
  expect(shares[0], 48, 48, 24 + (8 + 8));  // then the others' weights
  expect(shares[1], 48 + 16, 48, (16 + 8) + 24);
}

TEST(RankShare, of_stage_2_is_its_own_and_gradients_come_unit_by_unit) {
  const auto shares = rank_shares(kSizes, 2, 2, 3);
  expect(shares[0], 48, 24, 3 * 24 + 16);
  expect(shares[1], 64, 24, 3 * (8 + 8) + 24);
}

TEST(RankShare, of_one_rank_is_that_of_one_process) {
  for (const int64_t zero : {0, 1, 2}) expect(rank_shares(kSizes, 1, zero)[0], 112, 48, 0);
}

// 8 billion values in 400 tensors of like size and two of 6e8 on eight ranks: the paper's model.
TEST(RankShare, of_many_tensors_is_nearly_an_equal_part) {
  std::vector<TrainedSize> sizes(400, {17'000'000, true});
  sizes.insert(sizes.end(), 2, {600'000'000, true});
  const int64_t whole = 12 * 8'000'000'000;
  for (const RankShare& share : rank_shares(sizes, 8, 2)) {
    EXPECT_NEAR(static_cast<double>(share.optimizer), static_cast<double>(whole) / 8, 0.02e9 * 12);
    EXPECT_EQ(3 * share.gradients, share.optimizer);
  }
}

}  // namespace
}  // namespace unirg::train
