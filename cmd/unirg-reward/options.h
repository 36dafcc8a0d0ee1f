// Options of unirg-reward. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/run_main.h"

namespace unirg {

struct RewardToolOptions {
  cli::Common common;
  std::filesystem::path rollouts = "-";
  std::filesystem::path references;
  std::filesystem::path output = "-";
  std::filesystem::path lexicon;
  cli::Weights weights{{"bleu2", 0.25}, {"rouge-l", 0.25}, {"label-f1", 0.25}, {"entity-f1", 0.25}};
  std::vector<std::string> metrics;
  std::string sections = "both";
  bool uncertain_is_positive = false;
};

cli::Table reward_table(RewardToolOptions& options);

}  // namespace unirg
