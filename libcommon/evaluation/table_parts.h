// Pieces of tables, for tables.cc and leaderboard.cc only. Depends on comparison.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "evaluation/comparison.h"

namespace unirg::evaluation {

/// The metrics of these results, the common ones first.
std::vector<std::string> metric_rows(const std::vector<const SystemResult*>& results);

/// Of each system that has reports in the split.
std::vector<const SystemResult*> results_of(const Comparison& comparison, const std::string& split);

/// What stands beside a name; null if it is not there.
template <typename Pairs>
const typename Pairs::value_type::second_type* find(const Pairs& pairs, const std::string& name) {
  const auto it =
      std::find_if(pairs.begin(), pairs.end(), [&](const auto& p) { return p.first == name; });
  return it == pairs.end() ? nullptr : &it->second;
}

/// Markdown.
std::string row(const std::vector<std::string>& cells);
std::string header(std::vector<std::string> cells);

/// "0.745 [0.724, 0.765]", or "none".
std::string interval_text(const Interval& interval, bool with_bounds);
std::string difference_text(const Difference& difference, bool with_bounds);

}  // namespace unirg::evaluation
