// Options of unirg-ingest. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/run_main.h"
#include "data/ingest.h"

namespace unirg {

struct IngestToolOptions {
  cli::Common common;
  data::IngestOptions ingest;
  cli::Weights splits{{"train", 0.8}, {"validate", 0.1}, {"test", 0.1}};
  cli::Weights hold_out;
  std::vector<std::string> fail_on_leak;
  std::optional<int64_t> max_rejected;
  bool scrub = false;
  std::string ct_rule = "key-slices";
  std::vector<std::string> arguments;  ///< of a subcommand
  // stats
  std::string format = "markdown";
  std::filesystem::path table, summary;
  double template_share = 0.01;
};

/// Names of --source that are layouts, share/datasets/NAME.yaml.
const std::vector<std::string>& dataset_names();

cli::Table ingest_table(IngestToolOptions& options);

}  // namespace unirg
