// Options of unirg-sft. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/run_main.h"
#include "policy/machine.h"
#include "policy/report_writer.h"
#include "train/sft_loop.h"

namespace unirg {

struct SftToolOptions {
  cli::Common common;
  std::filesystem::path studies;
  std::filesystem::path model;
  std::filesystem::path output;
  std::vector<std::string> splits{"train"};
  std::vector<std::string> validation_splits{"validate"};
  std::filesystem::path lexicon;
  policy::PromptOptions prompt;
  train::SftOptions sft;
  policy::MachineOptions machine;  ///< of --dry-run
};

cli::Table sft_table(SftToolOptions& options);

}  // namespace unirg
