// Report pairs that people have rated, as metrics are compared with: readers of our own plain
// tables and of the layouts of three public sets. None of the sets is shipped here. Depends on
// data, io. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace unirg::scoring {

struct HumanRating {
  std::string id;     ///< unique within the list
  std::string group;  ///< e.g. the candidate's maker; "" where there are no groups
  std::string reference, candidate;
  double value = 0;  ///< mean over raters
  bool higher_is_better = true;
};

/// A table of ours, .csv, .tsv or .jsonl: columns (fields) id, reference, candidate, and exactly
/// one of `rating` (higher is better) and `errors` (lower is better), optional `group`. Rows of one
/// id are raters of one pair: their numbers are averaged, their texts and group must be equal.
/// \throws Error(Exit::no_input), Error(Exit::data) "FILE:LINE: ..." for a missing column, an empty
/// id, text or number, a number that is none, rows of one id that differ, a table without rows
std::vector<HumanRating> read_plain_ratings(const std::filesystem::path& file);

/// Which errors of ReXVal count.
enum class ErrorKind { all, significant, insignificant };

/// ReXVal 1.0.0 (Yu et al. 2023, PhysioNet): `reports` is 50_samples_gt_and_candidates.csv with the
/// columns study_id, gt_report and one column for each candidate (radgraph, bertscore, s_emb,
/// bleu); `errors` is 6_valid_raters_per_rater_error_categories.csv with study_number (row of
/// `reports`, from 0), candidate_type, rater_index, error_category, clinically_significant,
/// num_errors. Value: number of errors, summed over categories, averaged over the raters that have
/// rows for the pair. id "STUDY_NUMBER/CANDIDATE", group CANDIDATE. Layout after public code that
/// reads the set; the files themselves (credentialed) were not seen. \throws as read_plain_ratings;
/// Error(Exit::data) for a study_number or candidate_type without report
std::vector<HumanRating> read_rexval(const std::filesystem::path& reports,
                                     const std::filesystem::path& errors,
                                     ErrorKind kind = ErrorKind::significant);

/// RadPref (CRIMSON, Baharoon et al. 2026): `annotations` is a folder of user_N.json, one a rater:
/// {"annotations": {CASE: {"C1": {"rating": 1..5, ...}, "C2": {...}}}} (layout after public code
/// that reads it); `cases` is a table .csv, .tsv or .jsonl with case_id, candidate ("C1", "C2"),
/// reference, candidate_report (RadPref's own preference_data.json was not seen; bring it into this
/// form). Value: mean rating over the raters. id "CASE/C1", group "C1".
/// \throws Error(Exit::no_input), Error(Exit::data) naming file and case for a pair that a rater
/// has not rated, a rating outside 1..5, a folder without user_*.json
std::vector<HumanRating> read_radpref(const std::filesystem::path& cases,
                                      const std::filesystem::path& annotations);

/// RaTE-Eval (Zhao et al. 2024) as a table .csv, .tsv or .jsonl, or .json (a list of objects):
/// fields gt_report, similar_report and Score (higher is better), as public code that reads its
/// paragraph task has them; its sentence task has the same shape of a pair and a number here. id:
/// row number from 0. The files themselves were not seen. \throws as read_plain_ratings
std::vector<HumanRating> read_rate_eval(const std::filesystem::path& file);

}  // namespace unirg::scoring
