// F1 over condition labels: of one report (for rewards) and of a corpus (for tables). Pure numbers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "text/labeler.h"

namespace unirg::metrics {

/// Which conditions a report calls: positive ones, and uncertain ones too when
/// `uncertain_is_positive`.
using ConditionSet = std::array<bool, 14>;
ConditionSet called_conditions(const text::Labels& labels, bool uncertain_is_positive);

/// F1 of two sets of called conditions, No Finding counted like any other; two empty sets agree: 1.
/// A single report's F1 is ours to define: f1chexbert gives 0 where neither side has a positive.
double label_f1(const ConditionSet& hypothesis, const ConditionSet& reference);

struct Counts {
  int64_t tp = 0, fp = 0, fn = 0;
  Counts& operator+=(const Counts& o) {
    tp += o.tp;
    fp += o.fp;
    fn += o.fn;
    return *this;
  }
  /// 2 tp / (2 tp + fp + fn); 0 when nothing was there and nothing was called (scikit-learn's
  /// zero_division = 0)
  [[nodiscard]] double f1() const;
};
using ConditionCounts = std::array<Counts, 14>;
ConditionCounts count_conditions(const ConditionSet& hypothesis, const ConditionSet& reference);

/// F1 of the summed counts.
double micro_f1(const ConditionCounts& counts);
/// Mean over the conditions that the references have: the same ones for every writer. (F1 of a
/// condition that no reference has could only be 0; its false calls count in micro F1.)
double macro_f1(const ConditionCounts& counts);

}  // namespace unirg::metrics
