// unirg-generate: studies + policy -> one report each, greedy by default.
// SPDX-License-Identifier: Apache-2.0
#include "policy/decode_run.h"

int main(int argc, char** argv) {
  unirg::cli::Common common;
  unirg::policy::DecodeJob job;
  job.decode.temperature = 0;  // the paper's inference setting
  return unirg::cli::run_main({.name = "unirg-generate",
                               .summary = "Writes a report for each study; greedy, so "
                                          "deterministic, unless a temperature is given.",
                               .synopsis = "[options] --studies FILE --model DIR",
                               .example = "unirg-generate --studies data/studies.jsonl --split "
                                          "test -m policy -o generations.jsonl"},
                              unirg::policy::decode_table(job, common), common, argc, argv,
                              [&](unirg::cli::Context& context) {
                                return unirg::policy::run_decode(job, common, context);
                              });
}
