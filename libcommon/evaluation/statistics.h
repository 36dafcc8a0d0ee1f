// Cluster bootstrap (percentile and BCa intervals), paired permutation test and Holm's correction:
// all resample whole clusters, the patients. Pure numbers; deterministic. Sources: Efron and
// Tibshirani, "An introduction to the bootstrap", chapters 8, 13, 14 and 15; Holm 1979.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace unirg::evaluation {

/// What is summed over the reports of a cluster (patient): any statistic is a function of such
/// sums.
using SumVector = std::vector<double>;
/// From sums over clusters to statistics, e.g. means and micro F1.
using Statistic = std::function<std::vector<double>(const SumVector&)>;

struct Interval {
  double value = 0;       ///< on the data as they are; NaN where the statistic has no value
  double lo = 0, hi = 0;  ///< 95%, linear interpolation between order statistics
};

enum class IntervalKind {
  percentile,  ///< the 2.5 and 97.5 percentiles of the resamples
  bca,         ///< bias-corrected and accelerated: percentiles moved by what the resamples' median
               ///< and a jackknife over the clusters say
};

struct Resampling {
  int64_t resamples = 1000;
  uint64_t seed = 0;
  IntervalKind kind = IntervalKind::percentile;
};

/// All NaN where one of the two has no value; of resamples, those count where both have one.
struct Difference {
  double value = 0, lo = 0, hi = 0;
  /// Two-sided. Of the bootstrap: min(1, 2 (1 + min(#resamples <= 0, #resamples >= 0)) /
  /// (1 + resamples)); or of the permutation test in its place.
  double p = 1;
  double p_holm = 1;  ///< p corrected for the family it belongs to (holm())
};

/// Statistics of several systems on the same resampled clusters.
struct Bootstrap {
  std::vector<std::vector<Interval>> systems;               ///< [system][statistic]
  std::vector<std::vector<std::vector<double>>> resampled;  ///< [system][statistic][resample]
  /// [system][statistic][cluster]: without that cluster; only for BCa.
  std::vector<std::vector<std::vector<double>>> jackknife;
};

/// \param clusters [system][cluster]: sums of each cluster; every system has the same clusters in
/// the same order
Bootstrap bootstrap(const std::vector<std::vector<SumVector>>& clusters, const Statistic& statistic,
                    const Resampling& resampling);

/// a - b for one statistic, from the resamples of one bootstrap (paired: same clusters in each
/// resample).
Difference paired_difference(const Bootstrap& result, size_t a, size_t b, size_t statistic);

/// The interval of a value from its resamples, by BCa if there is a jackknife (a statistic without
/// each cluster), else by percentiles. NaN values are left out; without resamples, or where BCa has
/// none (all resamples on one side), it is NaN. The bias correction counts equal resamples half.
Interval interval_of(double value, const std::vector<double>& resampled,
                     const std::vector<double>& jackknife = {});

/// Two-sided p of each statistic's difference a - b, if it does not matter which of a cluster's two
/// sums is whose: sums of clusters change sides at random. Twice the smaller tail, at most 1;
/// (1 + count) / (1 + permutations) a tail, or all 2^n sides where they are no more than
/// permutations. NaN where a difference is. \param a,b the same clusters in the same order
/// \param permutations at least 1
std::vector<double> permutation_test(const std::vector<SumVector>& a,
                                     const std::vector<SumVector>& b, const Statistic& statistic,
                                     int64_t permutations, uint64_t seed);

/// Holm's step-down correction: each p of a family so that the chance of any false rejection in it
/// stays below the level. NaN is no test and stays. In the order given.
std::vector<double> holm(const std::vector<double>& p);

/// Linear interpolation between order statistics (numpy's default). NaN values, statistics that a
/// resample does not have, are left out; NaN if nothing is left. \param q 0..1
double percentile(std::vector<double> values, double q);

}  // namespace unirg::evaluation
