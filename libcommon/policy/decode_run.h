// The run behind unirg-rollout and unirg-generate: studies in, generation records out, in input
// order. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/run_main.h"
#include "policy/machine.h"
#include "policy/report_writer.h"
#include "policy/study_choice.h"

namespace unirg::policy {

struct DecodeJob {
  std::filesystem::path studies;
  std::filesystem::path model;
  std::filesystem::path output = "-";
  StudyChoice choice;
  std::filesystem::path instead_of;  ///< rewards of the draw so far; see replacements()
  PromptOptions prompt;
  DecodeOptions decode;
  MachineOptions machine;  ///< of --dry-run
  int64_t at_once = 0;     ///< studies decoded together; 0: kGpuStudies on a GPU, 1 elsewhere
};
/// A launch costs a GPU as much for one study's rows as for those of all of these.
constexpr int64_t kGpuStudies = 16;

/// Rows for a DecodeJob's fields and the shared groups.
cli::Table decode_table(DecodeJob& job, cli::Common& common);
Exit run_decode(DecodeJob& job, const cli::Common& common, cli::Context& context);

}  // namespace unirg::policy
