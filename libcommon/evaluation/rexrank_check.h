// Whether a file of predictions can be handed in to ReXrank: the file that
// rexrank_predictions() writes, one JSON object, study id to record with "model_prediction"
// (rajpurkarlab/ReXrank, submission tutorial), against the studies of a ground truth. Finds all
// that is wrong instead of stopping at the first. Depends on scoring (reports).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/jsonl.h"
#include "scoring/reports.h"

namespace unirg::evaluation {

enum class SubmissionFault : uint8_t { missing, unknown, empty, duplicated, mistyped };
/// "missing": a study of the ground truth without record; "unknown": a record whose study the
/// ground truth does not have; "empty": a prediction without a letter or digit; "duplicated": a key
/// that stands twice in the text, of which JSON readers keep one; "mistyped": a record that is no
/// object, or a field that is not there or no text.
std::string_view fault_name(SubmissionFault fault);

struct SubmissionProblem {
  SubmissionFault fault = SubmissionFault::missing;
  std::string study_id;
  std::string what;  ///< for people
};

struct SubmissionCheck {
  int64_t references = 0;  ///< studies of the ground truth
  int64_t records = 0;     ///< of the submission, those that stand twice counted twice
  int64_t valid = 0;       ///< studies of the ground truth with a record and no problem
  std::vector<SubmissionProblem> problems;  ///< by fault, then in the order of their file
  [[nodiscard]] bool passed() const { return problems.empty(); }
};

/// \param json the submission's text; the bare token NaN counts as null \param name of the file,
/// for messages \param splits study references only: those that must be there; empty: those of
/// studies that have a record
/// \throws Error(Exit::data) "'FILE': ..." if the text is no JSON, with the line, or no object,
/// and if no reference is of a split
SubmissionCheck check_submission(const std::string& json, const std::string& name,
                                 std::vector<scoring::NamedReport> references,
                                 const std::vector<std::string>& splits = {});

/// "references: N", "records: N", "valid: N", a count for each fault, then the problems, of each
/// fault at most `most` and how many more there are.
std::string check_text(const SubmissionCheck& check, size_t most = 20);
/// Columns fault, study_id, what; all problems.
std::string check_tsv(const SubmissionCheck& check);
/// {"schema": "unirg.submission-check/1", the counts, "problems": all of them}.
io::Json check_json(const SubmissionCheck& check);

}  // namespace unirg::evaluation
