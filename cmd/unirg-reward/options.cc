// SPDX-License-Identifier: Apache-2.0
#include "options.h"

namespace unirg {

cli::Table reward_table(RewardToolOptions& o) {
  cli::Table table{
      {.name = "references",
       .target = &o.references,
       .metavar = "FILE",
       .help = "Reference reports: study records, generation records, JSONL of {study_id, text}, "
               "ReXrank JSON, or CSV with columns study_id, report."},
      {.name = "weights",
       .target = &o.weights,
       .metavar = "NAME=W,...",
       .help = "Weight of each metric in the reward."},
      {.name = "composition",
       .target = &o.composition,
       .metavar = "NAME|FILE",
       .help =
           "Reward file instead of --weights: terms with weights, transforms and what a missing "
           "value does. Installed are unirg-step1 and unirg-step2, the paper's."},
      {.name = "reweight",
       .target = &o.reweight,
       .metavar = "REWARDS",
       .help = "Reward records whose components get another composition; nothing is scored anew."},
      {.name = "metrics",
       .target = &o.metrics,
       .metavar = "NAME,...",
       .help = "Further metrics to compute and keep beside the reward, with weight 0."},
      {.name = "sections",
       .target = &o.sections,
       .metavar = "WHICH",
       .help = "Sections that are scored.",
       .choices = {"both", "findings", "impression"}},
      {.name = "output",
       .target = &o.output,
       .metavar = "FILE",
       .help = "Where reward records go; - is standard output.",
       .letter = 'o'},
      {.name = "predictions",
       .target = &o.rollouts,
       .metavar = "ROLLOUTS",
       .help = "Reports to score: rollouts, or any file of the kinds --references takes; - is "
               "standard input.",
       .positional = true},
  };
  scoring::add_metric_options(table, o.scoring);
  cli::add_threads(table, o.common);
  cli::add_shard(table, o.common);
  cli::add_on_error(table, o.common);
  return table;
}

}  // namespace unirg
