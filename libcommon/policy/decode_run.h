// The run behind unirg-rollout and unirg-generate: studies in, generation records out, in input
// order. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/run_main.h"
#include "policy/report_writer.h"

namespace unirg::policy {

/// Which studies are decoded.
struct StudyChoice {
  std::vector<std::string> splits;  ///< empty: all
  int64_t prompts = 0;              ///< take this many, in a seeded order; 0: all, in file order
  int64_t round = 0;  ///< which `prompts` of that order: round k goes on where k - 1 ended, a new
                      ///< order each pass
};
/// Each study once a pass, none twice in a round. \throws Error(Exit::data) if there are fewer
/// studies than `prompts`
std::vector<const data::Study*> choose_studies(const data::StudySet& set, const StudyChoice& choice,
                                               uint64_t seed);

struct DecodeJob {
  std::filesystem::path studies;
  std::filesystem::path model;
  std::filesystem::path output = "-";
  StudyChoice choice;
  PromptOptions prompt;
  DecodeOptions decode;
};

/// Rows for a DecodeJob's fields and the shared groups.
cli::Table decode_table(DecodeJob& job, cli::Common& common);
Exit run_decode(DecodeJob& job, const cli::Common& common, cli::Context& context);

}  // namespace unirg::policy
