// SPDX-License-Identifier: Apache-2.0
#include "options.h"

namespace unirg {
namespace {

const char* const kScoring = "Scoring";
const char* const kTables = "Tables";
const char* const kReport = "Report";

/// What is scored, by what.
cli::Table scoring_rows(EvalToolOptions& o) {
  return {
      {.name = "references",
       .target = &o.references,
       .metavar = "FILE",
       .help = "Reference reports: study records, generation records, JSONL of {study_id, text}, "
               "ReXrank JSON, or CSV with columns study_id, report.",
       .group = kScoring},
      {.name = "predictions",
       .target = &o.predictions,
       .metavar = "FILE",
       .help = "Reports to score, of the same kinds; the same as naming them without a flag.",
       .group = kScoring},
      {.name = "metrics",
       .target = &o.metrics,
       .metavar = "NAME,...",
       .help = "Metrics to compute; without it those that need no files.",
       .group = kScoring},
      {.name = "list-metrics",
       .target = &o.list_metrics,
       .help = "Prints every metric with range, direction, needs and source, and stops.",
       .group = kScoring},
      {.name = "sections",
       .target = &o.sections,
       .metavar = "WHICH",
       .help = "Sections that are scored; references without them are counted and left out.",
       .choices = {"both", "findings", "impression"},
       .group = kScoring},
      {.name = "split",
       .target = &o.splits,
       .metavar = "NAME,...",
       .help = "Splits to score, for study records; without it, those that the reports come from.",
       .group = kScoring},
  };
}

/// Under which name, and where score records go.
cli::Table record_rows(EvalToolOptions& o) {
  return {
      {.name = "name",
       .target = &o.system,
       .metavar = "NAME",
       .help = "Name of who wrote the reports, for the tables.",
       .group = kScoring},
      {.name = "seed-tag",
       .target = &o.seed_tag,
       .metavar = "TAG",
       .help = "Tag of the run, where several seeds of a system are scored and joined by compare.",
       .group = kScoring},
      {.name = "allow-missing",
       .target = &o.allow_missing,
       .help = "Leaves references without a report out of the tables instead of stopping.",
       .group = kScoring},
      {.name = "temporal-lexicon",
       .target = &o.temporal_lexicon,
       .metavar = "FILE",
       .help = "Words of comparison with a prior study, for the temporal class of score records; "
               "without it, those that come with the tools.",
       .group = kScoring},
      {.name = "ratings-kind",
       .target = &o.ratings_kind,
       .metavar = "KIND",
       .help =
           "Form of the ratings of meta: plain (id, reference, candidate, rating or errors), "
           "rexval (reports and errors), radpref (cases and a folder of annotations), rate-eval.",
       .choices = {"plain", "rexval", "radpref", "rate-eval"},
       .group = kScoring},
      {.name = "scores",
       .target = &o.scores,
       .metavar = "FILE",
       .help = "Writes one score record a study there; - is standard output, and no table is "
               "printed then.",
       .group = kScoring},
  };
}

cli::Table table_rows(EvalToolOptions& o) {
  return {
      {.name = "pairs",
       .target = &o.pairs,
       .metavar = "A-B,...",
       .help = "Systems whose difference A minus B is reported with a paired bootstrap interval.",
       .group = kTables},
      {.name = "composite",
       .target = &o.composite,
       .metavar = "NAME=W,...",
       .help = "Adds the metric composite, a weighted sum of metrics.",
       .group = kTables},
      {.name = "composition",
       .target = &o.composition,
       .metavar = "NAME|FILE",
       .help = "Adds the metric composite as a reward file defines it, as unirg-reward takes it.",
       .group = kTables},
      {.name = "baseline",
       .target = &o.baseline,
       .metavar = "NAME",
       .help = "System that every other one is compared with, as --pairs would; the leaderboard "
               "marks what is better or worse.",
       .group = kTables},
      {.name = "by",
       .target = &o.by,
       .metavar = "NAME,...",
       .help = "Adds tables by groups of reports: site, sex, race, white, age, decade, encounter, "
               "prior, temporal, or several crossed, as sex:age.",
       .group = kTables},
      {.name = "only",
       .target = &o.only,
       .metavar = "NAME=GROUP,...",
       .help = "Compares the reports of these groups only, named as --by does: prior=follow-up.",
       .group = kTables},
      {.name = "error-shares",
       .target = &o.error_shares,
       .help =
           "Adds the shares of reports with at most one, two, three, and four or more errors: of "
           "chexprompt-errors where it was computed, else of errors.",
       .group = kTables},
      {.name = "intervals",
       .target = &o.intervals,
       .metavar = "KIND",
       .help = "Of the bootstrap: percentile, or bca (bias-corrected and accelerated).",
       .choices = {"percentile", "bca"},
       .group = kTables},
      {.name = "permutations",
       .target = &o.permutations,
       .metavar = "N",
       .help = "Takes the p of pairs from a permutation test over patients; 0: from the bootstrap.",
       .min = 0,
       .max = 1e7,
       .group = kTables},
      {.name = "resamples",
       .target = &o.resamples,
       .metavar = "N",
       .help = "Bootstrap resamples over patients; 0 prints no intervals.",
       .min = 0,
       .max = 1e7,
       .group = kTables},
      {.name = "format",
       .target = &o.format,
       .metavar = "FORMAT",
       .help = "Of the tables on standard output.",
       .choices = {"markdown", "latex", "tsv", "json", "none"},
       .group = kTables},
  };
}

/// Files of tables.
cli::Table file_rows(EvalToolOptions& o) {
  return {
      {.name = "table",
       .target = &o.table,
       .metavar = "FILE",
       .help = "Writes the Markdown tables there, too.",
       .group = kTables},
      {.name = "summary",
       .target = &o.summary,
       .metavar = "FILE",
       .help = "Writes everything the tables say as one JSON object (summary.json).",
       .group = kTables},
      {.name = "rexrank",
       .target = &o.rexrank,
       .metavar = "DIR",
       .help = "Writes ReXrank's files there: predictions.json, report_scores.csv and "
               "leaderboard.csv, rounded as on the board.",
       .group = kTables},
      {.name = "runs",
       .target = &o.runs,
       .metavar = "DIR",
       .help = "Folder whose run records give wall_s of the summary.",
       .group = kTables},
  };
}

cli::Table page_rows(EvalToolOptions& o) {
  return {
      {.name = "html",
       .target = &o.html,
       .metavar = "FILE",
       .help = "Writes one page that opens offline: tables, plots, learning curves, rollouts, and "
               "studies with image, prior study, reference and reports side by side, what is said "
               "by both, missed or false marked.",
       .group = kReport},
      {.name = "logdir",
       .target = &o.logdir,
       .metavar = "DIR",
       .help = "Where tensorboard writes: DIR/NAME holds the events of the run NAME.",
       .group = kReport},
      {.name = "title",
       .target = &o.title,
       .metavar = "TEXT",
       .help = "Title of the page.",
       .group = kReport},
      {.name = "studies",
       .target = &o.studies,
       .metavar = "[TAG=]FILE",
       .help = "Study records whose images and prior studies the page shows, for each seed tag.",
       .group = kReport},
      {.name = "images",
       .target = &o.images,
       .metavar = "HOW",
       .help =
           "Images of the page: embed puts them into it, link into the folder NAME_files beside "
           "the page NAME.html, for thousands of studies.",
       .choices = {"embed", "link", "none"},
       .group = kReport},
      {.name = "shown-studies",
       .target = &o.shown_studies,
       .metavar = "N",
       .help = "Studies of each split, and of each file of rollouts, on the page, evenly spread; 0 "
               "shows all.",
       .min = 0,
       .max = 1e7,
       .group = kReport},
      {.name = "curve",
       .target = &o.curves,
       .metavar = "CHART:NAME=FILE:FIELD",
       .help = "Learning curve for the page: FIELD of the metrics lines in FILE over their steps, "
               "as NAME in CHART.",
       .group = kReport},
      {.name = "rollouts",
       .target = &o.rollouts,
       .metavar = "[TAG[:NAME]=]ROLLOUTS:REWARDS",
       .help =
           "Samples of unirg-rollout with what unirg-reward gave them, for the page; the studies "
           "are those of the seed tag TAG, and NAME says which round it is.",
       .group = kReport},
  };
}

}  // namespace

cli::Table eval_table(EvalToolOptions& o) {
  cli::Table table = scoring_rows(o);
  cli::append(table, record_rows(o));
  cli::append(table, table_rows(o));
  cli::append(table, file_rows(o));
  cli::append(table, page_rows(o));
  table.push_back(
      {.name = "words",
       .target = &o.words,
       .metavar = "PREDICTIONS | compare SCORES... | rexrank FILE | tensorboard NAME=METRICS...",
       .help = "Reports to score (- is standard input); or compare and score records of one or "
               "several systems; or rexrank and a submission file, to check it; or tensorboard and "
               "metrics files of unirg-sft or unirg-update, "
               "each with the name of its run.",
       .positional = true});
  scoring::add_metric_options(table, o.scoring);
  cli::add_seed(table, o.common);
  cli::add_threads(table, o.common);
  return table;
}

}  // namespace unirg
