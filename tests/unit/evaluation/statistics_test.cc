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
  const Bootstrap result =
      bootstrap({clusters_of({2, 2, 2})}, kMean, {.resamples = 100, .seed = 0});
  EXPECT_EQ(result.systems[0][0].value, 2);
  EXPECT_EQ(result.systems[0][0].lo, 2);
  EXPECT_EQ(result.systems[0][0].hi, 2);
}

TEST(Bootstrap, without_resamples_gives_the_value_three_times) {
  const Bootstrap result = bootstrap({clusters_of({1, 2, 6})}, kMean, {.resamples = 0, .seed = 0});
  EXPECT_EQ(result.systems[0][0].value, 3);
  EXPECT_EQ(result.systems[0][0].lo, 3);
  EXPECT_EQ(result.systems[0][0].hi, 3);
}

TEST(Bootstrap, standard_error_of_a_mean_is_that_of_theory) {
  std::vector<double> values;
  for (int i = 0; i < 400; ++i) values.push_back(i % 2);  // variance 1/4, standard error 0.5 / 20
  const Bootstrap result = bootstrap({clusters_of(values)}, kMean, {.resamples = 4000, .seed = 3});
  EXPECT_NEAR(result.systems[0][0].hi - result.systems[0][0].lo, 2 * 1.96 * 0.025, 0.006);
}

TEST(Bootstrap, weighs_clusters_by_their_reports) {
  const Bootstrap result = bootstrap({{{6, 3}, {10, 1}}}, kMean, {.resamples = 10, .seed = 0});
  EXPECT_EQ(result.systems[0][0].value, 4);
}

TEST(Bootstrap, gives_the_same_numbers_for_the_same_seed_only) {
  const auto clusters = clusters_of({1, 5, 2, 9, 4});
  EXPECT_EQ(bootstrap({clusters}, kMean, {.resamples = 50, .seed = 1}).resampled,
            bootstrap({clusters}, kMean, {.resamples = 50, .seed = 1}).resampled);
  EXPECT_NE(bootstrap({clusters}, kMean, {.resamples = 50, .seed = 1}).resampled,
            bootstrap({clusters}, kMean, {.resamples = 50, .seed = 2}).resampled);
}

TEST(PairedDifference, uses_the_same_clusters_for_both_systems) {
  std::vector<double> a;
  std::vector<double> b;
  for (int i = 0; i < 50; ++i) {
    a.push_back(i);
    b.push_back(i - 0.5);  // far apart between clusters, always 0.5 apart within one
  }
  const Difference d = paired_difference(
      bootstrap({clusters_of(a), clusters_of(b)}, kMean, {.resamples = 200, .seed = 0}), 0, 1, 0);
  EXPECT_NEAR(d.value, 0.5, 1e-12);
  EXPECT_NEAR(d.lo, 0.5, 1e-12);
  EXPECT_NEAR(d.hi, 0.5, 1e-12);
  EXPECT_NEAR(d.p, 2.0 / 201, 1e-12);  // no resample at or below 0: 2 (1 + 0) / (1 + 200)
}

TEST(PairedDifference, of_a_system_with_itself_is_nothing) {
  const auto clusters = clusters_of({1, 2, 3});
  const Difference d = paired_difference(
      bootstrap({clusters, clusters}, kMean, {.resamples = 100, .seed = 0}), 0, 1, 0);
  EXPECT_EQ(d.value, 0);
  EXPECT_EQ(d.p, 1);
}

// A hand-worked case: of the resamples' 10 values 3 are below 4.5, so z0 = quantile(0.3) =
// -0.524401; the jackknife 1, 2, 6 has mean 3, influences 2, 1, -3, squares 14, cubes -18, so a =
// -18 / (6 14^1.5) = -0.057270.
TEST(IntervalOf, bca_is_what_efron_and_tibshirani_write) {
  const std::vector<double> resampled{2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  const Interval v = interval_of(4.5, resampled, {1, 2, 6});
  const auto cdf = [](double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); };
  const double z0 = -0.5244005127080407, a = -18 / (6 * std::pow(14, 1.5));
  const auto level = [&](double z) { return cdf(z0 + (z0 + z) / (1 - a * (z0 + z))); };
  EXPECT_NEAR(v.lo, percentile(resampled, level(-1.959963984540054)), 1e-9);
  EXPECT_NEAR(v.hi, percentile(resampled, level(1.959963984540054)), 1e-9);
  EXPECT_LT(v.hi, interval_of(4.5, resampled).hi);
}

TEST(IntervalOf, bca_without_bias_or_skew_is_the_percentile_interval) {
  const std::vector<double> resampled{1, 2, 3, 4, 5, 6, 7, 8, 9};
  const Interval bca = interval_of(5, resampled, {4, 5, 6});
  EXPECT_NEAR(bca.lo, interval_of(5, resampled).lo, 1e-12);
  EXPECT_NEAR(bca.hi, interval_of(5, resampled).hi, 1e-12);
}

TEST(IntervalOf, bca_has_none_where_all_resamples_are_on_one_side) {
  EXPECT_TRUE(std::isnan(interval_of(0, {1, 2, 3}, {1, 2, 3}).lo));
}

TEST(PermutationTest, tries_all_sides_of_few_clusters) {
  const std::vector<SumVector> a = clusters_of({1, 2, 3}), b = clusters_of({0, 0, 0});
  // Of 8 signings of 1, 2, 3 one reaches the mean 2: a tail of 1/8, doubled.
  EXPECT_DOUBLE_EQ(permutation_test(a, b, kMean, 8, 0)[0], 0.25);
  EXPECT_DOUBLE_EQ(permutation_test(b, a, kMean, 8, 0)[0], 0.25);
  EXPECT_DOUBLE_EQ(permutation_test(a, a, kMean, 8, 0)[0], 1);
}

TEST(PermutationTest, random_sides_come_close_to_all_sides) {
  std::vector<double> a, b;
  for (int i = 0; i < 12; ++i) {
    a.push_back(i * i % 7);
    b.push_back(i * 3 % 5);
  }
  const double exact = permutation_test(clusters_of(a), clusters_of(b), kMean, 4096, 0)[0];
  const double drawn = permutation_test(clusters_of(a), clusters_of(b), kMean, 4000, 5)[0];
  EXPECT_NEAR(drawn, exact, 4 * std::sqrt(exact / 4000));
  EXPECT_GT(drawn, 0);
  EXPECT_EQ(permutation_test(clusters_of(a), clusters_of(b), kMean, 500, 5),
            permutation_test(clusters_of(a), clusters_of(b), kMean, 500, 5));
}

TEST(Holm, steps_down_and_never_falls) {
  const double none = std::nan("");
  const std::vector<double> p = holm({0.01, 0.04, none, 0.03, 0.005});
  EXPECT_DOUBLE_EQ(p[0], 0.03);  // 3 x 0.01
  EXPECT_DOUBLE_EQ(p[1], 0.06);  // 1 x 0.04, but not below the one before
  EXPECT_TRUE(std::isnan(p[2]));
  EXPECT_DOUBLE_EQ(p[3], 0.06);  // 2 x 0.03
  EXPECT_DOUBLE_EQ(p[4], 0.02);  // 4 x 0.005
  EXPECT_EQ(holm({0.9, 0.8})[1], 1);
}

}  // namespace
}  // namespace unirg::evaluation
