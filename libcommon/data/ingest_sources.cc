// SPDX-License-Identifier: Apache-2.0
#include "data/ingest_sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "base/digest.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/parallel.h"
#include "data/dataset_plan.h"
#include "data/dicomdir.h"
#include "data/draft_row.h"
#include "data/openi.h"
#include "data/structured_reports.h"
#include "image/dicom_file.h"
#include "io/gzip.h"
#include "text/bpe_bytes.h"

namespace unirg::data {
namespace fs = std::filesystem;
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// A row of the table, as pictures find it.
struct TableKey {
  uint32_t draft;           ///< number of its study's
  uint32_t view : 29;       ///< number of its view
  uint32_t files : 2;       ///< that have the key as their name; 2: several
  uint32_t as_written : 1;  ///< a row has the file's path in this form
};

/// What the rows of the table are found by; their drafts are the plan's.
struct TableKeys {
  /// Digests of "file:...", "uid:...", "accession:...".
  std::unordered_map<Digest, TableKey, DigestHash> by_key;
  std::unordered_map<Digest, uint32_t, DigestHash> by_id;
  std::unordered_set<Digest, DigestHash> odd_files;  ///< paths written in another form
  NameTable views;
};

std::string normal_file(const std::string& file) { return fs::path(file).lexically_normal(); }

/// What pictures find the row by.
std::vector<std::string> keys_of(const ColumnMap& map, const TableRow& row) {
  std::vector<std::string> keys;
  if (const auto file = map.get(row, "file")) keys.push_back("file:" + normal_file(*file));
  if (const auto uid = map.get(row, "study_uid")) keys.push_back("uid:" + *uid);
  if (const auto accession = map.get(row, "accession")) keys.push_back("accession:" + *accession);
  return keys;
}

const TableKey* find_key(const TableKeys& table, const std::string& key) {
  const auto it = table.by_key.find(digest_of(key));
  return it == table.by_key.end() ? nullptr : &it->second;
}

/// The rows of a report table as drafts of the plan. Rows of one study_id with another file are
/// further images of it; a second row without anything new is a duplicate, and so is a row whose
/// file or accession belongs to another study.
class TableReader {
 public:
  TableReader(const SourceOptions& options, IngestPlan& plan) : options_(options), plan_(plan) {}
  TableKeys read() {
    if (options_.reports.empty()) return {};
    if (!options_.columns.empty()) map_ = ColumnMap::load(options_.columns);
    const std::string table = options_.reports.string();
    visit_table(options_.reports,
                {.header = [&](const auto& columns) { map_.check(table, columns); },
                 .row =
                     [&](const TableRow& row) {
                       std::string why = take(row);
                       if (!why.empty())
                         plan_.refusals.push_back(
                             {options_.reports.filename().string(), row.line, std::move(why)});
                     }});
    return std::move(keys_);
  }

 private:
  std::string take(const TableRow& row);
  [[nodiscard]] bool is_known_file(const std::string& file) const;
  void note_file(const std::string& file);

