// SPDX-License-Identifier: Apache-2.0
#include "checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "cli/installed.h"
#include "data/dicomdir.h"

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

/// The folder that a DICOMDIR speaks of; anything else as it is.
std::filesystem::path folder_of(const std::filesystem::path& root) {
  return data::is_dicomdir(root) ? std::filesystem::absolute(root).parent_path() : root;
}

bool is_dataset(const data::SourceOptions& s) {
  const auto& names = dataset_names();
  return s.source == "layout" || std::find(names.begin(), names.end(), s.source) != names.end();
}

/// A file below two of the folders would count twice.
void check_folders(const data::SourceOptions& s) {
  const bool more_reports = is_dataset(s) && std::filesystem::is_directory(s.reports);
  const auto check_pair = [](const std::filesystem::path& a, const char* name,
                             const std::filesystem::path& b) {
    if (!lies_in(a, b) && !lies_in(b, a)) return;
    throw Error(Exit::usage,
                fmt::format("{} '{}' and '{}' lie within each other: their files would count twice "
                            "(hint: two folders side by side)",
                            name, a.string(), b.string()));
  };
  if (!s.images.empty()) check_pair(s.images, "--images", s.root);
  if (more_reports) check_pair(s.reports, "--reports", s.root);
  if (more_reports && !s.images.empty()) check_pair(s.images, "--images", s.reports);
}

/// Entries of a cache are nobody's input, and must outlive an output that is replaced.
void check_cache(const IngestToolOptions& o) {
  if (o.ingest.cache.empty()) return;
  std::vector<std::filesystem::path> others{o.ingest.output};
  for (const std::filesystem::path& input :
       {folder_of(o.ingest.source.root), o.ingest.source.reports, o.ingest.source.images}) {
    if (std::filesystem::is_directory(input)) others.push_back(input);
  }
  for (const std::filesystem::path& other : others) {
    if (!lies_in(o.ingest.cache, other) && !lies_in(other, o.ingest.cache)) continue;
    throw Error(Exit::usage,
                fmt::format("--cache '{}' and '{}' lie within each other (hint: name a folder "
                            "beside them)",
                            o.ingest.cache.string(), other.string()));
  }
}

void check_splits(const IngestToolOptions& o) {
  if (o.splits.empty()) throw Error(Exit::usage, "--splits names no split");
  for (const auto& [name, share] : o.splits) {
    if (share <= 0)
      throw Error(Exit::usage, fmt::format("bad share {} of split '{}': expected a number above 0",
                                           share, name));
  }
  for (const auto& [name, count] : o.hold_out) {
    if (count < 1 || count != std::floor(count) || name == "train")
      throw Error(Exit::usage,
                  fmt::format("bad --hold-out {}={}: expected a split other than train "
                              "and a whole number above 0",
                              name, count));
  }
  if (!o.hold_out.empty() && data::parse_shard(o.common.shard).count > 1)
    throw Error(Exit::usage,
                "--hold-out counts over all studies: not together with --shard (hint: the "
                "run with --parts holds out)");
  for (const std::string& kind : o.fail_on_leak) {
    if (kind != "id" && kind != "image" && kind != "text")
      throw Error(Exit::usage,
                  fmt::format("bad --fail-on-leak '{}': expected id, image or text", kind));
  }
}

}  // namespace

void choose_layout(data::SourceOptions& s) {
  if (!is_dataset(s)) {
    if (!s.layout.empty())
      throw Error(Exit::usage, "--layout needs a dataset as --source, or --source layout");
    return;
  }
  if (s.source == "layout" && s.layout.empty())
    throw Error(Exit::usage, "--source layout needs --layout FILE");
  if (s.layout.empty()) s.layout = cli::installed_file("datasets/" + s.source + ".yaml");
  if (s.dataset.empty()) s.dataset = s.source == "layout" ? s.layout.stem().string() : s.source;
}

void choose_rules(IngestToolOptions& o) {
  if (!o.scrub && !o.ingest.scrub_rules.empty())
    throw Error(Exit::usage, "--scrub-rules needs --scrub");
  if (o.scrub && o.ingest.scrub_rules.empty())
    o.ingest.scrub_rules = cli::installed_file("scrub/report.yaml");
  if (o.ingest.categories.empty())
    o.ingest.categories = cli::installed_file("lexicon/categories.yaml");
  o.ingest.ct.rule = o.ct_rule == "all"       ? data::CtRule::all
                     : o.ct_rule == "montage" ? data::CtRule::montage
                                              : data::CtRule::key_slices;
}

void check(const IngestToolOptions& o) {
  const data::SourceOptions& s = o.ingest.source;
  if (o.ingest.output.empty()) throw Error(Exit::usage, "missing option '--output'");
  if (!o.arguments.empty()) throw Error(Exit::usage, "too many arguments: expected one DIR");
  const bool needs_root = s.source != "table";
  if (needs_root && s.root.empty()) throw Error(Exit::usage, "missing argument DIR");
  if (s.source == "table" && s.reports.empty())
    throw Error(Exit::usage, "missing option '--reports'");
  // A DICOM folder may bring Structured Reports.
  const bool needs_table = s.source == "images" || s.source == "table";
  if (needs_table && s.reports.empty() && !s.allow_missing_report) {
    throw Error(Exit::usage, "missing option '--reports' (hint: or --allow-missing-report)");
  }
  if (!o.ingest.parts.empty() && o.common.shard != cli::Common().shard)
    throw Error(Exit::usage, "--parts joins all shards: it takes no --shard");
  check_folders(s);
  check_cache(o);
  check_splits(o);
  for (const std::filesystem::path& input : {folder_of(s.root), s.reports, s.images})
    check_apart(o.ingest.output, input);
  for (const std::filesystem::path& part : o.ingest.parts) check_apart(o.ingest.output, part);
}

}  // namespace unirg
