// statistics_probe: the door through which statistics_peers.py compares evaluation/statistics.h
// with scipy. Reads one JSON case, prints one JSON answer:
//   {"clusters": [[[sum, ...], ...], ...], "statistic": NAME, "kind": "percentile"|"bca",
//    "resamples": N, "permutations": N, "seed": N}
// gives {"values": [...], "intervals": [[lo, hi], ...], "difference": [value, lo, hi], "p": P}, a
// value and interval for each of one or two systems; and
//   {"coverage": DATASETS, "patients": N, "kind": ..., "resamples": N, "seed": N}
// gives {"covered": SHARE}: how often the interval of a mean over patients holds the true one.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <exception>
#include <iostream>
#include <iterator>
#include <map>

#include "base/rng.h"
#include "evaluation/statistics.h"
#include "io/jsonl.h"

namespace {

using unirg::io::Json;
using namespace unirg::evaluation;

/// Each a function of sums, as any statistic of ours is.
const std::map<std::string, Statistic>& statistics() {
  static const std::map<std::string, Statistic> all{
      // value, 1
      {"mean", [](const SumVector& s) { return std::vector{s[0] / s[1]}; }},
      // x, x^2, 1
      {"variance",
       [](const SumVector& s) {
         const double mean = s[0] / s[2];
         return std::vector{s[1] / s[2] - mean * mean};
       }},
      // x, y, x^2, y^2, xy, 1
      {"correlation",
       [](const SumVector& s) {
         const double n = s[5];
         return std::vector{(n * s[4] - s[0] * s[1]) /
                            std::sqrt((n * s[2] - s[0] * s[0]) * (n * s[3] - s[1] * s[1]))};
       }},
      // true positives, false positives, false negatives
      {"f1", [](const SumVector& s) { return std::vector{2 * s[0] / (2 * s[0] + s[1] + s[2])}; }}};
  return all;
}

IntervalKind kind_of(const Json& given) {
  return given.at("kind") == "bca" ? IntervalKind::bca : IntervalKind::percentile;
}

Resampling resampling_of(const Json& given) {
  return {given.at("resamples"), given.at("seed"), kind_of(given)};
}

Json answer_case(const Json& given) {
  const auto clusters = given.at("clusters").get<std::vector<std::vector<SumVector>>>();
  const Statistic& statistic = statistics().at(given.at("statistic"));
  const Bootstrap result = bootstrap(clusters, statistic, resampling_of(given));
  Json answer{{"values", Json::array()}, {"intervals", Json::array()}};
  for (const auto& system : result.systems) {
    answer["values"].push_back(system[0].value);
    answer["intervals"].push_back({system[0].lo, system[0].hi});
  }
  if (clusters.size() < 2) return answer;
  const Difference d = paired_difference(result, 0, 1, 0);
  answer["difference"] = {d.value, d.lo, d.hi};
  answer["p"] = permutation_test(clusters[0], clusters[1], statistic, given.at("permutations"),
                                 given.at("seed"))[0];
  return answer;
}

/// Reports of patients as scores are: between 0 and 1, skewed, one to three a patient, alike within
/// one. The mean of a report is 1/3: the square of a uniform number.
std::vector<SumVector> draw_patients(size_t patients, unirg::Rng& rng) {
  std::vector<SumVector> clusters;
  for (size_t i = 0; i < patients; ++i) {
    const double score = std::pow(rng.uniform(0, 1), 2);
    const auto reports = static_cast<double>(1 + rng.below(3));
    clusters.push_back({score * reports, reports});
  }
  return clusters;
}

Json answer_coverage(const Json& given) {
  const int64_t datasets = given.at("coverage");
  Resampling resampling = resampling_of(given);
  int64_t covered = 0;
  for (int64_t i = 0; i < datasets; ++i) {
    unirg::Rng rng(resampling.seed, "coverage", {}, static_cast<uint64_t>(i));
    const Interval v =
        bootstrap({draw_patients(given.at("patients"), rng)}, statistics().at("mean"), resampling)
            .systems[0][0];
    covered += v.lo <= 1.0 / 3 && 1.0 / 3 <= v.hi;
    ++resampling.seed;
  }
  return {{"covered", static_cast<double>(covered) / static_cast<double>(datasets)}};
}

}  // namespace

int main() try {
  const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  const Json given = Json::parse(text);
  const Json answer = given.contains("coverage") ? answer_coverage(given) : answer_case(given);
  fmt::print("{}\n", answer.dump());
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "statistics_probe: error: {}\n", error.what());
  return 65;
}
