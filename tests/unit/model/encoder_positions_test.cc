// Hand-worked positions and buckets of distance. SPDX-License-Identifier: Apache-2.0
#include "model/encoder_positions.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <vector>

namespace unirg::model {
namespace {

std::vector<int64_t> values(const Tensor& t) {
  const Tensor flat = t.contiguous();
  return {flat.const_data_ptr<int64_t>(), flat.const_data_ptr<int64_t>() + flat.numel()};
}

Tensor row(const std::vector<int64_t>& v) { return at::tensor(v, at::kLong); }

TEST(CountedPositions, start_after_the_padding_id_and_skip_padding) {
  const Tensor ids = row({0, 57, 2, 1, 1}).unsqueeze(0);
  EXPECT_EQ(values(counted_positions(ids, 1)), (std::vector<int64_t>{2, 3, 4, 1, 1}));
}

TEST(CountedPositions, a_padding_id_inside_the_text_is_not_counted) {
  const Tensor ids = row({0, 1, 57, 2}).unsqueeze(0);
  EXPECT_EQ(values(counted_positions(ids, 1)), (std::vector<int64_t>{2, 1, 3, 4}));
}

TEST(Distances, are_query_minus_key) {
  EXPECT_EQ(values(distances(3, at::kCPU)), (std::vector<int64_t>{0, -1, -2, 1, 0, -1, 2, 1, 0}));
}

TEST(MpnetBuckets, are_exact_to_seven_then_logarithmic) {
  // 8 + floor(log(n / 8) / log(16) * 8): 8-11 -> 8.., 16 -> 10, 32 -> 12, 64 -> 14, from 91 15.
  EXPECT_EQ(values(mpnet_buckets(row({0, -1, -7, -8, -16, -32, -64, -127, -128, -5000}))),
            (std::vector<int64_t>{0, 1, 7, 8, 10, 12, 14, 15, 15, 15}));
}

TEST(MpnetBuckets, keys_to_the_right_have_the_upper_half) {
  EXPECT_EQ(values(mpnet_buckets(row({1, 7, 8, 16, 128}))),
            (std::vector<int64_t>{17, 23, 24, 26, 31}));
}

TEST(DebertaBuckets, are_exact_to_half_the_buckets) {
  EXPECT_EQ(values(deberta_buckets(row({0, 1, -3, 4, -4}), 8, 64)),
            (std::vector<int64_t>{0, 1, -3, 4, -4}));
}

TEST(DebertaBuckets, grow_logarithmically_beyond) {
  // ceil(log(n / 4) / log(63 / 4) * 3) + 4: 5 -> ceil(0.243) = 1, 11 -> ceil(1.101) = 2,
  // 40 -> ceil(2.506) = 3, 63 -> 3 exactly.
  EXPECT_EQ(values(deberta_buckets(row({5, -5, 11, 40, -40, 63}), 8, 64)),
            (std::vector<int64_t>{5, -5, 6, 7, -7, 7}));
}

TEST(DebertaBuckets, of_the_published_size_end_at_the_last_row) {
  // v3-base: 256 buckets, 512 positions; clamped to [0, 511] after adding 256.
  EXPECT_EQ(values(deberta_buckets(row({128, 129, 511, -511}), 256, 512)),
            (std::vector<int64_t>{128, 129, 255, -255}));
}

}  // namespace
}  // namespace unirg::model
