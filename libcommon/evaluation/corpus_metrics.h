// Metrics of a whole corpus, which are no means of per-report values: BLEU of summed counts, F1 of
// summed labels, the reciprocal of a mean RadCliQ. Each is a function of sums that score records
// carry, so that a comparison can resample them. Depends on scoring (the statistics' makers).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scoring/family.h"

namespace unirg::evaluation {

struct CorpusMetric {
  scoring::MetricInfo info;  ///< its signature is that of the metric whose statistic it uses
  std::string statistic;     ///< name in Scored::sums
  size_t length = 0;         ///< numbers of that statistic
  /// \param sums `length` numbers, summed over reports \returns NaN where there is no value
  std::function<double(const double* sums)> value;
  /// Which of the sums counts the reports behind the value; nullopt: all of them are.
  std::optional<size_t> reports_at = std::nullopt;
};

/// All of them, in table order.
const std::vector<CorpusMetric>& corpus_metrics();

/// Corpus metrics over the conditions that score records list, in the order of tables: micro-f1,
/// macro-f1 and call-rate. Signatures are left empty.
std::vector<scoring::MetricInfo> condition_metrics();

}  // namespace unirg::evaluation
