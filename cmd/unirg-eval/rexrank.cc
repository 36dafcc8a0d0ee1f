// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/error.h"
#include "evaluation/rexrank_check.h"
#include "io/atomic_file.h"
#include "scored.h"
#include "summary.h"

namespace unirg {
namespace {

void write_check(const EvalToolOptions& o, const evaluation::SubmissionCheck& check,
                 io::RunRecord& record) {
  const std::string json = evaluation::check_json(check).dump(2) + "\n";
  write_summary(o.summary, json, record);
  if (o.format == "none") return;
  io::AtomicFile out("-");
  out.write(o.format == "json"  ? json
            : o.format == "tsv" ? evaluation::check_tsv(check)
                                : evaluation::check_text(check));
  out.commit();
}

}  // namespace

Exit check_rexrank(const EvalToolOptions& o, cli::Context& context) {
  if (o.words.size() != 2) throw Error(Exit::usage, "rexrank checks one submission file");
  if (o.references.empty()) throw Error(Exit::usage, "missing option '--references'");
  const std::filesystem::path submission = o.words[1];
  if (io::is_stream(submission) && io::is_stream(o.references))
    throw Error(Exit::usage, "standard input cannot be both references and submission");
  const auto references = scoring::load_reports(o.references, false).records;
  context.record.add_input(o.references);
  context.record.add_input(submission);
  const evaluation::SubmissionCheck check = evaluation::check_submission(
      io::read_file(submission), submission.string(), references, o.splits);
  write_check(o, check, context.record);
  if (check.passed()) return Exit::ok;
  throw Error(
      Exit::data,
      fmt::format("'{}' is no valid submission: {} problems, {} of {} studies are in order",
                  submission.string(), check.problems.size(), check.valid, check.references));
}

}  // namespace unirg
