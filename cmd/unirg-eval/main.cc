// unirg-eval: reports + references -> scores, tables, page; or scores of several systems ->
// comparison. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdio>

#include "base/error.h"
#include "evaluation/comparison.h"
#include "evaluation/corpus_metrics.h"
#include "evaluation/groups.h"
#include "evaluation/leaderboard.h"
#include "evaluation/rexrank.h"
#include "evaluation/run_times.h"
#include "io/atomic_file.h"
#include "options.h"
#include "report.h"
#include "scored.h"
#include "scoring/composition.h"
#include "summary.h"

namespace unirg {
namespace {

std::vector<std::pair<std::string, std::string>> parse_pairs(
    const std::vector<std::string>& texts) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& text : texts) {
    const size_t dash = text.find('-');
    if (dash == std::string::npos || dash == 0 || dash + 1 == text.size() ||
        text.find('-', dash + 1) != std::string::npos) {
      throw Error(
          Exit::usage,
          fmt::format("bad value '{}' for 'pairs': expected A-B with names that have no '-'",
                      text));
    }
    pairs.emplace_back(text.substr(0, dash), text.substr(dash + 1));
  }
  return pairs;
}

std::vector<evaluation::GroupFilter> filters_of(const EvalToolOptions& o) {
  std::vector<evaluation::GroupFilter> filters;
  for (const std::string& text : o.only) filters.push_back(evaluation::parse_group_filter(text));
  return filters;
}

/// What ranks several systems; one system needs none, and no file that a metric's signature needs.
evaluation::LeaderboardOptions leaderboard_of(const EvalToolOptions& o,
                                              const evaluation::Comparison& comparison) {
  if (comparison.systems.size() < 2) return {};
  evaluation::LeaderboardOptions options{scoring::known_metrics(o.scoring), o.baseline};
  for (const evaluation::CorpusMetric& metric : evaluation::corpus_metrics())
    options.metrics.push_back(metric.info);
  for (const scoring::MetricInfo& metric : evaluation::condition_metrics())
    options.metrics.push_back(metric);
  return options;
}

void print_tables(const EvalToolOptions& o, const evaluation::Comparison& comparison,
                  const std::string& markdown, const io::Json& summary) {
  if (o.format == "none" || io::is_stream(o.scores)) return;
  io::AtomicFile out("-");
  out.write(o.format == "json"  ? summary.dump(2) + "\n"
            : o.format == "tsv" ? evaluation::tsv_table(comparison)
            : o.format == "latex"
                ? evaluation::leaderboard_latex(comparison, leaderboard_of(o, comparison))
                : markdown);
  out.commit();
}

void write_output(const std::filesystem::path& file, const std::string& text,
                  io::RunRecord& record) {
  if (file.empty()) return;
  io::AtomicFile out(file);
  out.write(text);
  out.commit();
  record.add_output(file, out.sha256());
}

void write_rexrank(const EvalToolOptions& o, const std::vector<evaluation::Score>& scores,
                   const evaluation::Comparison& comparison, io::RunRecord& record) {
  if (o.rexrank.empty()) return;
  for (const evaluation::Score& score : scores) {
    if (score.system != scores.front().system || score.seed != scores.front().seed)
      throw Error(Exit::usage, "--rexrank writes the files of one system and one seed");
  }
  std::error_code error;
  std::filesystem::create_directories(o.rexrank, error);
  if (error)
    throw Error(Exit::cannot_create,
                fmt::format("cannot create folder '{}': {}", o.rexrank.string(), error.message()));
  write_output(o.rexrank / "predictions.json", evaluation::rexrank_predictions(scores), record);
  write_output(o.rexrank / "report_scores.csv", evaluation::rexrank_scores(scores), record);
  write_output(o.rexrank / "leaderboard.csv", evaluation::rexrank_leaderboard(comparison), record);
}

scoring::Composition composite_of(const EvalToolOptions& o) {
  if (o.composition.empty()) return scoring::weighted_sum(o.composite);
  if (!o.composite.empty())
    throw Error(Exit::usage, "--composite and --composition exclude each other");
  return scoring::load_composition(scoring::composition_file(o.composition));
}

/// Writes the summary last; without one the run record goes beside the most that was written.
void finish(const EvalToolOptions& o, const io::Json& summary, io::RunRecord& record) {
  if (!o.summary.empty()) return write_summary(o.summary, summary.dump(2) + "\n", record);
  for (const std::filesystem::path& file :
       {o.html, o.table, o.rexrank.empty() ? o.rexrank : o.rexrank / "leaderboard.csv"}) {
    if (!file.empty()) return record.write_beside(file);
  }
}

Exit tabulate(const EvalToolOptions& o, const evaluation::ComparisonOptions& options, Scored scored,
              cli::Context& context) {
  scored.scores = evaluation::only_groups(std::move(scored.scores), filters_of(o));
  const evaluation::Comparison comparison = evaluation::compare(scored.scores, options);
  if (!options.composite.terms.empty())
    scored.signatures["composite"] =
        fmt::format("composite:{}|v1", scoring::formula(options.composite));
  io::Json summary = evaluation::summary_json(comparison, scored.signatures);
  if (!o.runs.empty()) summary["wall_s"] = evaluation::run_times(o.runs);
  const std::string markdown =
      evaluation::markdown_tables(comparison, leaderboard_of(o, comparison), scored.signatures);
  write_output(o.table, markdown, context.record);
  write_rexrank(o, scored.scores, comparison, context.record);
  if (!o.html.empty())
    write_report(o, scored.scores, comparison, scored.signatures, context.record);
  finish(o, summary, context.record);
  print_tables(o, comparison, markdown, summary);
  return Exit::ok;
}

Exit run(EvalToolOptions& o, cli::Context& context) {
  scoring::settle(o.scoring, context);
  const std::string verb = o.words.empty() ? "" : o.words.front();
  if (o.list_metrics) {
    list_metrics(o);
    return Exit::ok;
  }
  if (verb == "meta") return meta_evaluate(o, context);
  if (verb == "rexrank") return check_rexrank(o, context);
  if (verb == "tensorboard") return write_events(o, context);
  const evaluation::ComparisonOptions options{
      .pairs = parse_pairs(o.pairs),
      .composite = composite_of(o),
      .resampling = {o.resamples, static_cast<uint64_t>(o.common.seed),
                     o.intervals == "bca" ? evaluation::IntervalKind::bca
                                          : evaluation::IntervalKind::percentile},
      .permutations = o.permutations,
      .by = o.by,
      .error_shares = o.error_shares,
      .baseline = o.baseline};
  return tabulate(
      o, options,
      verb == "compare" ? load_scores(o, context) : score_reports(o, options.composite, context),
      context);
}

}  // namespace
}  // namespace unirg

int main(int argc, char** argv) {
  unirg::EvalToolOptions options;
  return unirg::cli::run_main(
      {.name = "unirg-eval",
       .summary = "Scores reports against references, compares systems, and makes tables and a "
                  "page of the results.",
       .synopsis = "[options] --references FILE [PREDICTIONS] | compare [options] SCORES... | meta "
                   "[options] RATINGS | rexrank [options] --references FILE SUBMISSION | "
                   "tensorboard --logdir DIR NAME=METRICS... | --list-metrics",
       .example = "unirg-eval --references data/studies.jsonl --name sft --scores sft.scores.jsonl "
                  "generations.jsonl"},
      unirg::eval_table(options), options.common, argc, argv,
      [&](unirg::cli::Context& context) { return unirg::run(options, context); });
}
