// SPDX-License-Identifier: Apache-2.0
#include "evaluation/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/rng.h"

namespace unirg::evaluation {
namespace {

void add(SumVector& sum, const SumVector& part) {
  for (size_t i = 0; i < sum.size(); ++i) sum[i] += part[i];
}

SumVector total(const std::vector<SumVector>& clusters) {
  SumVector sum(clusters.front().size());
  for (const SumVector& cluster : clusters) add(sum, cluster);
  return sum;
}

}  // namespace

double percentile(std::vector<double> values, double q) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::sort(values.begin(), values.end());
  const double at = q * static_cast<double>(values.size() - 1);
  const auto low = static_cast<size_t>(std::floor(at));
  const size_t high = std::min(low + 1, values.size() - 1);
  return values[low] + (at - std::floor(at)) * (values[high] - values[low]);
}

Bootstrap bootstrap(const std::vector<std::vector<SumVector>>& clusters, const Statistic& statistic,
                    int64_t resamples, uint64_t seed) {
  UNIRG_ASSERT(!clusters.empty() && !clusters.front().empty(), "bootstrap of nothing");
  const size_t n = clusters.front().size();
  Bootstrap result;
  for (const auto& system : clusters) {
    UNIRG_ASSERT(system.size() == n, "systems with different clusters");
    std::vector<Interval> intervals;
    for (const double value : statistic(total(system))) intervals.push_back({value, value, value});
    result.resampled.emplace_back(intervals.size());
    result.systems.push_back(std::move(intervals));
  }
  std::vector<size_t> drawn(n);
  for (int64_t b = 0; b < resamples; ++b) {
    Rng rng(seed, "bootstrap", {}, static_cast<uint64_t>(b));
    for (size_t& cluster : drawn) cluster = static_cast<size_t>(rng.below(n));
    for (size_t s = 0; s < clusters.size(); ++s) {
      SumVector sum(clusters[s].front().size());
      for (const size_t cluster : drawn) add(sum, clusters[s][cluster]);
      const std::vector<double> values = statistic(sum);
      for (size_t k = 0; k < values.size(); ++k) result.resampled[s][k].push_back(values[k]);
    }
  }
  for (size_t s = 0; s < clusters.size() && resamples > 0; ++s) {
    for (size_t k = 0; k < result.systems[s].size(); ++k) {
      result.systems[s][k].lo = percentile(result.resampled[s][k], 0.025);
      result.systems[s][k].hi = percentile(result.resampled[s][k], 0.975);
    }
  }
  return result;
}

Difference paired_difference(const Bootstrap& result, size_t a, size_t b, size_t statistic) {
  Difference d;
  d.value = result.systems[a][statistic].value - result.systems[b][statistic].value;
  const std::vector<double>& left = result.resampled[a][statistic];
  const std::vector<double>& right = result.resampled[b][statistic];
  d.lo = d.hi = d.value;
  if (std::isnan(d.value)) d.p = d.value;
  if (left.empty() || std::isnan(d.value)) return d;
  std::vector<double> differences;
  double not_above = 0;
  double not_below = 0;
  for (size_t i = 0; i < left.size(); ++i) {
    if (std::isnan(left[i] - right[i])) continue;
    differences.push_back(left[i] - right[i]);
    not_above += differences.back() <= 0;
    not_below += differences.back() >= 0;
  }
  d.lo = percentile(differences, 0.025);
  d.hi = percentile(differences, 0.975);
  d.p = std::min(1.0, 2.0 * (1.0 + std::min(not_above, not_below)) /
                          (1.0 + static_cast<double>(differences.size())));
  return d;
}

}  // namespace unirg::evaluation
