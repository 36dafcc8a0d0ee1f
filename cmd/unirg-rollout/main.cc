// unirg-rollout: studies + policy -> sampled reports with their log-probabilities.
// SPDX-License-Identifier: Apache-2.0
#include "policy/decode_run.h"

int main(int argc, char** argv) {
  unirg::cli::Common common;
  unirg::policy::DecodeJob job;
  job.decode.samples = 16;  // the paper's group
  job.choice.splits = {"train"};
  return unirg::cli::run_main(
      {.name = "unirg-rollout",
       .summary = "Samples several reports for each study from a policy, with the log-probability "
                  "of every token.",
       .synopsis = "[options] --studies FILE --model DIR",
       .example =
           "unirg-rollout --studies data/studies.jsonl -m sft/best --samples 16 -o rollouts.jsonl"},
      unirg::policy::decode_table(job, common), common, argc, argv,
      [&](unirg::cli::Context& context) {
        return unirg::policy::run_decode(job, common, context);
      });
}
