// F1 over condition labels: of one report (for rewards) and of a corpus (for tables), the latter as
// f1chexbert 0.0.2 prints it, that is scikit-learn's classification_report. Pure numbers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "text/labeler.h"

namespace unirg::metrics {

/// Which conditions a report calls: positive ones, and uncertain ones too when
/// `uncertain_is_positive` (f1chexbert's rule).
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
  /// tp / (tp + fp), tp / (tp + fn); 0 for 0 / 0
  [[nodiscard]] double precision() const;
  [[nodiscard]] double recall() const;
};
using ConditionCounts = std::array<Counts, 14>;
ConditionCounts count_conditions(const ConditionSet& hypothesis, const ConditionSet& reference);

/// F1 of the summed counts.
double micro_f1(const ConditionCounts& counts);
/// Mean over the conditions that the references have: the same ones for every writer. (F1 of a
/// condition that no reference has could only be 0; its false calls count in micro F1.) This is NOT
/// scikit-learn's macro F1, which keeps such a condition with 0: LabelReport::macro is.
double macro_f1(const ConditionCounts& counts);

/// All 14, No Finding included, and the five that papers call CheXbert-5. Indices of
/// text::kConditions.
inline constexpr std::array<size_t, 14> kAllConditions{0, 1, 2, 3,  4,  5,  6,
                                                       7, 8, 9, 10, 11, 12, 13};
inline constexpr std::array<size_t, 5> kFiveConditions{1, 4, 5, 7, 9};
using Conditions = std::span<const size_t>;

/// What a corpus needs beside the counts; adds up over reports.
struct SampleSums {
  double precision = 0, recall = 0, f1 = 0;  ///< sums of the reports' own scores, 0 for 0 / 0
  int64_t equal = 0;                         ///< reports whose chosen conditions are all equal
  int64_t reports = 0;
  SampleSums& operator+=(const SampleSums& o);
};
SampleSums sample_sums(const ConditionSet& hypothesis, const ConditionSet& reference,
                       Conditions conditions);

struct LabelScore {
  double precision = 0, recall = 0, f1 = 0;  ///< [0, 1]
  bool operator==(const LabelScore&) const = default;
};

/// scikit-learn's classification_report(zero_division=0) of a multi-label matrix, restricted to
/// the chosen conditions.
struct LabelReport {
  std::vector<LabelScore> each;  ///< in the order of the chosen conditions
  std::vector<int64_t> support;  ///< reports whose reference calls the condition
  LabelScore micro;              ///< of the summed counts
  LabelScore macro;              ///< unweighted mean over all chosen conditions, absent ones kept
  LabelScore weighted;  ///< mean weighted by support; 0 if no reference calls any condition
  LabelScore samples;   ///< mean over reports of their own scores
  double accuracy = 0;  ///< share of reports with all chosen conditions equal; f1chexbert's
                        ///< `accuracy` is that of kFiveConditions
  int64_t reports = 0;  ///< 0 leaves all values 0
};
LabelReport label_report(const ConditionCounts& counts, const SampleSums& sums,
                         Conditions conditions);

}  // namespace unirg::metrics
