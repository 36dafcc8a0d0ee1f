// Does a metric order reports as people do? Rank and linear correlation, bootstrap intervals and
// permutation tests, for the comparison of metrics with human ratings. Values equal scipy.stats
// (1.11 and later): pearsonr, spearmanr, kendalltau (variant b). Pure numbers; depends on base/rng.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

namespace unirg::metrics {

using Values = std::span<const double>;

/// All three: x and y of one length (anything else is a broken invariant). In [-1, 1]; nullopt for
/// fewer than two pairs, where x or y is constant, or where a value is not finite: there is no
/// correlation then, and 0 would be a lie.

/// Pearson's r.
std::optional<double> pearson(Values x, Values y);
/// Pearson's r of the ranks, tied values share their mean rank.
std::optional<double> spearman(Values x, Values y);
/// Kendall's tau-b: (concordant - discordant) / sqrt((pairs - ties in x)(pairs - ties in y)).
/// O(n log n) (Knight 1966).
std::optional<double> kendall_tau_b(Values x, Values y);

using Statistic = std::function<std::optional<double>(Values x, Values y)>;

struct Resampling {
  int64_t times = 1000;
  uint64_t seed = 0;
  double level = 0.95;  ///< of the interval; in (0, 1)
};

struct Interval {
  double low = 0, high = 0;
  int64_t used = 0;  ///< resamples that had a value; the others (constant draws) are left out
};

/// Percentile bootstrap over pairs (Efron 1979): draws n pairs with replacement; the bounds are the
/// (1 - level) / 2 and (1 + level) / 2 quantiles with linear interpolation (numpy.percentile).
/// Draw b depends on (seed, b) alone. nullopt if no resample has a value.
std::optional<Interval> bootstrap_interval(const Statistic& statistic, Values x, Values y,
                                           const Resampling& how = {});

/// Two-sided permutation test of "no association": y is shuffled; the share of shuffles whose
/// |statistic| reaches the observed one, the observed order counted as one: (hits + 1) / (times +
/// 1). nullopt where the statistic has no value. Costs times * O(n log n).
std::optional<double> permutation_p(const Statistic& statistic, Values x, Values y,
                                    const Resampling& how = {});

}  // namespace unirg::metrics
