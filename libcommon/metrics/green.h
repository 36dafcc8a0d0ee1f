// GREEN: what its judge's reply says, and the score made of it. Two readings: that of the published
// code (Stanford-AIMI/GREEN, green_score 0.0.x), which turns what it cannot read into a count of 0,
// and ours, which calls such a reply invalid; where ours gives counts, both give the same ones.
// Pure strings. Source: Ostmeier et al. 2024, arXiv:2405.03595.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace unirg::metrics {

/// Errors by type, in this order: (a) a finding that is not there, (b) a finding left out, (c)
/// wrong place, (d) wrong severity, (e) a comparison the reference does not make, (f) a change left
/// out.
using ErrorCounts = std::array<int64_t, 6>;
int64_t total(const ErrorCounts& counts);

struct GreenCounts {
  ErrorCounts significant{};
  std::optional<ErrorCounts> insignificant;  ///< not part of the score; nullopt: cannot be read
  int64_t matched = 0;                       ///< findings both reports have
};

/// matched / (matched + significant errors); 0 when nothing matched. \returns 0..1
double green_score(const GreenCounts& counts);

/// The reply without what a judge thinks aloud: "<think>...</think>", all from an unclosed
/// "<think>" on, and all up to a "</think>" that was opened before the reply.
std::string without_thinking(std::string_view reply);

/// The reply without what a decoder or a chatty judge puts before it: without_thinking(), what
/// follows the last "<|assistant|>", then the last "[Explanation]:"; "</s>" and "<unk>" are taken
/// out.
std::string green_answer(std::string_view reply);

/// As the published code counts. Of a section (from its heading to a blank line) that is absent or
/// starts with "No": 0. Matched: an integer right before a point at the start of the section, else
/// 0. Errors: lines "(a) ...: N. ..." to (f), or, if there is none, (1) to (6); a line without
/// ": N." counts 0; of two lines of one letter the alphabetically last with a count holds. Only
/// ASCII digits are digits here; counts beyond 18 digits stop at 10^18.
GreenCounts green_counts_upstream(std::string_view answer);

/// Counts, or why there are none. Needed: both sections [Clinically Significant Errors] and
/// [Matched Findings], each a plain "No ..."/"None" (that and no more: "No mention of ..." names an
/// error) or readable; no heading twice (two answers). A count is no decimal ("3.2 cm"). An error
/// section is readable if it has a lettered line, none of its letters twice, each line a count (or
/// a plain zero: "0", "none", "n/a", nothing after the colon, and nothing listed below it), and no
/// lettered line stands between its blank line and the next heading; a letter that is not listed
/// counts 0.
/// \param cut whether the answer ended at a limit: then the errors and the count of matches must
/// have been said before
Result<GreenCounts> green_counts(std::string_view answer, bool cut = false);

/// Changes whenever a reading above changes; part of signatures.
inline constexpr int kGreenParser = 2;

}  // namespace unirg::metrics
