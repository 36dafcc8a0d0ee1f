// Options of unirg-reward. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/run_main.h"
#include "scoring/metric_options.h"

namespace unirg {

struct RewardToolOptions {
  cli::Common common;
  std::filesystem::path rollouts = "-";
  std::filesystem::path references;
  std::filesystem::path output = "-";
  cli::Weights weights{{"bleu2", 0.25}, {"rouge-l", 0.25}, {"label-f1", 0.25}, {"entity-f1", 0.25}};
  std::vector<std::string> metrics;
  std::string sections = "both";
  std::string composition;
  std::filesystem::path reweight;
  scoring::MetricOptions scoring;
};

cli::Table reward_table(RewardToolOptions& options);

}  // namespace unirg
