// SPDX-License-Identifier: Apache-2.0
#include "model/random_words.h"

#include <gtest/gtest.h>

namespace unirg::model {
namespace {

TEST(RandomWords, are_those_of_the_stream) {
  for (const uint64_t seed : {uint64_t{0}, uint64_t{7}, ~uint64_t{0}}) {
    const Rng stream(seed, "purpose", "subject", 3);
    for (const int64_t n : {0, 1, 4, 4099}) {
      Rng one_by_one = stream;
      const at::Tensor words = random_words(stream, n, at::kCPU);
      ASSERT_EQ(words.numel(), n);
      for (int64_t i = 0; i < n; ++i)
        ASSERT_EQ(words.const_data_ptr<int64_t>()[i], int64_t{one_by_one.next_u32()}) << i;
    }
  }
}

TEST(RandomWords, need_a_fresh_stream) {
  Rng stream(1, "purpose");
  (void)stream.next_u32();
  EXPECT_THROW((void)random_words(stream, 4, at::kCPU), std::logic_error);
}

}  // namespace
}  // namespace unirg::model
