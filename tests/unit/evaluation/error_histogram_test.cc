// SPDX-License-Identifier: Apache-2.0
#include "evaluation/error_histogram.h"

#include <gtest/gtest.h>

#include <limits>

namespace unirg::evaluation {
namespace {

Score score(const char* system, const char* split, std::optional<double> errors) {
  Score s;
  s.system = system;
  s.split = split;
  s.metrics = {{"bleu2", 0.5}, {"errors", errors}};
  return s;
}

using Counts = std::array<int64_t, 4>;

TEST(ErrorHistogram, counts_reports_of_each_system_and_split) {
  const auto all =
      error_histograms({score("a", "test", 0), score("a", "test", 1), score("a", "test", 2),
                        score("b", "test", 3), score("a", "other", 4), score("a", "other", 17)});
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].system + "/" + all[0].split, "a/test");
  EXPECT_EQ(all[0].reports, (Counts{2, 1, 0, 0}));
  EXPECT_EQ(all[1].system + "/" + all[1].split, "b/test");
  EXPECT_EQ(all[1].reports, (Counts{0, 0, 1, 0}));
  EXPECT_EQ(all[2].system + "/" + all[2].split, "a/other");
  EXPECT_EQ(all[2].reports, (Counts{0, 0, 0, 2}));
}

TEST(ErrorHistogram, takes_the_nearest_whole_number_and_leaves_out_what_has_none) {
  const auto all = error_histograms({score("a", "test", 1.4), score("a", "test", 1.6),
                                     score("a", "test", std::nullopt),
                                     score("a", "test", std::numeric_limits<double>::quiet_NaN())});
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].reports, (Counts{1, 1, 0, 0}));
}

TEST(ErrorHistogram, is_empty_where_errors_were_not_counted) {
  Score s = score("a", "test", 1);
  s.metrics.pop_back();
  EXPECT_TRUE(error_histograms({s}).empty());
}

}  // namespace
}  // namespace unirg::evaluation
