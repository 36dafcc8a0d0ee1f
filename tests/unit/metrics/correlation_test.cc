// Correlations by hand and equal to scipy.stats (golden/correlation.json, made by
// tests/parity/make_label_golden.py), intervals and permutation tests.
// SPDX-License-Identifier: Apache-2.0
#include "metrics/correlation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <vector>

#include "io/atomic_file.h"
#include "io/jsonl.h"

namespace unirg::metrics {
namespace {

using List = std::vector<double>;

TEST(Correlation, is_worked_by_hand) {
  // x has one tie; of the 6 pairs 4 agree and 1 disagrees: (4 - 1) / sqrt(5 * 6).
  const List x{1, 2, 2, 3};
  const List y{1, 2, 4, 3};
  EXPECT_NEAR(*kendall_tau_b(x, y), 3 / std::sqrt(30.0), 1e-15);
  // Deviations x -1 0 0 1, y -1.5 -.5 1.5 .5: 2 / sqrt(2 * 5).
  EXPECT_NEAR(*pearson(x, y), 2 / std::sqrt(10.0), 1e-15);
  // Ranks x 1 2.5 2.5 4, y 1 2 4 3: deviations -1.5 0 0 1.5 and -1.5 -.5 1.5 .5.
  EXPECT_NEAR(*spearman(x, y), 3 / std::sqrt(4.5 * 5), 1e-15);
}

TEST(Correlation, has_no_value_where_there_is_none) {
  const List none;
  const List one{1};
  const List flat{2, 2, 2};
  const List rising{1, 2, 3};
  const List broken{1, std::numeric_limits<double>::quiet_NaN(), 3};
  for (const auto& statistic : {pearson, spearman, kendall_tau_b}) {
    EXPECT_FALSE(statistic(none, none));
    EXPECT_FALSE(statistic(one, one));
    EXPECT_FALSE(statistic(flat, rising));
    EXPECT_FALSE(statistic(rising, flat));
    EXPECT_FALSE(statistic(rising, broken));
    EXPECT_THROW((void)statistic(one, rising), std::logic_error);
  }
}

void expect_value(const std::optional<double>& ours, const io::Json& theirs, size_t which) {
  ASSERT_EQ(ours.has_value(), !theirs.is_null()) << which;
  if (ours) {
    EXPECT_NEAR(*ours, theirs.get<double>(), 1e-12) << which;
  }
}

TEST(Correlation, equals_scipy_with_ties_and_constants) {
  const auto file =
      std::filesystem::path(UNIRG_SOURCE_DIR) / "tests/unit/metrics/golden/correlation.json";
  const io::Json golden = io::Json::parse(io::read_file(file));
  size_t cases = 0;
  for (const io::Json& c : golden.at("cases")) {
    const auto x = c.at("x").get<List>();
    const auto y = c.at("y").get<List>();
    expect_value(pearson(x, y), c.at("pearson"), cases);
    expect_value(spearman(x, y), c.at("spearman"), cases);
    expect_value(kendall_tau_b(x, y), c.at("kendall"), cases);
    ++cases;
  }
  EXPECT_EQ(cases, 12U);
}

TEST(Bootstrap, is_the_same_for_the_same_seed_and_covers_the_value) {
  List x;
  List y;
  for (int i = 0; i < 60; ++i) {
    x.push_back(i);
    y.push_back(i + 25 * ((i * 37) % 11 - 5));
  }
  const Resampling how{500, 7, 0.95};
  const auto a = bootstrap_interval(pearson, x, y, how);
  const auto b = bootstrap_interval(pearson, x, y, how);
  const auto other = bootstrap_interval(pearson, x, y, {500, 8, 0.95});
  ASSERT_TRUE(a && b && other);
  EXPECT_EQ(a->low, b->low);
  EXPECT_EQ(a->high, b->high);
  EXPECT_NE(a->low, other->low);
  EXPECT_EQ(a->used, 500);
  EXPECT_LT(a->low, *pearson(x, y));
  EXPECT_GT(a->high, *pearson(x, y));
  // Fisher's interval for the same r and n, a different method: the two are near.
  const double z = std::atanh(*pearson(x, y));
  EXPECT_NEAR(a->low, std::tanh(z - 1.96 / std::sqrt(57.0)), 0.08);
  EXPECT_NEAR(a->high, std::tanh(z + 1.96 / std::sqrt(57.0)), 0.08);
}

TEST(Bootstrap, interpolates_like_numpy_and_leaves_out_draws_without_value) {
  // A statistic that gives 0, 1, 2, 3, 4 in turn: the 10 and 90 percent points are 0.4 and 3.6.
  int turn = 0;
  const Statistic counter = [&](Values, Values) { return std::optional<double>(turn++); };
  const List pair{1, 2};
  const auto interval = bootstrap_interval(counter, pair, pair, {5, 0, 0.8});
  EXPECT_NEAR(interval->low, 0.4, 1e-12);
  EXPECT_NEAR(interval->high, 3.6, 1e-12);
  const auto some = bootstrap_interval(pearson, pair, pair, {100, 0, 0.95});
  ASSERT_TRUE(some);  // about half of the draws take one pair twice
  EXPECT_GT(some->used, 20);
  EXPECT_LT(some->used, 80);
  const List flat{1, 1};
  EXPECT_FALSE(bootstrap_interval(pearson, pair, flat));
}

TEST(Permutation, tells_association_from_none) {
  List x;
  List y;
  List unrelated;
  for (int i = 0; i < 40; ++i) {
    x.push_back(i);
    y.push_back(i % 2 == 0 ? i : -i + 60);
    unrelated.push_back((i * 17) % 40);
  }
  EXPECT_DOUBLE_EQ(*permutation_p(kendall_tau_b, x, x, {199, 1}), 1.0 / 200);
  EXPECT_GT(*permutation_p(pearson, x, unrelated, {199, 1}), 0.05);
  const List flat(40, 1.0);
  EXPECT_FALSE(permutation_p(pearson, x, flat));
  // All six orders of three values give r = 1, .5, .5, -.5, -.5, -1: p of r = 1 is about 1/3.
  const List three{1, 2, 3};
  EXPECT_NEAR(*permutation_p(pearson, three, three, {3000, 3}), 1.0 / 3, 0.03);
}

}  // namespace
}  // namespace unirg::metrics