  const SourceOptions& options_;
  IngestPlan& plan_;
  ColumnMap map_;
  TableKeys keys_;
};

bool TableReader::is_known_file(const std::string& file) const {
  if (normal_file(file) != file) return keys_.odd_files.contains(digest_of(file));
  const TableKey* key = find_key(keys_, "file:" + file);
  return key != nullptr && key->as_written != 0;
}

void TableReader::note_file(const std::string& file) {
  if (normal_file(file) != file)
    keys_.odd_files.insert(digest_of(file));
  else
    keys_.by_key.at(digest_of("file:" + file)).as_written = 1;
}

/// "" if the row is a study or a further image of one, else why it is refused.
std::string TableReader::take(const TableRow& row) {
  auto draft = draft_from_row(options_.dataset, map_, options_.reports.string(), row);
  if (!draft) return draft.error().reason;
  const Digest id = digest_of(draft->study.study_id);
  const auto known = keys_.by_id.find(id);
  const bool is_known = known != keys_.by_id.end();
  const uint32_t number = is_known ? known->second : static_cast<uint32_t>(plan_.drafts.size());
  const auto file = map_.get(row, "file");
  if (is_known) {
    const bool new_file = file && !is_known_file(*file);
    const Study first = new_file ? plan_.drafts.report(number).study : Study();
    if (!new_file || first.findings != draft->study.findings ||
        first.impression != draft->study.impression)
      return fmt::format("duplicate study id '{}'", draft->study.study_id);
  }
  const std::vector<std::string> keys = keys_of(map_, row);
  for (const std::string& key : keys) {
    const TableKey* taken = find_key(keys_, key);
    if (taken != nullptr && taken->draft != number)
      return fmt::format("its {} stands in the row of another study", key.substr(0, key.find(':')));
  }
  const uint32_t view = keys_.views.number(map_.get(row, "view").value_or("")) & 0x1fffffffU;
  for (const std::string& key : keys)
    keys_.by_key.emplace(digest_of(key), TableKey{number, view, 0, 0});
  if (file) note_file(*file);
  if (is_known) return "";
  keys_.by_id.emplace(id, number);
  plan_.drafts.add(std::move(*draft));
  return "";
}

FileList input_files(const fs::path& root, IngestPlan& plan) {
  FileList files = files_below(root);
  files.keep_if([&](std::string_view name) {
    ++plan.files;
    if (!text::is_utf8(name)) {
      plan.refusals.push_back({text::replace_broken_utf8(name), 0, "its name is not UTF-8"});
      return false;
    }
    const bool ignored = is_ignored(name);
    plan.ignored += ignored ? 1 : 0;
    return !ignored;
  });
  return files;
}

/// "a/1.png" -> "1.png", "1"; a UID is no name with an extension.
std::vector<std::string> short_names(const fs::path& file) {
  static const std::set<std::string> extensions{".dcm",  ".dicom", ".png", ".jpg",
                                                ".jpeg", ".tif",   ".tiff"};
  std::vector<std::string> names{file.filename().string()};
  if (extensions.contains(lower(file.extension().string()))) names.push_back(file.stem().string());
  return names;
}

/// How many files have each name, or name without a picture's extension, that the table has.
void count_names(const FileList& files, TableKeys& table) {
  if (table.by_key.empty()) return;
  for (size_t i = 0; i < files.size(); ++i) {
    for (const std::string& name : short_names(files[i])) {
      const auto it = table.by_key.find(digest_of("file:" + name));
      if (it != table.by_key.end()) it->second.files = it->second.files == 0 ? 1 : 2;
    }
  }
}

/// The row that names the file by its path, or by its name if no other file has that.
const TableKey* find_by_file(const TableKeys& table, std::string_view file) {
  if (table.by_key.empty()) return nullptr;
  if (const TableKey* whole = find_key(table, "file:" + std::string(file))) return whole;
  for (const std::string& name : short_names(file)) {
    const TableKey* key = find_key(table, "file:" + name);
    if (key != nullptr && key->files == 1) return key;
  }
  return nullptr;
}

const TableKey* find_by_header(const TableKeys& table, const image::DicomMetadata& header) {
  for (const std::string& key :
       {"uid:" + header.study_instance_uid, "accession:" + header.accession_number}) {
    if (const TableKey* found = find_key(table, key)) return found;
  }
  return nullptr;
}

/// A study known only by its DICOM header; identifiers are replaced by digests.
Draft draft_from_header(const SourceOptions& options, const image::DicomMetadata& header,
                        const std::string& file) {
  Draft draft;
  Study& study = draft.study;
  const std::string study_key =
      header.study_instance_uid.empty() ? file : header.study_instance_uid;
  study.study_id = "study-" + sha256_hex(study_key).substr(0, 16);
  study.patient_id =
      "patient-" +
      sha256_hex(header.patient_id.empty() ? study_key : header.patient_id).substr(0, 16);
  study.dataset = options.dataset;
  study.date =
      parse_date(header.study_date.empty() ? std::nullopt : std::optional(header.study_date));
  study.age =
      parse_age(header.patient_age.empty() ? std::nullopt : std::optional(header.patient_age));
  study.sex =
      parse_sex(header.patient_sex.empty() ? std::nullopt : std::optional(header.patient_sex));
  if (!header.modality.empty()) study.modality = header.modality;
  study.source_path = file;
  return draft;
}

/// A file that no row names, and what its header says. A file that a row names is not opened here.
struct UnnamedFile {
  const TableKey* row = nullptr;
  std::optional<Result<image::DicomHeader>> header;
};

/// Places the files of a DICOM folder one by one.
class DicomPlacer {
 public:
  DicomPlacer(const SourceOptions& options, const TableKeys& table, IngestPlan& plan)
      : options_(options),
        table_(table),
        plan_(plan),
        rows_(static_cast<uint32_t>(plan.drafts.size())),
        reports_(options.scratch) {}
  /// Any thread.
  [[nodiscard]] UnnamedFile read(size_t i) const {
    const FileList& files = plan_.drafts.files();
    UnnamedFile found{find_by_file(table_, files[i]), std::nullopt};
    if (!found.row) found.header = image::read_dicom_header(files.path(i));
    return found;
  }
  void place(size_t i, const UnnamedFile& found);
  void finish() {
    reports_.attach(plan_.drafts, plan_.refusals);
    drop_unreported(options_.allow_missing_report, rows_, plan_.drafts, plan_.refusals);
  }

