// Cluster bootstrap: means and corpus F1 with percentile intervals, and paired differences,
// resampled by patient. Pure numbers; deterministic. Source: Efron and Tibshirani, "An introduction
// to the bootstrap", chapters 8 and 13. SPDX-License-Identifier: Apache-2.0
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
  double lo = 0, hi = 0;  ///< 2.5 and 97.5 percentiles of the resamples, linear interpolation
};

/// All NaN where one of the two has no value; of resamples, those count where both have one.
struct Difference {
  double value = 0, lo = 0, hi = 0;
  double p =
      1;  ///< two-sided: min(1, 2 (1 + min(#resamples <= 0, #resamples >= 0)) / (1 + resamples))
};

/// Statistics of several systems on the same resampled clusters.
struct Bootstrap {
  std::vector<std::vector<Interval>> systems;               ///< [system][statistic]
  std::vector<std::vector<std::vector<double>>> resampled;  ///< [system][statistic][resample]
};

/// \param clusters [system][cluster]: sums of each cluster; every system has the same clusters in
/// the same order \param resamples e.g. 1000
Bootstrap bootstrap(const std::vector<std::vector<SumVector>>& clusters, const Statistic& statistic,
                    int64_t resamples, uint64_t seed);

/// a - b for one statistic, from the resamples of one bootstrap (paired: same clusters in each
/// resample).
Difference paired_difference(const Bootstrap& result, size_t a, size_t b, size_t statistic);

/// Linear interpolation between order statistics (numpy's default). NaN values, statistics that a
/// resample does not have, are left out; NaN if nothing is left. \param q 0..1
double percentile(std::vector<double> values, double q);

}  // namespace unirg::evaluation
