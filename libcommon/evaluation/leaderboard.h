// Systems as rows, best first, as leaderboards print them: Markdown and LaTeX. Depends on
// comparison.h. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "evaluation/comparison.h"
#include "scoring/family.h"

namespace unirg::evaluation {

struct LeaderboardOptions {
  std::vector<scoring::MetricInfo> metrics;  ///< their directions; unknown ones are not ranked
  /// What the others are compared with: where a comparison has the pairs, "*" marks what is better
  /// and "!" what is worse with p_holm below 0.05. "": none.
  std::string baseline;
};

/// Of one split: a row for each system by its rank in the first metric that has a direction, a
/// column for each metric with its direction, the best value bold.
std::string leaderboard_markdown(const Comparison& comparison, const std::string& split,
                                 const LeaderboardOptions& options);

/// A table environment for each split (package booktabs), intervals in small print.
std::string leaderboard_latex(const Comparison& comparison, const LeaderboardOptions& options);

/// Everything of a comparison: for each split the leaderboard of several systems, means, paired
/// differences, F1 per condition and groups. \param signatures stand below the tables, what
/// was computed exactly
std::string markdown_tables(const Comparison& comparison, const LeaderboardOptions& options,
                            const std::map<std::string, std::string>& signatures = {});

}  // namespace unirg::evaluation
