// SPDX-License-Identifier: Apache-2.0
#include "evaluation/statistics.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "base/rng.h"

namespace unirg::evaluation {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kTail = 0.025;  // of a 95% interval, each side

void add(SumVector& sum, const SumVector& part) {
  for (size_t i = 0; i < sum.size(); ++i) sum[i] += part[i];
}

SumVector total(const std::vector<SumVector>& clusters) {
  SumVector sum(clusters.front().size());
  for (const SumVector& cluster : clusters) add(sum, cluster);
  return sum;
}

std::vector<double> valued(std::vector<double> values) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  return values;
}

double cumulative(double z) { return boost::math::cdf(boost::math::normal(), z); }
double quantile(double p) { return boost::math::quantile(boost::math::normal(), p); }

/// Skewness of the jackknife's influence values, a sixth of it. 0 where nothing varies.
double acceleration(const std::vector<double>& jackknife) {
  const std::vector<double> values = valued(jackknife);
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0, cubes = 0;
  for (const double value : values) {
    const double influence = mean - value;
    squares += influence * influence;
    cubes += influence * influence * influence;
  }
  return squares > 0 ? cubes / (6 * std::pow(squares, 1.5)) : 0;
}

/// The share of resamples below the value, equal ones half.
double share_below(double value, const std::vector<double>& resampled) {
  double below = 0;
  for (const double r : resampled) below += r < value ? 1 : r == value ? 0.5 : 0;
  return below / static_cast<double>(resampled.size());
}

/// Which percentile BCa takes instead of `tail`.
double moved(double tail, double bias, double acceleration) {
  const double z = bias + quantile(tail);
  return cumulative(bias + z / (1 - acceleration * z));
}

std::vector<double> difference(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> d(a.size());
  for (size_t i = 0; i < d.size(); ++i) d[i] = a[i] - b[i];
  return d;
}

/// [statistic][cluster]
std::vector<std::vector<double>> leave_each_out(const std::vector<SumVector>& clusters,
                                                const Statistic& statistic) {
  const SumVector all = total(clusters);
  std::vector<std::vector<double>> values(statistic(all).size());
  for (const SumVector& cluster : clusters) {
    SumVector rest = all;
    for (size_t i = 0; i < rest.size(); ++i) rest[i] -= cluster[i];
    const std::vector<double> without = statistic(rest);
    for (size_t k = 0; k < values.size(); ++k) values[k].push_back(without[k]);
  }
  return values;
}

/// Statistics of resample `b` of each system.
void resample(const std::vector<std::vector<SumVector>>& clusters, const Statistic& statistic,
              Rng rng, Bootstrap& result) {
  const size_t n = clusters.front().size();
  std::vector<size_t> drawn(n);
  for (size_t& cluster : drawn) cluster = static_cast<size_t>(rng.below(n));
  for (size_t s = 0; s < clusters.size(); ++s) {
    SumVector sum(clusters[s].front().size());
    for (const size_t cluster : drawn) add(sum, clusters[s][cluster]);
    const std::vector<double> values = statistic(sum);
    for (size_t k = 0; k < values.size(); ++k) result.resampled[s][k].push_back(values[k]);
  }
}

}  // namespace

double percentile(std::vector<double> values, double q) {
  values = valued(std::move(values));
  if (values.empty()) return kNone;
  std::sort(values.begin(), values.end());
  const double at = q * static_cast<double>(values.size() - 1);
  const auto low = static_cast<size_t>(std::floor(at));
  const size_t high = std::min(low + 1, values.size() - 1);
  if (values[low] == values[high]) return values[low];  // also of two infinities
  return values[low] + (at - std::floor(at)) * (values[high] - values[low]);
}

Interval interval_of(double value, const std::vector<double>& resampled,
                     const std::vector<double>& jackknife) {
  const std::vector<double> values = valued(resampled);
  if (std::isnan(value) || values.empty()) return {value, kNone, kNone};
  double low = kTail, high = 1 - kTail;
  if (!jackknife.empty()) {
    const double below = share_below(value, values);
    if (below == 0 || below == 1) return {value, kNone, kNone};
    const double bias = quantile(below), a = acceleration(jackknife);
    low = moved(low, bias, a);
    high = moved(high, bias, a);
  }
  return {value, percentile(values, low), percentile(values, high)};
}

