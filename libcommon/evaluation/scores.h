// Score records: one scored report with what grouping and corpus metrics need. Depends on data,
// scoring. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/records.h"
#include "scoring/reports.h"
#include "scoring/scorer.h"
#include "text/temporal.h"

namespace unirg::evaluation {

struct Score {
  std::string study_id;
  std::string system;  ///< who wrote the report, e.g. "sft_rl"
  std::string split;
  std::string seed;  ///< tag of the run, "" for one run only
  std::string patient_id;
  std::string site;
  std::optional<std::string> sex, race;
  std::optional<double> age;
  int64_t encounter = 1;
  std::string temporal;  ///< temporal class of the reference; "" in records that do not tell
  scoring::NamedValues metrics;  ///< by name, in table order; nullopt: no value
  /// What corpus metrics are made of (corpus_metrics.h), by statistic.
  std::vector<std::pair<std::string, std::vector<double>>> sums;
  bool labelled = true;  ///< whether the conditions were read
  std::vector<std::string> called,
      present;                   ///< conditions positive in the report, in the reference
  data::Json details = nullptr;  ///< what a metric tells beside its value, by metric; or null
  std::string text, reference;   ///< what was scored, against what
};

data::Json to_json(const Score& score);
Result<Score> score_from_json(const data::Json& object);
/// \throws Error(Exit::data) "FILE:LINE: ..."
std::vector<Score> read_scores(const std::filesystem::path& file);

/// Scores a report. \param texts of the two that are scored
Score make_score(const scoring::Scorer& scorer, const scoring::NamedReport& reference,
                 const scoring::ScoredTexts& texts, const scoring::NamedReport& report);

/// Whether a reference tells of a study that came before. A study known by itself has none.
bool has_prior(const scoring::NamedReport& reference);
/// Name of the temporal class (text/temporal.h) of a reference: "first study" without a prior, else
/// by all its sections, whichever are scored; "" for references that are no study records, of which
/// nothing is known. \param reader needed only where has_prior()
std::string temporal_of(const scoring::NamedReport& reference, const text::TemporalReader* reader);

}  // namespace unirg::evaluation