 private:
  uint32_t own_draft(const image::DicomHeader& header, const std::string& file) {
    Draft draft = draft_from_header(options_, header.metadata, file);
    if (header.is_report) draft.study.modality.reset();  // its pictures have one
    const auto [it, is_new] = own_.emplace(digest_of(draft.study.study_id), 0);
    if (is_new) it->second = plan_.drafts.add(std::move(draft));
    return it->second;
  }

  const SourceOptions& options_;
  const TableKeys& table_;
  IngestPlan& plan_;
  uint32_t rows_;                                         ///< drafts that table rows made
  std::unordered_map<Digest, uint32_t, DigestHash> own_;  ///< studies without a row, by id
  FoundReports reports_;
};

void DicomPlacer::place(size_t i, const UnnamedFile& found) {
  const std::string_view file = plan_.drafts.files()[i];
  if (found.header && !*found.header) {
    plan_.refusals.push_back({std::string(file), 0, found.header->error().reason});
    return;
  }
  const image::DicomHeader* header = found.header ? &**found.header : nullptr;
  const TableKey* row = found.row ? found.row : find_by_header(table_, header->metadata);
  const uint32_t number = row ? row->draft : own_draft(*header, std::string(file));
  if (header != nullptr && header->is_report)
    reports_.add({file, header->content_time, header->report, number});
  else
    plan_.drafts.add_picture(number, i, row ? table_.views.name(row->view) : "");
}

/// Pictures join a row by file name, else (DICOM) by study UID or accession number; else they make
/// a study of their own if a Structured Report of it is there or reports may be missing.
void place_dicom(const SourceOptions& options, FileList list, TableKeys& table, IngestPlan& plan) {
  plan.drafts.set_files(std::move(list));
  const auto count = static_cast<int64_t>(plan.drafts.files().size());
  count_names(plan.drafts.files(), table);
  DicomPlacer placer(options, table, plan);
  options.watch.begin("header", count);
  ordered_parallel(
      options.threads, count, [&](int64_t i) { return placer.read(static_cast<size_t>(i)); },
      [&](int64_t i, const UnnamedFile& found) {
        plan.whole = options.watch.advance();
        placer.place(static_cast<size_t>(i), found);
        return plan.whole;
      });
  placer.finish();
}

void place_pictures(const SourceOptions& options, FileList list, TableKeys& table,
                    IngestPlan& plan) {
  plan.drafts.set_files(std::move(list));
  const FileList& files = plan.drafts.files();
  count_names(files, table);
  for (size_t i = 0; i < files.size(); ++i) {
    const std::string file(files[i]);
    if (const TableKey* row = find_by_file(table, file)) {
      plan.drafts.add_picture(row->draft, i, table.views.name(row->view));
    } else if (!options.allow_missing_report) {
      plan.refusals.push_back({file, 0, "missing report: no row of the table names this file"});
    } else if (!table.by_id.emplace(digest_of(file), 0).second) {
      plan.refusals.push_back({file, 0, fmt::format("duplicate study id '{}'", file)});
    } else {
      Draft draft;
      draft.study.study_id = draft.study.patient_id = file;
      draft.study.dataset = options.dataset;
      draft.study.source_path = file;
      plan.drafts.add_picture(plan.drafts.add(std::move(draft)), i, "");
    }
  }
}

void require_folder(const fs::path& folder) {
  if (!fs::is_directory(folder))
    throw Error(Exit::no_input, fmt::format("no folder '{}'", folder.string()));
}

using DigestSet = std::unordered_set<Digest, DigestHash>;

/// Pictures of the folder that no report names are refused.
void refuse_unnamed(const SourceOptions& options, const DigestSet& named, IngestPlan& plan) {
  const FileList files = input_files(options.images, plan);
  for (size_t i = 0; i < files.size(); ++i) {
    if (!named.contains(digest_of(files[i])))
      plan.refusals.push_back(
          {std::string(files[i]), 0, "missing report: no report names this picture"});
  }
}

/// As rows of the report, which is kept.
void refuse_missing(const std::string& report, const std::vector<std::string>& pictures,
                    IngestPlan& plan) {
  for (const std::string& id : pictures) {
    plan.refusals.push_back(
        {report, 1, fmt::format("missing image: no picture '{}'", text::replace_broken_utf8(id))});
  }
}

IngestPlan plan_openi(const SourceOptions& options) {
  require_folder(options.root);
  if (!options.images.empty()) require_folder(options.images);
  IngestPlan plan(options.scratch);
  DigestSet ids;
  DigestSet claimed;  // pictures
  const auto is_claimed = [&](const SourcePicture& picture) {
    return claimed.contains(digest_of(picture.name));
  };
  const FileList files = input_files(options.root, plan);
  for (size_t i = 0; i < files.size(); ++i) {
    const std::string file(files[i]);
    auto report = read_openi(options.root, file, options.images);
    if (!report) {
      plan.refusals.push_back({file, 0, report.error().reason});
      continue;
    }
    Draft* const draft = &report->draft;
    if (!ids.insert(digest_of(draft->study.study_id)).second) {
      plan.refusals.push_back(
          {file, 0, fmt::format("duplicate study id '{}'", draft->study.study_id)});
    } else if (std::any_of(draft->pictures.begin(), draft->pictures.end(), is_claimed)) {
      plan.refusals.push_back({file, 0, "one of its pictures belongs to another report"});
    } else {
      for (const SourcePicture& picture : draft->pictures) claimed.insert(digest_of(picture.name));
      draft->study.dataset = options.dataset;
      refuse_missing(file, report->missing, plan);
      plan.drafts.add(std::move(*draft));
    }
  }
  if (!options.images.empty()) refuse_unnamed(options, claimed, plan);
  return plan;
}

IngestPlan plan_dicomdir(SourceOptions options) {
  IngestPlan plan(options.scratch);
  TableKeys table = TableReader(options, plan).read();
  const fs::path dicomdir = options.root;
  options.root = dicomdir.has_parent_path() ? dicomdir.parent_path() : fs::path(".");
  place_dicom(options, dicomdir_files(dicomdir, options.root, plan), table, plan);
  return plan;
}

}  // namespace

