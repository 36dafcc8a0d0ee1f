// unirg-eval: reports + references -> scores, tables, page; or scores of several systems ->
// comparison. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdio>

#include "base/error.h"
#include "cli/installed.h"
#include "evaluation/comparison.h"
#include "evaluation/run_times.h"
#include "evaluation/score_run.h"
#include "io/atomic_file.h"
#include "options.h"
#include "report.h"

namespace unirg {
namespace {

using evaluation::Score;
using Signatures = std::map<std::string, std::string>;

/// Everything the outputs are made from.
struct Scored {
  std::vector<Score> scores;
  Signatures signatures;
};

Signatures signatures_of(const std::vector<scoring::MetricInfo>& metrics) {
  Signatures signatures;
  for (const scoring::MetricInfo& metric : metrics) signatures[metric.name] = metric.signature;
  return signatures;
}

/// Standard input for "-", and for a lone call in a pipe.
std::filesystem::path predictions_of(const EvalToolOptions& o) {
  if (!o.predictions.empty() && !o.words.empty())
    throw Error(Exit::usage, "reports are named twice, by --predictions and as an argument");
  if (o.words.size() > 1)
    throw Error(
        Exit::usage,
        fmt::format(
            "one file of reports is scored at a time, got '{}' too (hint: unirg-eval compare)",
            o.words[1]));
  if (!o.words.empty()) return o.words.front();
  return o.predictions.empty() ? std::filesystem::path("-") : o.predictions;
}

void write_scores(const EvalToolOptions& o, const std::vector<Score>& scores,
                  io::RunRecord& record) {
  if (o.scores.empty()) return;
  io::AtomicFile out(o.scores);
  for (const Score& score : scores) out.write(io::json_line(evaluation::to_json(score)));
  out.seal();
  record.add_output(o.scores, out.sha256());
  record.write_beside(o.scores);
  out.commit();
}

Scored score(const EvalToolOptions& o, cli::Context& context) {
  if (o.references.empty()) throw Error(Exit::usage, "missing option '--references'");
  const std::filesystem::path lexicon =
      o.lexicon.empty() ? cli::installed_file("lexicon/chest.yaml") : o.lexicon;
  const scoring::Scorer scorer(o.metrics, lexicon, o.uncertain_is_positive);
  const std::filesystem::path predictions = predictions_of(o);
  if (io::is_stream(predictions) && io::is_stream(o.references))
    throw Error(Exit::usage, "standard input cannot be both references and reports");
  const auto references = scoring::load_reports(o.references, false).records;
  const auto reports = scoring::load_reports(predictions, true).records;
  evaluation::ScoreRun run =
      evaluation::score_run(scorer, reports, references,
                            {o.system, o.seed_tag, o.splits, scoring::parse_sections(o.sections),
                             o.allow_missing, static_cast<int>(o.common.threads)});
  if (run.empty_reference > 0)
    context.log.info("{} references lack the sections to be scored and were left out",
                     run.empty_reference);
  if (run.missing > 0)
    context.log.warning("{} references have no report and were left out", run.missing);
  if (run.scores.empty())
    throw Error(Exit::data, "nothing to score: no reference has the sections asked for");
  context.record.add_input(o.references);
  context.record.add_input(predictions);
  context.record.note("empty_reference", run.empty_reference);
  context.record.note("missing", run.missing);
  write_scores(o, run.scores, context.record);
  return {std::move(run.scores), signatures_of(scorer.metrics())};
}

Scored load(const EvalToolOptions& o, cli::Context& context) {
  if (o.words.size() < 2)
    throw Error(Exit::usage, "compare needs at least one file of score records");
  Scored all;
  for (size_t i = 1; i < o.words.size(); ++i) {
    std::vector<Score> scores = evaluation::read_scores(o.words[i]);
    std::move(scores.begin(), scores.end(), std::back_inserter(all.scores));
    context.record.add_input(o.words[i]);
  }
  const text::Labeler labeler(o.lexicon.empty() ? cli::installed_file("lexicon/chest.yaml")
                                                : o.lexicon);
  all.signatures = signatures_of(scoring::known_metrics(labeler.version()));
  return all;
}

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

void print_tables(const EvalToolOptions& o, const evaluation::Comparison& comparison,
                  const io::Json& summary) {
  if (o.format == "none" || io::is_stream(o.scores)) return;
  io::AtomicFile out("-");
  out.write(o.format == "json"  ? summary.dump(2) + "\n"
            : o.format == "tsv" ? evaluation::tsv_table(comparison)
                                : evaluation::markdown_tables(comparison));
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

Exit run(const EvalToolOptions& o, cli::Context& context) {
  const bool compares = !o.words.empty() && o.words.front() == "compare";
  const Scored scored = compares ? load(o, context) : score(o, context);
  const evaluation::Comparison comparison = evaluation::compare(
      scored.scores,
      {parse_pairs(o.pairs), o.composite, o.resamples, static_cast<uint64_t>(o.common.seed)});
  io::Json summary = evaluation::summary_json(comparison, scored.signatures);
  if (!o.runs.empty()) summary["wall_s"] = evaluation::run_times(o.runs);
  write_output(o.table, evaluation::markdown_tables(comparison), context.record);
  write_output(o.summary, summary.dump(2) + "\n", context.record);
  if (!o.html.empty())
    write_report(o, scored.scores, comparison, scored.signatures, context.record);
  print_tables(o, comparison, summary);
  if (!o.summary.empty()) context.record.write_beside(o.summary);
  return Exit::ok;
}

}  // namespace
}  // namespace unirg

int main(int argc, char** argv) {
  unirg::EvalToolOptions options;
  return unirg::cli::run_main(
      {.name = "unirg-eval",
       .summary = "Scores reports against references, compares systems, and makes tables and a "
                  "page of the results.",
       .synopsis = "[options] --references FILE [PREDICTIONS] | compare [options] SCORES...",
       .example = "unirg-eval --references data/studies.jsonl --name sft --scores sft.scores.jsonl "
                  "generations.jsonl"},
      unirg::eval_table(options), options.common, argc, argv,
      [&](unirg::cli::Context& context) { return unirg::run(options, context); });
}
