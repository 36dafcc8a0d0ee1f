// CRIMSON and FineRadScore: what their judges' answers are worth. Formulas only, no judge asks for
// them yet. Sources: crimson-score 0.2.0 (rajpurkarlab/CRIMSON); Huang et al. 2024,
// arXiv:2405.20613, and ReFiSco, whose numbers for severities are used.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "io/jsonl.h"

namespace unirg::metrics {

/// CRIMSON of one answer: {"reference_findings": [{"id", "clinical_significance"}],
/// "predicted_findings": the same, "matched_findings": [{"ref_id"}], "errors": {"false_findings":
/// [id of a prediction], "missing_findings": [id of a reference], "attribute_errors": [{"ref_id",
/// "severity"}]}}. Weights: urgent 1, actionable_not_urgent 0.5, not_actionable_not_urgent 0.25,
/// benign_expected 0, others 0.25; attribute errors: significant 0.5, negligible 0, others 0.25. An
/// absent list is an empty one; an id of no finding weighs 0.
/// \returns -1 < score <= 1, rounded to four places; or which entry lacks its id
Result<double> crimson_score(const io::Json& answer);

/// Severity of one error as FineRadScore's judge names it: "not actionable" 1, "actionable
/// nonurgent" 2, "urgent" 3, "emergent" 4; case and a closing "error" do not count.
Result<int> finerad_severity(const std::string& name);
/// The largest severity of a report's errors, 0 without any. UNOFFICIAL: the authors publish no
/// score, and how ReXrank made one was asked and not answered (rajpurkarlab/ReXrank#3).
Result<double> finerad_maximum(const std::vector<std::string>& severities);

}  // namespace unirg::metrics
