// unirg-rollout: studies + policy -> sampled reports with their log-probabilities.
// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "base/error.h"
#include "policy/decode_run.h"

int main(int argc, char** argv) {
  unirg::cli::Common common;
  unirg::policy::DecodeJob job;
  job.decode.samples = 16;  // the paper's group
  job.choice.splits = {"train"};
  unirg::cli::Table table = unirg::policy::decode_table(job, common);
  table.push_back({.name = "instead-of",
                   .target = &job.instead_of,
                   .metavar = "REWARDS",
                   .help = "Draws for other studies, as many as there are in REWARDS whose samples "
                           "all have the same reward; REWARDS holds all that was drawn for the "
                           "round so far. Needs --prompts, and --round, --split and --seed as "
                           "before."});
  return unirg::cli::run_main(
      {.name = "unirg-rollout",
       .summary = "Samples several reports for each study from a policy, with the log-probability "
                  "of every token.",
       .synopsis = "[options] --studies FILE --model DIR",
       .example =
           "unirg-rollout --studies data/studies.jsonl -m sft/best --samples 16 -o rollouts.jsonl"},
      std::move(table), common, argc, argv, [&](unirg::cli::Context& context) {
        if (!job.instead_of.empty() && job.choice.prompts == 0)
          throw unirg::Error(unirg::Exit::config, "--instead-of needs --prompts");
        return unirg::policy::run_decode(job, common, context);
      });
}
