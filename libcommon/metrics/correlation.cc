// SPDX-License-Identifier: Apache-2.0
#include "metrics/correlation.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/error.h"
#include "base/rng.h"

namespace unirg::metrics {
namespace {

bool constant(Values v) {
  return std::all_of(v.begin(), v.end(), [&](double value) { return value == v.front(); });
}

/// Whether a correlation of x and y exists at all.
bool correlated(Values x, Values y) {
  UNIRG_ASSERT(x.size() == y.size(), "correlation of lists of two lengths");
  const auto finite = [](double value) { return std::isfinite(value); };
  return x.size() >= 2 && std::all_of(x.begin(), x.end(), finite) &&
         std::all_of(y.begin(), y.end(), finite) && !constant(x) && !constant(y);
}

std::vector<size_t> order_of(Values v) {
  std::vector<size_t> order(v.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return v[a] < v[b]; });
  return order;
}

/// Ranks from 1; tied values get the mean of theirs.
std::vector<double> ranks(Values v) {
  const std::vector<size_t> order = order_of(v);
  std::vector<double> rank(v.size());
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin + 1;
    while (end < order.size() && v[order[end]] == v[order[begin]]) ++end;
    const double mean = (static_cast<double>(begin + end) + 1) / 2;
    for (size_t i = begin; i < end; ++i) rank[order[i]] = mean;
    begin = end;
  }
  return rank;
}

double pairs(size_t n) { return static_cast<double>(n) * (static_cast<double>(n) - 1) / 2; }

/// Pairs within runs of equal neighbours.
template <typename Same>
double tied_pairs(size_t n, const Same& same) {
  double tied = 0;
  for (size_t begin = 0; begin < n;) {
    size_t end = begin + 1;
    while (end < n && same(begin, end)) ++end;
    tied += pairs(end - begin);
    begin = end;
  }
  return tied;
}

/// Sorts v by merging; the number of pairs that stood in the wrong order. `room` is as long as v.
double sort_inversions(std::span<double> v, std::span<double> room) {
  if (v.size() < 2) return 0;
  const size_t half = v.size() / 2;
  double inversions = sort_inversions(v.first(half), room.first(half)) +
                      sort_inversions(v.subspan(half), room.subspan(half));
  size_t left = 0;
  size_t right = half;
  for (double& slot : room) {
    if (left < half && (right == v.size() || v[left] <= v[right])) {
      slot = v[left++];
    } else {
      inversions += static_cast<double>(half - left);
      slot = v[right++];
    }
  }
  std::copy(room.begin(), room.end(), v.begin());
  return inversions;
}

/// Linear interpolation between the order statistics.
double quantile(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(std::floor(at));
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

std::optional<double> pearson(Values x, Values y) {
  if (!correlated(x, y)) return std::nullopt;
  const auto n = static_cast<double>(x.size());
  const double mean_x = std::accumulate(x.begin(), x.end(), 0.0) / n;
  const double mean_y = std::accumulate(y.begin(), y.end(), 0.0) / n;
  double xx = 0;
  double yy = 0;
  double xy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double dx = x[i] - mean_x;
    const double dy = y[i] - mean_y;
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  const double norm = std::sqrt(xx) * std::sqrt(yy);
  if (norm == 0 || !std::isfinite(norm)) return std::nullopt;  // differences below or above double
  return std::clamp(xy / norm, -1.0, 1.0);
}

std::optional<double> spearman(Values x, Values y) {
  if (!correlated(x, y)) return std::nullopt;
  return pearson(ranks(x), ranks(y));
}

std::optional<double> kendall_tau_b(Values x, Values y) {
  if (!correlated(x, y)) return std::nullopt;
  const size_t n = x.size();
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return x[a] != x[b] ? x[a] < x[b] : y[a] < y[b]; });
  std::vector<double> by_x(n);
  for (size_t i = 0; i < n; ++i) by_x[i] = y[order[i]];
  const auto same_x = [&](size_t a, size_t b) { return x[order[a]] == x[order[b]]; };
  const double ties_x = tied_pairs(n, same_x);
  const double ties_both =
      tied_pairs(n, [&](size_t a, size_t b) { return same_x(a, b) && by_x[a] == by_x[b]; });
  std::vector<double> room(n);
  const double discordant = sort_inversions(by_x, room);
  const double ties_y = tied_pairs(n, [&](size_t a, size_t b) { return by_x[a] == by_x[b]; });
  const double all = pairs(n);
  const double difference = all - ties_x - ties_y + ties_both - 2 * discordant;
  return std::clamp(difference / std::sqrt(all - ties_x) / std::sqrt(all - ties_y), -1.0, 1.0);
}

std::optional<Interval> bootstrap_interval(const Statistic& statistic, Values x, Values y,
                                           const Resampling& how) {
  UNIRG_ASSERT(x.size() == y.size(), "bootstrap of lists of two lengths");
  UNIRG_ASSERT(how.level > 0 && how.level < 1, "level of an interval");
  std::vector<double> found;
  std::vector<double> a(x.size());
  std::vector<double> b(y.size());
  for (int64_t draw = 0; draw < how.times; ++draw) {
    Rng rng(how.seed, "bootstrap", {}, static_cast<uint64_t>(draw));
    for (size_t i = 0; i < x.size(); ++i) {
      const auto pick = static_cast<size_t>(rng.below(x.size()));
      a[i] = x[pick];
      b[i] = y[pick];
    }
    if (const auto value = statistic(a, b)) found.push_back(*value);
  }
  if (found.empty()) return std::nullopt;
  std::sort(found.begin(), found.end());
  return Interval{quantile(found, (1 - how.level) / 2), quantile(found, (1 + how.level) / 2),
                  static_cast<int64_t>(found.size())};
}

std::optional<double> permutation_p(const Statistic& statistic, Values x, Values y,
                                    const Resampling& how) {
  const auto observed = statistic(x, y);
  if (!observed) return std::nullopt;
  constexpr double kRounding = 1e-12;  // a shuffle that changes nothing must count as a hit
  int64_t hits = 0;
  for (int64_t draw = 0; draw < how.times; ++draw) {
    Rng rng(how.seed, "permutation", {}, static_cast<uint64_t>(draw));
    std::vector<double> shuffled(y.begin(), y.end());
    rng.shuffle(shuffled);
    const auto value = statistic(x, shuffled);
    if (value && std::abs(*value) >= std::abs(*observed) - kRounding) ++hits;
  }
  return static_cast<double>(hits + 1) / static_cast<double>(how.times + 1);
}

}  // namespace unirg::metrics
