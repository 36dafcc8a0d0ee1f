// SPDX-License-Identifier: Apache-2.0
#include "evaluation/meta.h"

#include <fmt/format.h>

#include "base/error.h"
#include "io/atomic_file.h"
#include "scored.h"
#include "summary.h"

namespace unirg {
namespace {

using Ratings = std::vector<scoring::HumanRating>;

/// The words after "meta", as many as the kind has.
Ratings read_ratings(const EvalToolOptions& o) {
  const std::string& kind = o.ratings_kind;
  const bool two = kind == "rexval" || kind == "radpref";
  if (o.words.size() != (two ? 3 : 2))
    throw Error(Exit::usage,
                fmt::format("meta with ratings of kind '{}' needs {}", kind,
                            kind == "rexval"    ? "two files: reports and rated errors"
                            : kind == "radpref" ? "a file of cases and a folder of annotations"
                                                : "one file"));
  if (kind == "rexval") return scoring::read_rexval(o.words[1], o.words[2]);
  if (kind == "radpref") return scoring::read_radpref(o.words[1], o.words[2]);
  if (kind == "rate-eval") return scoring::read_rate_eval(o.words[1]);
  return scoring::read_plain_ratings(o.words[1]);
}

void note_signatures(const std::vector<evaluation::MetricAgreement>& agreements,
                     io::RunRecord& record) {
  io::Json signatures = io::Json::object();
  for (const evaluation::MetricAgreement& m : agreements) signatures[m.metric] = m.signature;
  record.note("signatures", std::move(signatures));
}

}  // namespace

Exit meta_evaluate(const EvalToolOptions& o, cli::Context& context) {
  const Ratings ratings = read_ratings(o);
  for (size_t i = 1; i < o.words.size(); ++i) context.record.add_input(o.words[i]);
  scoring::Scorer scorer(o.metrics, o.scoring);
  const auto agreements = evaluation::meta_evaluate(
      scorer, ratings, {.times = o.resamples, .seed = static_cast<uint64_t>(o.common.seed)},
      scorer.threads(o.common.threads), [&context] { return context.stop.requested(); });
  const std::string json = evaluation::meta_json(agreements).dump(2) + "\n";
  note_signatures(agreements, context.record);
  write_summary(o.summary, json, context.record);
  if (o.format == "none") return Exit::ok;
  io::AtomicFile out("-");
  out.write(o.format == "json"  ? json
            : o.format == "tsv" ? evaluation::meta_tsv(agreements)
                                : evaluation::meta_markdown(agreements));
  out.commit();
  return Exit::ok;
}

}  // namespace unirg
