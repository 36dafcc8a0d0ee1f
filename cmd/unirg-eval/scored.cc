// SPDX-License-Identifier: Apache-2.0
#include "scored.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "cli/installed.h"
#include "evaluation/corpus_metrics.h"
#include "evaluation/score_run.h"
#include "io/atomic_file.h"
#include "scoring/scorer.h"

namespace unirg {
namespace {

using evaluation::Score;

/// A per-report signature's text behind the name, less what holds for one report only: the set of
/// labels, which a corpus metric's name says, and what an F1 of nothing is.
std::string corpus_part(std::string text) {
  for (const char* part : {"|labels:14", "|labels:5", "|both-empty:1"}) {
    if (const size_t at = text.find(part); at != std::string::npos)
      text.erase(at, std::string_view(part).size());
  }
  return text + "|corpus";
}

/// What a corpus metric computes: the per-report metric whose statistic it sums says it, or the
/// rule labeler.
Signatures corpus_signatures(const scoring::Scorer& scorer, const std::vector<Score>& scores,
                             const Signatures& own) {
  Signatures signatures;
  for (const scoring::MetricInfo& metric : evaluation::condition_metrics()) {
    if (scorer.reads_labels())
      signatures[metric.name] = metric.name + ":13|corpus|" + scorer.label_signature();
  }
  for (const evaluation::CorpusMetric& metric : evaluation::corpus_metrics()) {
    const auto is_there = [&](const auto& sums) { return sums.first == metric.statistic; };
    if (std::none_of(scores.front().sums.begin(), scores.front().sums.end(), is_there)) continue;
    const auto maker = own.lower_bound(metric.statistic);
    if (maker == own.end() || !maker->first.starts_with(metric.statistic)) continue;
    signatures[metric.info.name] =
        metric.info.name + corpus_part(maker->second.substr(maker->first.size()));
  }
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

/// Of everything that was computed. The sections scored are a part where they are not both.
Signatures signatures_of(const EvalToolOptions& o, const scoring::Scorer& scorer,
                         const std::vector<Score>& scores) {
  Signatures signatures;
  for (const scoring::MetricInfo& metric : scorer.metrics())
    signatures[metric.name] = metric.signature;
  signatures.merge(corpus_signatures(scorer, scores, signatures));
  if (o.sections == "both") return signatures;
  for (auto& [metric, signature] : signatures) signature += "|sections:" + o.sections;
  return signatures;
}

/// The metrics asked for and those of the composition; none: what is computed by default.
std::vector<std::string> metric_names(const EvalToolOptions& o,
                                      const scoring::Composition& composite) {
  std::vector<std::string> names = o.metrics;
  if (!composite.terms.empty() && names.empty()) names = scoring::default_metrics();
  for (const scoring::Term& term : composite.terms) names.push_back(term.metric);
  return names;
}

/// For references that have a prior; none of them: nothing is read, no file is needed.
std::shared_ptr<const text::TemporalReader> temporal_reader(
    const EvalToolOptions& o, const std::vector<scoring::NamedReport>& references) {
  if (std::none_of(references.begin(), references.end(), evaluation::has_prior)) return nullptr;
  return std::make_shared<const text::TemporalReader>(
      o.scoring.lexicon, o.temporal_lexicon.empty() ? cli::installed_file("lexicon/temporal.yaml")
                                                    : o.temporal_lexicon);
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

/// Of the run record beside a file of score records; empty without one.
Signatures recorded_signatures(const std::filesystem::path& scores) {
  Signatures signatures;
  const std::filesystem::path file = scores.string() + ".run.json";
  if (!std::filesystem::exists(file)) return signatures;
  const auto record = nlohmann::json::parse(io::read_file(file), nullptr, false);
  const nlohmann::json::json_pointer place("/notes/signatures");
  if (!record.is_object() || !record.contains(place) || !record[place].is_object())
    return signatures;
  for (const auto& [metric, signature] : record[place].items()) {
    if (signature.is_string()) signatures[metric] = signature.get<std::string>();
  }
  return signatures;
}

void merge(Signatures& all, const Signatures& own, const std::string& file) {
  for (const auto& [metric, signature] : own) {
    const auto [it, is_new] = all.emplace(metric, signature);
    if (it->second == signature) continue;
    throw Error(Exit::data,
                fmt::format("'{}': metric '{}' was computed as '{}', in the files before as '{}': "
                            "the numbers cannot be compared (hint: score both anew)",
                            file, metric, signature, it->second));
  }
}

}  // namespace

Scored score_reports(const EvalToolOptions& o, const scoring::Composition& composite,
                     cli::Context& context) {
  if (o.references.empty()) throw Error(Exit::usage, "missing option '--references'");
  const std::filesystem::path predictions = predictions_of(o);
  if (io::is_stream(predictions) && io::is_stream(o.references))
    throw Error(Exit::usage, "standard input cannot be both references and reports");
  scoring::Scorer scorer(metric_names(o, composite), o.scoring);
  const auto references = scoring::load_reports(o.references, false).records;
  const auto reports = scoring::load_reports(predictions, true).records;
  const auto temporal = temporal_reader(o, references);
  evaluation::ScoreRun run =
      evaluation::score_run(scorer, reports, references,
                            {o.system, o.seed_tag, o.splits, scoring::parse_sections(o.sections),
                             o.allow_missing, scorer.threads(o.common.threads),
                             [&context] { return context.stop.requested(); }, temporal});
  if (run.empty_reference > 0)
    context.log.info("{} references lack the sections to be scored and were left out",
                     run.empty_reference);
  if (run.missing > 0)
    context.log.warning("{} references have no report and were left out", run.missing);
  if (run.scores.empty())
    throw Error(Exit::data, "nothing to score: no reference has the sections asked for");
  Signatures signatures = signatures_of(o, scorer, run.scores);
  context.record.add_input(o.references);
  context.record.add_input(predictions);
  context.record.note("empty_reference", run.empty_reference);
  context.record.note("missing", run.missing);
  context.record.note("signatures", io::Json(signatures));
  if (temporal) context.record.note("temporal", temporal->signature());
  write_scores(o, run.scores, context.record);
  return {std::move(run.scores), std::move(signatures)};
}

Scored load_scores(const EvalToolOptions& o, cli::Context& context) {
  if (o.words.size() < 2)
    throw Error(Exit::usage, "compare needs at least one file of score records");
  Scored all;
  for (size_t i = 1; i < o.words.size(); ++i) {
    std::vector<Score> scores = evaluation::read_scores(o.words[i]);
    std::move(scores.begin(), scores.end(), std::back_inserter(all.scores));
    const Signatures own = recorded_signatures(o.words[i]);
    if (own.empty())
      context.log.warning(
          "'{}' has no signatures beside it ('{}.run.json'): whether its metrics "
          "are those of the other files is not checked",
          o.words[i], o.words[i]);
    merge(all.signatures, own, o.words[i]);
    context.record.add_input(o.words[i]);
  }
  return all;
}

}  // namespace unirg
