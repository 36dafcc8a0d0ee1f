// SPDX-License-Identifier: Apache-2.0
#include "text/near_duplicates.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"

namespace unirg::text {
namespace {

/// `count` words of an endless text; two texts of one seed share what they overlap in.
std::string words(uint64_t seed, size_t begin, size_t count) {
  std::string text;
  for (size_t i = begin; i < begin + count; ++i)
    text += "w" + std::to_string(Rng(seed, "word", "", i).next_u32()) + " ";
  return text;
}

TEST(Shingles, are_runs_of_five_words_whatever_the_case_and_punctuation) {
  EXPECT_EQ(shingles_of("a b c d e f").size(), 2U);
  EXPECT_EQ(shingles_of("A b, c. D\ne; F!"), shingles_of("a b c d e f"));
  EXPECT_EQ(shingles_of("a b c d e a b c d e").size(), 5U) << "one of the six stands twice";
  EXPECT_NE(shingles_of("a b c d e"), shingles_of("a b c e d"));
}

TEST(Shingles, of_short_texts_are_the_text) {
  EXPECT_EQ(shingles_of("Normal chest.").size(), 1U);
  EXPECT_EQ(shingles_of("Normal chest."), shingles_of("normal chest"));
  EXPECT_NE(shingles_of("Normal chest."), shingles_of("Abnormal chest."));
  EXPECT_NE(shingles_of("ab c"), shingles_of("a bc"));
  EXPECT_TRUE(shingles_of("").empty());
  EXPECT_TRUE(shingles_of(" .,; ").empty());
}

TEST(Jaccard, is_the_share_of_common_shingles) {
  EXPECT_DOUBLE_EQ(jaccard({1, 2, 3}, {2, 3, 4}), 0.5);
  EXPECT_DOUBLE_EQ(jaccard({1, 2}, {1, 2}), 1);
  EXPECT_DOUBLE_EQ(jaccard({1}, {2}), 0);
  EXPECT_DOUBLE_EQ(jaccard({}, {}), 0);
}

TEST(MinHash, estimates_the_jaccard_index) {
  for (const size_t shift : {0U, 10U, 40U, 100U, 200U}) {
    double estimate = 0;
    double truth = 0;
    for (uint64_t seed = 0; seed < 20; ++seed) {
      const Shingles a = shingles_of(words(seed, 0, 204));
      const Shingles b = shingles_of(words(seed, shift, 204));
      truth += jaccard(a, b) / 20;
      const MinHash x = min_hash(a);
      const MinHash y = min_hash(b);
      for (size_t h = 0; h < kMinHashes; ++h) estimate += (x[h] == y[h]) / 20.0 / kMinHashes;
    }
    EXPECT_NEAR(estimate, truth, 4 * std::sqrt(0.25 / kMinHashes / 20)) << "shift " << shift;
  }
}

TEST(NearDuplicates, finds_every_similar_text_and_no_other) {
  NearDuplicates index;
  for (uint64_t seed = 0; seed < 300; ++seed) index.add(words(seed, 0, 104));
  EXPECT_EQ(index.size(), 300U);
  for (uint64_t seed = 0; seed < 300; ++seed) {
    const std::string near = words(seed, 10, 104);  // 90 of 110 shingles
    const auto match = index.nearest(near, 0.8);
    ASSERT_TRUE(match) << seed;
    EXPECT_EQ(match->index, seed);
    EXPECT_DOUBLE_EQ(match->jaccard, 90.0 / 110.0);
    EXPECT_FALSE(index.nearest(near, 0.82));
    EXPECT_FALSE(index.nearest(words(seed + 1000, 0, 104), 0.6));
  }
}

TEST(NearDuplicates, gives_the_most_similar_and_of_equals_the_first) {
  NearDuplicates index;
  index.add(words(1, 12, 104));
  index.add(words(1, 2, 104));
  index.add(words(1, 2, 104));
  const auto match = index.nearest(words(1, 0, 104), 0.6);
  ASSERT_TRUE(match);
  EXPECT_EQ(match->index, 1U);
}

TEST(NearDuplicates, ignores_texts_without_words) {
  NearDuplicates index;
  index.add("");
  index.add("Normal chest.");
  EXPECT_FALSE(index.nearest("", 0.6));
  const auto match = index.nearest("normal chest", 0.6);
  ASSERT_TRUE(match);
  EXPECT_EQ(match->index, 1U);
}

}  // namespace
}  // namespace unirg::text