Bootstrap bootstrap(const std::vector<std::vector<SumVector>>& clusters, const Statistic& statistic,
                    const Resampling& resampling) {
  UNIRG_ASSERT(!clusters.empty() && !clusters.front().empty(), "bootstrap of nothing");
  Bootstrap result;
  for (const auto& system : clusters) {
    UNIRG_ASSERT(system.size() == clusters.front().size(), "systems with different clusters");
    std::vector<Interval> intervals;
    for (const double value : statistic(total(system))) intervals.push_back({value, value, value});
    result.resampled.emplace_back(intervals.size());
    result.systems.push_back(std::move(intervals));
  }
  if (resampling.resamples == 0) return result;
  for (int64_t b = 0; b < resampling.resamples; ++b)
    resample(clusters, statistic, Rng(resampling.seed, "bootstrap", {}, static_cast<uint64_t>(b)),
             result);
  for (size_t s = 0; s < clusters.size(); ++s) {
    if (resampling.kind == IntervalKind::bca)
      result.jackknife.push_back(leave_each_out(clusters[s], statistic));
    for (size_t k = 0; k < result.systems[s].size(); ++k) {
      result.systems[s][k] =
          interval_of(result.systems[s][k].value, result.resampled[s][k],
                      result.jackknife.empty() ? std::vector<double>{} : result.jackknife[s][k]);
    }
  }
  return result;
}

Difference paired_difference(const Bootstrap& result, size_t a, size_t b, size_t statistic) {
  Difference d;
  d.value = result.systems[a][statistic].value - result.systems[b][statistic].value;
  const std::vector<double> resampled =
      valued(difference(result.resampled[a][statistic], result.resampled[b][statistic]));
  d.lo = d.hi = d.value;
  if (std::isnan(d.value)) d.p = d.p_holm = d.value;
  if (resampled.empty() || std::isnan(d.value)) return d;
  const Interval interval =
      interval_of(d.value, resampled,
                  result.jackknife.empty()
                      ? std::vector<double>{}
                      : difference(result.jackknife[a][statistic], result.jackknife[b][statistic]));
  d.lo = interval.lo;
  d.hi = interval.hi;
  const auto not_above =
      std::count_if(resampled.begin(), resampled.end(), [](double r) { return r <= 0; });
  const auto not_below =
      std::count_if(resampled.begin(), resampled.end(), [](double r) { return r >= 0; });
  d.p = std::min(1.0, 2.0 * static_cast<double>(1 + std::min(not_above, not_below)) /
                          static_cast<double>(1 + resampled.size()));
  d.p_holm = d.p;
  return d;
}

namespace {

/// How often a difference was at least, at most as large as it is; of one statistic.
struct Tails {
  double observed = 0;
  int64_t above = 0, below = 0;
  /// What is equal but for rounding, or has no value, counts on both sides.
  void count(double value) {
    const double slack = 1e-12 * std::max(1.0, std::abs(observed));
    above += static_cast<int64_t>(!(value < observed - slack));
    below += static_cast<int64_t>(!(value > observed + slack));
  }
};

/// All sides of n clusters, or -1 where they are more than `most`.
int64_t all_sides(size_t n, int64_t most) {
  return n < 62 && int64_t{1} << n <= most ? int64_t{1} << n : -1;
}

}  // namespace

std::vector<double> permutation_test(const std::vector<SumVector>& a,
                                     const std::vector<SumVector>& b, const Statistic& statistic,
                                     int64_t permutations, uint64_t seed) {
  UNIRG_ASSERT(!a.empty() && a.size() == b.size() && permutations > 0, "permutation of nothing");
  const SumVector left = total(a), right = total(b);
  std::vector<Tails> tails;
  for (const double value : difference(statistic(left), statistic(right)))
    tails.push_back({.observed = value});
  const int64_t sides = all_sides(a.size(), permutations);
  const int64_t rounds = sides > 0 ? sides : permutations;
  for (int64_t round = 0; round < rounds; ++round) {
    Rng rng(seed, "permutation", {}, static_cast<uint64_t>(round));
    SumVector one = left, other = right;
    for (size_t c = 0; c < a.size(); ++c) {
      const bool swapped = sides > 0 ? (round >> c & 1) != 0 : rng.chance(0.5);
      if (!swapped) continue;
      for (size_t i = 0; i < one.size(); ++i) {
        one[i] += b[c][i] - a[c][i];
        other[i] += a[c][i] - b[c][i];
      }
    }
    const std::vector<double> differences = difference(statistic(one), statistic(other));
    for (size_t k = 0; k < tails.size(); ++k) tails[k].count(differences[k]);
  }
  const int64_t added = sides > 0 ? 0 : 1;  // the data as they are is one of all sides
  std::vector<double> p;
  for (const Tails& t : tails) {
    const auto tail = static_cast<double>(std::min(t.above, t.below) + added);
    p.push_back(std::isnan(t.observed)
                    ? kNone
                    : std::min(1.0, 2 * tail / static_cast<double>(rounds + added)));
  }
  return p;
}

std::vector<double> holm(const std::vector<double>& p) {
  std::vector<size_t> order;
  for (size_t i = 0; i < p.size(); ++i) {
    if (!std::isnan(p[i])) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return p[a] < p[b]; });
  std::vector<double> corrected = p;
  double before = 0;
  for (size_t rank = 0; rank < order.size(); ++rank) {
    before =
        std::max(before, std::min(1.0, static_cast<double>(order.size() - rank) * p[order[rank]]));
    corrected[order[rank]] = before;
  }
  return corrected;
}

}  // namespace unirg::evaluation
