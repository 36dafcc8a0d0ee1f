// unirg-ingest: DICOM or picture folders and reports -> studies.jsonl + image shards.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "image/dicom.h"
#include "options.h"

namespace unirg {
namespace {

/// Whether `inner` is `outer` or lies in it.
bool lies_in(const std::filesystem::path& inner, const std::filesystem::path& outer) {
  const auto real_inner = std::filesystem::weakly_canonical(inner);
  const auto real_outer = std::filesystem::weakly_canonical(outer);
  return std::mismatch(real_outer.begin(), real_outer.end(), real_inner.begin(), real_inner.end())
             .first == real_outer.end();
}

/// An output within the input would be read by the next run, an input within the output would be
/// replaced.
void check_apart(const std::filesystem::path& output, const std::filesystem::path& input) {
  const bool within = std::filesystem::is_directory(input) && lies_in(output, input);
  if (input.empty() || (!within && !lies_in(input, output))) return;
  throw Error(
      Exit::usage,
      fmt::format(
          "output '{}' and input '{}' lie within each other (hint: name a folder beside the input)",
          output.string(), input.string()));
}

void check(const IngestToolOptions& o) {
  const data::SourceOptions& s = o.ingest.source;
  const bool needs_root = s.source != "table";
  if (needs_root && s.root.empty()) throw Error(Exit::usage, "missing argument DIR");
  if (s.source == "table" && s.reports.empty())
    throw Error(Exit::usage, "missing option '--reports'");
  if (s.source != "openi" && s.reports.empty() && !s.allow_missing_report) {
    throw Error(Exit::usage, "missing option '--reports' (hint: or --allow-missing-report)");
  }
  if (!s.images.empty() && (lies_in(s.images, s.root) || lies_in(s.root, s.images))) {
    throw Error(Exit::usage,
                fmt::format("the folder of reports '{}' and --images '{}' lie within each other: "
                            "their files would count twice (hint: two folders side by side)",
                            s.root.string(), s.images.string()));
  }
  if (!o.ingest.parts.empty() && o.common.shard != cli::Common().shard)
    throw Error(Exit::usage, "--parts joins all shards: it takes no --shard");
  if (o.splits.empty()) throw Error(Exit::usage, "--splits names no split");
  for (const auto& [name, share] : o.splits) {
    if (share <= 0)
      throw Error(Exit::usage, fmt::format("bad share {} of split '{}': expected a number above 0",
                                           share, name));
  }
  for (const std::filesystem::path& input : {s.root, s.reports, s.images})
    check_apart(o.ingest.output, input);
  for (const std::filesystem::path& part : o.ingest.parts) check_apart(o.ingest.output, part);
}

Exit run(IngestToolOptions& o, cli::Context& context) {
  check(o);
  o.ingest.splits = o.splits;
  o.ingest.seed = static_cast<uint64_t>(o.common.seed);
  o.ingest.threads = static_cast<int>(o.common.threads);
  o.ingest.shard = data::parse_shard(o.common.shard);
  if (!o.ingest.source.reports.empty()) context.record.add_input(o.ingest.source.reports);
  const image::DicomCodecs codecs;
  data::IngestCounts counts;
  cli::Progress progress(context.log, "study", 0, o.common.log_every);
  const auto go_on = [&] {
    progress.advance();
    return !context.stop.requested();
  };
  if (!data::run_ingest(o.ingest, context.record, go_on, counts)) return Exit::interrupted;
  context.log.info(
      "{} studies; {} files = {} used + {} rejected + {} ignored; {} table rows rejected",
      counts.studies, counts.files, counts.used, counts.refused, counts.ignored,
      counts.refused_rows);
  const int64_t rejected = counts.refused + counts.refused_rows;
  if (o.max_rejected && rejected > *o.max_rejected) {
    throw Error(
        Exit::data,
        fmt::format("{} files and rows rejected, --max-rejected {} (hint: see '{}')", rejected,
                    *o.max_rejected, (o.ingest.output / "rejected.jsonl").string()));
  }
  return Exit::ok;
}

}  // namespace
}  // namespace unirg

int main(int argc, char** argv) {
  unirg::IngestToolOptions options;
  return unirg::cli::run_main(
      {.name = "unirg-ingest",
       .summary = "Turns images and reports as hospitals and datasets keep them into study records "
                  "and image shards.",
       .synopsis = "[options] --output DIR [DIR]",
       .example = "unirg-ingest --source dicom --reports reports.csv -o data dicom/"},
      unirg::ingest_table(options), options.common, argc, argv,
      [&](unirg::cli::Context& context) { return unirg::run(options, context); });
}
