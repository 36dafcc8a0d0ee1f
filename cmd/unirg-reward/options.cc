// SPDX-License-Identifier: Apache-2.0
#include "options.h"

namespace unirg {

cli::Table reward_table(RewardToolOptions& o) {
  cli::Table table{
      {.name = "references",
       .target = &o.references,
       .metavar = "FILE",
       .help = "Reference reports: study records, generation records, JSONL of {study_id, text}, "
               "ReXrank JSON, or CSV with columns study_id, report.",
       .required = true},
      {.name = "weights",
       .target = &o.weights,
       .metavar = "NAME=W,...",
       .help = "Weight of each metric in the reward."},
      {.name = "metrics",
       .target = &o.metrics,
       .metavar = "NAME,...",
       .help = "Further metrics to compute and keep beside the reward, with weight 0."},
      {.name = "sections",
       .target = &o.sections,
       .metavar = "WHICH",
       .help = "Sections that are scored.",
       .choices = {"both", "findings", "impression"}},
      {.name = "lexicon",
       .target = &o.lexicon,
       .metavar = "FILE",
       .help = "Lexicon of the rule labeler; empty takes the installed one."},
      {.name = "uncertain-is-positive",
       .target = &o.uncertain_is_positive,
       .help = "Counts uncertain mentions as called in label F1."},
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
  cli::add_threads(table, o.common);
  cli::add_shard(table, o.common);
  cli::add_on_error(table, o.common);
  return table;
}

}  // namespace unirg
