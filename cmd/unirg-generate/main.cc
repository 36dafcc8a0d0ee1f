// unirg-generate: studies + policy -> one report each, greedy by default; or, as a baseline,
// reports of other studies. SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "policy/baseline_run.h"
#include "policy/decode_run.h"

namespace unirg {
namespace {

/// The rows of decoding, of which a baseline may lack the model.
cli::Table generate_table(policy::DecodeJob& job, policy::BaselineOptions& baseline,
                          cli::Common& common) {
  cli::Table table = policy::decode_table(job, common);
  for (cli::Option& row : table) {
    if (row.name != "model") continue;
    row.required = false;
    row.help =
        "Checkpoint that writes, or by whose vision tower --baseline nearest compares; "
        "needed but for the other baselines.";
  }
  cli::append(table, policy::baseline_table(baseline));
  return table;
}

Exit run(policy::DecodeJob& job, const policy::BaselineOptions& baseline, const cli::Common& common,
         cli::Context& context) {
  if (!baseline.kind.empty()) return policy::run_baseline(job, baseline, common, context);
  if (job.model.empty()) throw Error(Exit::usage, "missing option '--model'");
  return policy::run_decode(job, common, context);
}

}  // namespace
}  // namespace unirg

int main(int argc, char** argv) {
  unirg::cli::Common common;
  unirg::policy::DecodeJob job;
  unirg::policy::BaselineOptions baseline;
  job.decode.temperature = 0;  // the paper's inference setting
  return unirg::cli::run_main(
      {.name = "unirg-generate",
       .summary = "Writes a report for each study; greedy, so deterministic, unless a temperature "
                  "is given.",
       .synopsis =
           "[options] --studies FILE --model DIR | --baseline KIND [options] --studies FILE",
       .example = "unirg-generate --studies data/studies.jsonl --split test -m policy -o "
                  "generations.jsonl"},
      unirg::generate_table(job, baseline, common), common, argc, argv,
      [&](unirg::cli::Context& context) { return unirg::run(job, baseline, common, context); });
}
