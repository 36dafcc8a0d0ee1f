// What is summed over the reports of a patient, and the metrics that follow from such sums. Used by
// comparison.cc only. Depends on scores.h, statistics.h, corpus_metrics.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "evaluation/corpus_metrics.h"
#include "evaluation/scores.h"
#include "evaluation/statistics.h"
#include "metrics/label_f1.h"
#include "text/lexicon.h"

namespace unirg::evaluation {

/// Where a report's numbers stand in its sums: [value and 1 of each metric (0 and 0 where it has no
/// value), the statistics of corpus metrics, tp fp fn of each condition].
class SumLayout {
 public:
  /// Conditions with an F1: all but No Finding, which is the absence of the others.
  static constexpr size_t kScored = text::kNoFinding;
  explicit SumLayout(const Score& example);
  [[nodiscard]] size_t size() const { return conditions_ + (labelled_ ? 3 * kScored : 0); }
  [[nodiscard]] bool labelled() const { return labelled_; }
  /// \throws Error(Exit::data) unless the record has the metrics of the first
  void check(const Score& score) const;
  /// \param values in the place of the report's own
  [[nodiscard]] SumVector sums(const Score& score, const scoring::NamedValues& values) const;
  [[nodiscard]] std::vector<double> statistics(const SumVector& sums) const;
  [[nodiscard]] metrics::ConditionCounts counts(const SumVector& sums) const;
  [[nodiscard]] std::vector<std::string> statistic_names() const;
  /// Reports behind each metric's number. \param reports how many were summed
  [[nodiscard]] std::map<std::string, int64_t> valued(const SumVector& sums, int64_t reports) const;

 private:
  std::vector<std::string> names_;
  std::vector<std::pair<std::string, size_t>> statistics_;      ///< name and length, in file order
  std::vector<std::pair<const CorpusMetric*, size_t>> corpus_;  ///< and where its sums begin
  bool labelled_;
  size_t conditions_;  ///< where the conditions' counts begin
};

}  // namespace unirg::evaluation
