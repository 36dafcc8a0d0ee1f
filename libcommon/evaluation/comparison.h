// Scores of one or several systems as tables: means with intervals per split, paired differences,
// per site and per condition. Depends on scores.h, statistics.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "evaluation/scores.h"
#include "evaluation/statistics.h"
#include "scoring/composition.h"

namespace unirg::evaluation {

struct ComparisonOptions {
  std::vector<std::pair<std::string, std::string>> pairs = {};  ///< (a, b): a - b is reported
  scoring::Composition composite = {};  ///< of the metric "composite"; without terms: none
  Resampling resampling = {};
  int64_t permutations = 0;          ///< of the pairs' test; 0: their p is the bootstrap's
  std::vector<std::string> by = {};  ///< what groups are told apart by (groups.h)
  bool error_shares = false;  ///< adds the shares of reports with 0 or 1, 2, 3, 4 or more errors
  std::string baseline = {};  ///< adds the pair of each other system and this one; "": none
};

/// One system on one split.
struct SystemResult {
  std::vector<std::pair<std::string, Interval>>
      metrics;  ///< per-report means, corpus metrics, then micro-f1, macro-f1, call-rate
  int64_t reports = 0;
  std::map<std::string, int64_t> valued;  ///< reports behind each metric's number
  bool labelled = true;                   ///< whether conditions were read
  metrics::ConditionCounts conditions{};
};

/// The reports of one split that are alike in something.
struct Group {
  std::string label;
  int64_t reports = 0;
  std::map<std::string, std::vector<std::pair<std::string, Interval>>>
      systems;  ///< as SystemResult::metrics
};

struct Grouping {
  std::string by, split;
  std::vector<Group> groups;
};

struct Comparison {
  std::vector<std::string> systems;  ///< in order of first appearance
  std::vector<std::string> splits;
  std::vector<std::string> seeds;
  std::map<std::pair<std::string, std::string>, SystemResult> results;  ///< (system, split)
  struct Pair {
    std::string a, b, split;
    std::vector<std::pair<std::string, Difference>> metrics;
    std::map<std::string, int64_t> reports;  ///< by metric, those with a value of both
  };
  std::vector<Pair> pairs;
  std::vector<Grouping> groupings;  ///< for each split, in the order of ComparisonOptions::by; then
                                    ///< by site where there are several
};

/// Means are over the reports that have a value, paired differences over those that have one of
/// both systems. The family of a pair's p_holm is all metrics of all pairs of its split. micro-f1
/// and macro-f1 follow the labels of the score records, where they were read; No Finding is left
/// out of them (it is the absence of the others). Clusters are patients. \throws Error(Exit::data)
/// if two systems of a split do not have the same reports
Comparison compare(const std::vector<Score>& scores, const ComparisonOptions& options);

/// Whether there was a bootstrap: without resamples no interval has a width, and none may be shown.
bool has_intervals(const Comparison& comparison);

/// summary.json: systems.<system>.<split>.<metric> = {mean, lo, hi, n},
/// paired.<a>-<b>.<split>.<metric> = {diff, lo, hi, p, p_holm, n},
/// groups.<by>.<split>.<label> = {n, systems: {<system>: {<metric>: {mean, lo, hi}}}}.
data::Json summary_json(const Comparison& comparison,
                        const std::map<std::string, std::string>& signatures);
std::string tsv_table(const Comparison& comparison);

}  // namespace unirg::evaluation
