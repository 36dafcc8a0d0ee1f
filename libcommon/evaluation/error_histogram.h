// How many reports have how many errors: a mean hides whether few reports are very wrong or all are
// a little. Depends on scores.h. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "evaluation/scores.h"

namespace unirg::evaluation {

inline constexpr std::array<std::string_view, 4> kErrorBins{"at most 1", "2", "3", "4 or more"};

/// Of kErrorBins. \param errors not below 0; between whole numbers (a judge's mean) the nearest
/// counts
size_t error_bin(double errors);

struct ErrorHistogram {
  std::string system, split;
  std::array<int64_t, kErrorBins.size()> reports{};  ///< by kErrorBins
};

/// Of every system and split, in order of first appearance, all seeds together, from the per-report
/// metric "errors"; a count between whole numbers (a judge's mean) goes to the nearest one. Reports
/// without a value are left out, and so is a system that has none.
std::vector<ErrorHistogram> error_histograms(const std::vector<Score>& scores);

}  // namespace unirg::evaluation
