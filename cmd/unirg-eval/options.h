// Options of unirg-eval. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/run_main.h"
#include "scoring/metric_options.h"

namespace unirg {

struct EvalToolOptions {
  cli::Common common;
  std::vector<std::string> words;  ///< PREDICTIONS, or a verb and its arguments
  // scoring
  std::filesystem::path references;
  std::filesystem::path predictions;
  std::filesystem::path scores;
  std::vector<std::string> metrics;
  std::vector<std::string> splits;
  std::string system = "system";
  std::string seed_tag;
  std::string sections = "both";
  bool allow_missing = false;
  std::filesystem::path temporal_lexicon;  ///< empty: the one that comes with the tools
  bool list_metrics = false;
  std::string ratings_kind = "plain";
  scoring::MetricOptions scoring;
  // tables
  std::vector<std::string> pairs;
  cli::Weights composite;
  std::string composition;
  std::string baseline;
  std::vector<std::string> by, only;
  bool error_shares = false;
  std::string intervals = "percentile";
  int64_t permutations = 0;
  int64_t resamples = 1000;
  std::string format = "markdown";
  std::filesystem::path summary, table, html, runs, rexrank, logdir;
  // report
  std::string title = "Radiology reports: evaluation";
  std::vector<std::string> studies;
  std::vector<std::string> curves;
  std::vector<std::string> rollouts;
  std::string images = "embed";
  int64_t shown_studies = 60;
};

cli::Table eval_table(EvalToolOptions& options);

}  // namespace unirg
