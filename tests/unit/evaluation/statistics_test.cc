// SPDX-License-Identifier: Apache-2.0
#include "evaluation/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"

namespace unirg::evaluation {
namespace {

const Statistic kMean = [](const SumVector& s) { return std::vector<double>{s[0] / s[1]}; };

std::vector<SumVector> clusters_of(const std::vector<double>& values) {
  std::vector<SumVector> clusters;
  for (const double value : values) clusters.push_back({value, 1});
  return clusters;
}

TEST(Percentile, interpolates_between_order_statistics_as_numpy_does) {
  EXPECT_DOUBLE_EQ(percentile({4, 1, 3, 2}, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(percentile({4, 1, 3, 2}, 0.25), 1.75);
  EXPECT_DOUBLE_EQ(percentile({1, 2}, 1), 2);
  EXPECT_DOUBLE_EQ(percentile({7}, 0.3), 7);
}

TEST(Bootstrap, of_equal_values_has_no_width) {
  const Bootstrap result = bootstrap({clusters_of({2, 2, 2})}, kMean, 100, 0);
  EXPECT_EQ(result.systems[0][0].value, 2);
  EXPECT_EQ(result.systems[0][0].lo, 2);
  EXPECT_EQ(result.systems[0][0].hi, 2);
}

TEST(Bootstrap, without_resamples_gives_the_value_three_times) {
  const Bootstrap result = bootstrap({clusters_of({1, 2, 6})}, kMean, 0, 0);
  EXPECT_EQ(result.systems[0][0].value, 3);
  EXPECT_EQ(result.systems[0][0].lo, 3);
  EXPECT_EQ(result.systems[0][0].hi, 3);
}

TEST(Bootstrap, standard_error_of_a_mean_is_that_of_theory) {
  std::vector<double> values;
  for (int i = 0; i < 400; ++i) values.push_back(i % 2);  // variance 1/4, standard error 0.5 / 20
  const Bootstrap result = bootstrap({clusters_of(values)}, kMean, 4000, 3);
  EXPECT_NEAR(result.systems[0][0].hi - result.systems[0][0].lo, 2 * 1.96 * 0.025, 0.006);
}

TEST(Bootstrap, weighs_clusters_by_their_reports) {
  const Bootstrap result = bootstrap({{{6, 3}, {10, 1}}}, kMean, 10, 0);
  EXPECT_EQ(result.systems[0][0].value, 4);
}

TEST(Bootstrap, gives_the_same_numbers_for_the_same_seed_only) {
  const auto clusters = clusters_of({1, 5, 2, 9, 4});
  EXPECT_EQ(bootstrap({clusters}, kMean, 50, 1).resampled,
            bootstrap({clusters}, kMean, 50, 1).resampled);
  EXPECT_NE(bootstrap({clusters}, kMean, 50, 1).resampled,
            bootstrap({clusters}, kMean, 50, 2).resampled);
}

TEST(PairedDifference, uses_the_same_clusters_for_both_systems) {
  std::vector<double> a;
  std::vector<double> b;
  for (int i = 0; i < 50; ++i) {
    a.push_back(i);
    b.push_back(i - 0.5);  // far apart between clusters, always 0.5 apart within one
  }
  const Difference d =
      paired_difference(bootstrap({clusters_of(a), clusters_of(b)}, kMean, 200, 0), 0, 1, 0);
  EXPECT_NEAR(d.value, 0.5, 1e-12);
  EXPECT_NEAR(d.lo, 0.5, 1e-12);
  EXPECT_NEAR(d.hi, 0.5, 1e-12);
  EXPECT_NEAR(d.p, 2.0 / 201, 1e-12);  // no resample at or below 0: 2 (1 + 0) / (1 + 200)
}

TEST(PairedDifference, of_a_system_with_itself_is_nothing) {
  const auto clusters = clusters_of({1, 2, 3});
  const Difference d = paired_difference(bootstrap({clusters, clusters}, kMean, 100, 0), 0, 1, 0);
  EXPECT_EQ(d.value, 0);
  EXPECT_EQ(d.p, 1);
}

}  // namespace
}  // namespace unirg::evaluation
