// unirg-ingest: DICOM or picture folders and reports -> studies.jsonl + image shards; and what can
// be asked of such a folder.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <malloc.h>

#include <optional>

#include "actions.h"
#include "base/error.h"
#include "checks.h"
#include "data/pseudonyms.h"
#include "data/reasons.h"
#include "image/dicom.h"

namespace unirg {
namespace {

void fail_on_leaks(const IngestToolOptions& o, const data::IngestCounts& counts) {
  for (const std::string& kind : o.fail_on_leak) {
    const int64_t count = kind == "id"      ? counts.excluded
                          : kind == "image" ? counts.image_leaks
                                            : counts.text_leaks;
    if (count == 0) continue;
    throw Error(
        Exit::data,
        fmt::format("{} studies share {} with tested ones (hint: see 'leaks' in '{}')", count,
                    kind == "id"      ? "their id"
                    : kind == "image" ? "a picture"
                                      : "most of their report",
                    (o.ingest.output / "summary.json").string()));
  }
}

void warn(const data::IngestCounts& counts, bool has_table, Logger& log) {
  if (counts.burned_in > 0) {
    log.warning(
        "{} images say that text stands in their pixels, of a patient perhaps (hint: jq "
        "'.images[] | select(.burned_in_annotation)' studies.jsonl)",
        counts.burned_in);
  }
  if (counts.overlaid > 0)
    log.warning("{} images have overlays, which are not drawn", counts.overlaid);
  if (counts.short_identifiers > 0)
    log.warning("{} identifiers of less than four letters and digits are not looked for",
                counts.short_identifiers);
  if (counts.studies == 0 && counts.files > 0) {
    log.warning("no file made a study (hint: see rejected.jsonl{})",
                has_table ? "" : "; is --reports or --allow-missing-report missing?");
  }
}

/// The memory of one picture is kept for the next: given back, the kernel would clear it each time.
void keep_memory() {
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the most that glibc takes
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

Exit ingest(IngestToolOptions& o, cli::Context& context) {
  choose_layout(o.ingest.source);
  choose_rules(o);
  check(o);
  o.ingest.splits = o.splits;
  for (const auto& [name, count] : o.hold_out)
    o.ingest.hold_out.emplace_back(name, static_cast<int64_t>(count));
  o.ingest.check_leaks |= !o.fail_on_leak.empty();
  o.ingest.seed = static_cast<uint64_t>(o.common.seed);
  o.ingest.threads = static_cast<int>(o.common.threads);
  o.ingest.shard = data::parse_shard(o.common.shard);
  o.ingest.stopped = [&] { return context.stop.requested(); };
  const data::SourceOptions& source = o.ingest.source;
  if (!source.reports.empty() && !std::filesystem::is_directory(source.reports))
    context.record.add_input(source.reports);
  if (!source.layout.empty()) context.record.add_input(source.layout);
  for (const std::filesystem::path& list : o.ingest.exclude) context.record.add_input(list);
  if (!o.ingest.scrub_rules.empty()) context.record.add_input(o.ingest.scrub_rules);
  context.record.add_input(o.ingest.categories);
  if (!o.ingest.salt_file.empty()) {
    // Not its digest, by which guesses could be tried: what tells one salt from another.
    context.record.add_input(o.ingest.salt_file,
                             data::Pseudonyms::load(o.ingest.salt_file).check_value());
  }
  const image::DicomCodecs codecs;
  keep_memory();
  data::IngestCounts counts;
  std::optional<cli::Progress> progress;
  const auto go_on = [&] {
    progress->advance();
    return !context.stop.requested();
  };
  o.ingest.source.watch = {[&](const char* unit, int64_t total) {
                             progress.emplace(context.log, unit, total, o.common.log_every);
                           },
                           go_on};
  o.ingest.warn = [&](const std::string& text) { context.log.warning("{}", text); };
  if (!data::run_ingest(o.ingest, context.record, go_on, counts)) return Exit::interrupted;
  progress.reset();
  if (!o.ingest.cache.empty())
    context.log.info("{} pictures from the cache, {} decoded into it", counts.cache_found,
                     counts.cache_made);
  context.log.info(
      "{} studies; {} files = {} used + {} rejected + {} ignored; {} table rows rejected",
      counts.studies, counts.files, counts.used, counts.refused, counts.ignored,
      counts.refused_rows);
  if (counts.localizers + counts.left_out + counts.over_limit > 0)
    context.log.info("ignored: {} CT slices by --ct-rule, {} localizers, {} files by --max-images",
                     counts.left_out, counts.localizers, counts.over_limit);
  warn(counts, !o.ingest.source.reports.empty() || !o.ingest.source.layout.empty(), context.log);
  fail_on_leaks(o, counts);
  const int64_t rejected = counts.refused + counts.refused_rows;
  if (o.max_rejected && rejected > *o.max_rejected) {
    throw Error(
        Exit::data,
        fmt::format("{} files and rows rejected, --max-rejected {} (hint: see '{}')", rejected,
                    *o.max_rejected, (o.ingest.output / "rejected.jsonl").string()));
  }
  return Exit::ok;
}

/// An error without what it names, but for what the command line names: a log line is an output,
/// too. Of options and of YAML files it names options, keys and columns.
[[noreturn]] void throw_discreetly(const IngestToolOptions& o, Exit exit, const char* message) {
  if (exit == Exit::usage || exit == Exit::config) throw Error(exit, message);
  const data::IngestOptions& i = o.ingest;
  std::vector<std::string> kept;
  for (const std::filesystem::path& path :
       {i.source.root, i.source.reports, i.source.images, i.source.columns, i.source.layout,
        i.output, i.lexicon, i.salt_file, i.scrub_rules, i.cache, i.categories})
    kept.push_back(path.string());
  for (const auto* list : {&i.exclude, &i.parts, &i.forbid}) {
    for (const std::filesystem::path& path : *list) kept.push_back(path.string());
  }
  throw Error(exit, data::without_quoted(message, kept));
}

Exit ingest_discreetly(IngestToolOptions& o, cli::Context& context) {
  try {
    return ingest(o, context);
  } catch (const Error& e) {
    throw_discreetly(o, e.exit(), e.what());
  } catch (const std::filesystem::filesystem_error& e) {
    throw_discreetly(o, Exit::io,
                     fmt::format("'{}': {}", e.path1().string(), e.code().message()).c_str());
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception&) {
    throw Error(Exit::internal, "internal error (hint: without --salt-file it says which)");
  }
}

Exit run(IngestToolOptions& o, cli::Context& context) {
  const std::filesystem::path& verb = o.ingest.source.root;
  if (verb == "verify") return verify(o, context);
  if (verb == "stats") return print_stats(o, context);
  if (verb == "check") return check_identifiers(o, context);
  return o.ingest.salt_file.empty() ? ingest(o, context) : ingest_discreetly(o, context);
}

}  // namespace
}  // namespace unirg

int main(int argc, char** argv) {
  unirg::IngestToolOptions options;
  return unirg::cli::run_main(
      {.name = "unirg-ingest",
       .summary = "Turns images and reports as hospitals and datasets keep them into study records "
                  "and image shards.",
       .synopsis = "[options] --output DIR [DIR] | verify FOLDER | stats [options] FOLDER | check "
                   "--forbid PATH FOLDER...",
       .example = "unirg-ingest --source dicom --reports reports.csv -o data dicom/"},
      unirg::ingest_table(options), options.common, argc, argv,
      [&](unirg::cli::Context& context) { return unirg::run(options, context); });
}
