// Meta-evaluation: how far metrics agree with people. Depends on metrics (correlation), scoring.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "data/records.h"
#include "metrics/correlation.h"
#include "scoring/human_ratings.h"
#include "scoring/scorer.h"

namespace unirg::evaluation {

/// One coefficient over all pairs with a value; above 0 is agreement, whichever way the two count.
struct Agreement {
  std::optional<double> value;  ///< none where metric or people give one value only
  std::optional<metrics::Interval> interval;
};

struct MetricAgreement {
  std::string metric, signature;
  int64_t pairs = 0;    ///< with a value of the metric
  int64_t missing = 0;  ///< without
  Agreement kendall, pearson, spearman;
};

/// Scores every rated pair and correlates. Metrics and ratings whose lower values are better are
/// turned round first, so that agreement is positive; of a metric without a better side the sign
/// means nothing. The scorer is fitted to the references. Deterministic.
/// \param stopped asked after each pair \throws Error(Exit::interrupted) once it says so
std::vector<MetricAgreement> meta_evaluate(scoring::Scorer& scorer,
                                           const std::vector<scoring::HumanRating>& ratings,
                                           const metrics::Resampling& resampling, int threads,
                                           const std::function<bool()>& stopped = {});

/// {"schema": "unirg.meta/1", "metrics": {NAME: {"pairs", "missing", "signature", "kendall-tau-b":
/// {"value", "lo", "hi"}, "pearson": ..., "spearman": ...}}}
data::Json meta_json(const std::vector<MetricAgreement>& agreements);
std::string meta_markdown(const std::vector<MetricAgreement>& agreements);
std::string meta_tsv(const std::vector<MetricAgreement>& agreements);

}  // namespace unirg::evaluation
