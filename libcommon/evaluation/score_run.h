// Scores the reports of one system against their references. Depends on scores.h, scoring.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "evaluation/scores.h"
#include "scoring/reports.h"

namespace unirg::evaluation {

struct ScoreRunOptions {
  std::string system;  ///< name of who wrote the reports
  std::string seed;    ///< tag of the run, "" for one run only
  std::vector<std::string>
      splits;  ///< study references only: those to score; empty: those the reports come from
  scoring::Sections sections = scoring::Sections::both;
  bool allow_missing =
      false;  ///< references without a report are left out instead of being an error
  int threads = 1;
  std::function<bool()> stopped = [] { return false; };  ///< asked after each report
  /// Reads the temporal class of references with a prior, whose records tell none without it.
  std::shared_ptr<const text::TemporalReader> temporal = nullptr;
};

struct ScoreRun {
  std::vector<Score> scores;    ///< in the order of the references
  int64_t missing = 0;          ///< references without a report
  int64_t empty_reference = 0;  ///< references that lack the sections to be scored
};

/// The scorer is fitted to the references that are scored.
/// \throws Error(Exit::interrupted) once stopped() says so; Error(Exit::data) if a report has no
/// reference, a study has two reports, or a reference has no report
ScoreRun score_run(scoring::Scorer& scorer, const std::vector<scoring::NamedReport>& reports,
                   const std::vector<scoring::NamedReport>& references,
                   const ScoreRunOptions& options);

}  // namespace unirg::evaluation