bool is_ignored(const fs::path& packed) {
  const fs::path file = io::without_gz(packed);
  static const std::set<std::string> extensions{".txt",  ".md",    ".csv",  ".tsv",
                                                ".json", ".jsonl", ".yaml", ".yml",
                                                ".html", ".pdf",   ".log",  ".sha256"};
  static const std::set<std::string> stems{"readme", "license",  "licence",
                                           "done",   "dicomdir", "changelog"};
  const std::string name = file.filename().string();
  return name.starts_with('.') || extensions.contains(lower(file.extension().string())) ||
         stems.contains(lower(file.stem().string()));
}

IngestPlan plan_ingest(const SourceOptions& options) {
  if (!options.layout.empty()) return plan_dataset(options);
  if (options.source == "openi") return plan_openi(options);
  if (options.source == "dicom" && is_dicomdir(options.root)) return plan_dicomdir(options);
  IngestPlan plan(options.scratch);
  TableKeys table = TableReader(options, plan).read();
  if (options.root.empty()) return plan;
  require_folder(options.root);
  FileList files = input_files(options.root, plan);
  if (options.source == "dicom")
    place_dicom(options, std::move(files), table, plan);
  else
    place_pictures(options, std::move(files), table, plan);
  return plan;
}

}  // namespace unirg::data
