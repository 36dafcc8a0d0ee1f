// Known answers are those published with Random123 (kat_vectors, philox4x32 10 rounds).
// SPDX-License-Identifier: Apache-2.0
#include "base/rng.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace unirg {
namespace {

TEST(Philox, gives_the_published_known_answers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (std::array<uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (std::array<uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Rng, streams_are_named_not_shared) {
  Rng a(7, "sample", "study-1", 0);
  Rng b(7, "sample", "study-1", 0);
  Rng other(7, "sample", "study-1", 1);
  const double first = a.uniform();
  EXPECT_EQ(first, b.uniform());
  EXPECT_NE(first, other.uniform());
}

TEST(Rng, uniform_has_the_moments_of_a_uniform) {
  Rng rng(1, "test");
  double sum = 0, squares = 0;
  constexpr int n = 100000;
  for (int i = 0; i < n; ++i) {
    const double u = rng.uniform();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
    squares += u * u;
  }
  EXPECT_NEAR(sum / n, 0.5, 0.005);
  EXPECT_NEAR(squares / n, 1.0 / 3.0, 0.005);
}

TEST(Rng, normal_has_mean_zero_and_variance_one) {
  Rng rng(2, "test");
  double sum = 0, squares = 0;
  constexpr int n = 100000;
  for (int i = 0; i < n; ++i) {
    const double z = rng.normal();
    sum += z;
    squares += z * z;
  }
  EXPECT_NEAR(sum / n, 0.0, 0.015);
  EXPECT_NEAR(squares / n, 1.0, 0.02);
}

TEST(Rng, shuffle_is_a_permutation_and_repeats_with_the_seed) {
  std::vector<int> a{1, 2, 3, 4, 5, 6, 7, 8};
  std::vector<int> b = a;
  Rng(3, "shuffle").shuffle(a);
  Rng(3, "shuffle").shuffle(b);
  EXPECT_EQ(a, b);
  std::sort(a.begin(), a.end());
  EXPECT_EQ(a, (std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(Rng, weighted_never_draws_weight_zero) {
  Rng rng(4, "test");
  for (int i = 0; i < 1000; ++i) EXPECT_NE(rng.weighted({1.0, 0.0, 2.0}), 1u);
}

TEST(UniformAt, is_a_function_of_its_name_alone) {
  EXPECT_EQ(uniform_at(1, "sample", "s", 2, 30), uniform_at(1, "sample", "s", 2, 30));
  EXPECT_NE(uniform_at(1, "sample", "s", 2, 30), uniform_at(1, "sample", "s", 2, 31));
  EXPECT_NE(uniform_at(1, "sample", "s", 2, 30), uniform_at(2, "sample", "s", 2, 30));
}

}  // namespace
}  // namespace unirg
