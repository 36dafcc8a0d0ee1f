// CheXprompt: what its judge's reply says. Two readings, as for GREEN: that of the published code
// (microsoft/chexprompt), and ours, which wants all six types in both lines. Pure strings. Source:
// Chaves et al. 2024 (LLaVA-Rad), arXiv:2403.08002. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "metrics/green.h"

namespace unirg::metrics {

struct ChexpromptCounts {
  ErrorCounts significant{};  ///< A..F, the types in GREEN's order (a)..(f)
  ErrorCounts insignificant{};
};

/// What stands in one line, in its order: {"A", 1}, ...; keys are whatever the judge wrote there.
using ChexpromptPairs = std::vector<std::pair<std::string, int64_t>>;
struct ChexpromptLines {
  std::optional<ChexpromptPairs> significant, insignificant;  ///< nullopt: cannot be read
};

/// As the published code reads: both headings must be there, everything from the first
/// "Explanation" on is cut off, brackets are dropped, pairs are split at "),". One bad pair spoils
/// its line. Integers may be signed, as Python's int() takes them (underscores excepted).
ChexpromptLines chexprompt_lines_upstream(std::string_view reply);

/// Counts, or why there are none, of the reply without_thinking(): each heading once, each line a
/// list of pairs (type, count) with all its brackets closed, A to F once, none negative. So an
/// answer that was cut off is read only if both lists are whole.
Result<ChexpromptCounts> chexprompt_counts(std::string_view reply);

/// Changes whenever a reading above changes; part of signatures.
inline constexpr int kChexpromptParser = 2;

}  // namespace unirg::metrics
