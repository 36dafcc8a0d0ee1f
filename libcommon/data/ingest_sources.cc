// SPDX-License-Identifier: Apache-2.0
#include "data/ingest_sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

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
struct RowRef {
  size_t draft;
  std::string view;
};

/// Table rows as drafts, and the keys that pictures are found by.
struct TableDrafts {
  std::vector<Draft> drafts;
  std::unordered_map<std::string, RowRef> by_key;  ///< "file:...", "uid:...", "accession:..."
};

/// What pictures find the row by.
std::vector<std::string> keys_of(const ColumnMap& map, const TableRow& row) {
  std::vector<std::string> keys;
  if (const auto file = map.get(row, "file"))
    keys.push_back("file:" + fs::path(*file).lexically_normal().string());
  if (const auto uid = map.get(row, "study_uid")) keys.push_back("uid:" + *uid);
  if (const auto accession = map.get(row, "accession")) keys.push_back("accession:" + *accession);
  return keys;
}

/// Rows of one study_id with another file are further images of it; a second row without anything
/// new is a duplicate, and so is a row whose file or accession belongs to another study.
TableDrafts read_drafts(const SourceOptions& options, std::vector<Refusal>& refusals) {
  TableDrafts out;
  if (options.reports.empty()) return out;
  const ColumnMap map = options.columns.empty() ? ColumnMap() : ColumnMap::load(options.columns);
  const Table table = read_table(options.reports);
  map.check(table);
  std::unordered_map<std::string, size_t> by_id;
  std::set<std::string> files;
  for (const TableRow& row : table.rows) {
    const auto refuse = [&](std::string reason) {
      refusals.push_back({fs::path(table.file).filename().string(), row.line, std::move(reason)});
    };
    auto draft = draft_from_row(options.dataset, map, table.file, row);
    if (!draft) {
      refuse(draft.error().reason);
      continue;
    }
    const auto known = by_id.find(draft->study.study_id);
    const size_t index = known == by_id.end() ? out.drafts.size() : known->second;
    const auto file = map.get(row, "file");
    if (known != by_id.end()) {
      const Study& first = out.drafts[index].study;
      const bool further_image = file && !files.contains(*file) &&
                                 first.findings == draft->study.findings &&
                                 first.impression == draft->study.impression;
      if (!further_image) {
        refuse(fmt::format("duplicate study id '{}'", draft->study.study_id));
        continue;
      }
    }
    const std::vector<std::string> keys = keys_of(map, row);
    const auto taken = std::find_if(keys.begin(), keys.end(), [&](const std::string& key) {
      const auto it = out.by_key.find(key);
      return it != out.by_key.end() && it->second.draft != index;
    });
    if (taken != keys.end()) {
      refuse(fmt::format("its {} stands in the row of another study",
                         taken->substr(0, taken->find(':'))));
      continue;
    }
    for (const std::string& key : keys)
      out.by_key.emplace(key, RowRef{index, map.get(row, "view").value_or("")});
    if (file) files.insert(*file);
    if (known != by_id.end()) continue;
    by_id.emplace(draft->study.study_id, index);
    out.drafts.push_back(std::move(*draft));
  }
  return out;
}

std::vector<fs::path> input_files(const fs::path& root, IngestPlan& plan) {
  std::vector<fs::path> inputs;
  for (fs::path& file : files_below(root)) {
    ++plan.files;
    if (!text::is_utf8(file.string())) {
      plan.refusals.push_back(
          {text::replace_broken_utf8(file.string()), 0, "its name is not UTF-8"});
      continue;
    }
    if (is_ignored(file))
      plan.ignored.push_back(std::move(file));
    else
      inputs.push_back(std::move(file));
  }
  return inputs;
}

/// How many files have each name and, of pictures, each name without its extension.
class NameCounts {
 public:
  explicit NameCounts(const std::vector<fs::path>& files) {
    for (const fs::path& file : files) {
      for (const std::string& name : short_names(file)) ++counts_[name];
    }
  }
  [[nodiscard]] bool is_unique(const std::string& name) const { return counts_.at(name) == 1; }

  /// "a/1.png" -> "1.png", "1"; a UID is no name with an extension.
  static std::vector<std::string> short_names(const fs::path& file) {
    static const std::set<std::string> extensions{".dcm",  ".dicom", ".png", ".jpg",
                                                  ".jpeg", ".tif",   ".tiff"};
    std::vector<std::string> names{file.filename().string()};
    if (extensions.contains(lower(file.extension().string())))
      names.push_back(file.stem().string());
    return names;
  }

 private:
  std::unordered_map<std::string, int> counts_;
};

/// The row that names the file by its path, or by its name if no other file has that.
const RowRef* find_by_file(const TableDrafts& table, const NameCounts& names,
                           const fs::path& file) {
  const auto whole = table.by_key.find("file:" + file.string());
  if (whole != table.by_key.end()) return &whole->second;
  for (const std::string& name : NameCounts::short_names(file)) {
    const auto it = table.by_key.find("file:" + name);
    if (it != table.by_key.end() && names.is_unique(name)) return &it->second;
  }
  return nullptr;
}

const RowRef* find_by_header(const TableDrafts& table, const image::DicomMetadata& header) {
  for (const std::string& key :
       {"uid:" + header.study_instance_uid, "accession:" + header.accession_number}) {
    const auto it = table.by_key.find(key);
    if (it != table.by_key.end()) return &it->second;
  }
  return nullptr;
}

/// A study known only by its DICOM header; identifiers are replaced by digests.
Draft draft_from_header(const SourceOptions& options, const image::DicomMetadata& header,
                        const fs::path& file) {
  Draft draft;
  Study& study = draft.study;
  const std::string study_key =
      header.study_instance_uid.empty() ? file.string() : header.study_instance_uid;
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
  study.source_path = file.string();
  return draft;
}

SourcePicture picture_of(const fs::path& root, const fs::path& file, const std::string& view) {
  return {file.string(), root / file, view, false};
}

/// A file that no row names, and what its header says. A file that a row names is not opened here.
struct UnnamedFile {
  const RowRef* row = nullptr;
  std::optional<Result<image::DicomHeader>> header;
};

/// Pictures join a row by file name, else (DICOM) by study UID or accession number; else they make
/// a study of their own if a Structured Report of it is there or reports may be missing.
void place_dicom(const SourceOptions& options, const std::vector<fs::path>& files,
                 TableDrafts& table, IngestPlan& plan) {
  std::map<std::string, size_t> own;  // studies without a row, by id
  std::vector<FoundReport> reports;
  const size_t rows = table.drafts.size();
  const NameCounts names(files);
  const auto read = [&](int64_t i) {
    const fs::path& file = files[static_cast<size_t>(i)];
    UnnamedFile found{find_by_file(table, names, file), std::nullopt};
    if (!found.row) found.header = image::read_dicom_header(options.root / file);
    return found;
  };
  const auto own_draft = [&](const image::DicomHeader& header, const fs::path& file) {
    Draft draft = draft_from_header(options, header.metadata, file);
    if (header.is_report) draft.study.modality.reset();  // its pictures have one
    const auto [it, is_new] = own.emplace(draft.study.study_id, table.drafts.size());
    if (is_new) table.drafts.push_back(std::move(draft));
    return it->second;
  };
  options.watch.begin("header", static_cast<int64_t>(files.size()));
  ordered_parallel(
      options.threads, static_cast<int64_t>(files.size()), read,
      [&](int64_t i, const UnnamedFile& found) {
        const fs::path& file = files[static_cast<size_t>(i)];
        plan.whole = options.watch.advance();
        if (found.header && !*found.header) {
          plan.refusals.push_back({file.string(), 0, found.header->error().reason});
          return plan.whole;
        }
        const image::DicomHeader* header = found.header ? &**found.header : nullptr;
        const RowRef* row = found.row ? found.row : find_by_header(table, header->metadata);
        const size_t index = row ? row->draft : own_draft(*header, file);
        if (header != nullptr && header->is_report) {
          reports.push_back({file.string(), header->content_time, header->report, index});
        } else {
          table.drafts[index].pictures.push_back(
              picture_of(options.root, file, row ? row->view : ""));
        }
        return plan.whole;
      });
  attach_reports(std::move(reports), table.drafts, plan.refusals);
  drop_unreported(options.allow_missing_report, rows, table.drafts, plan.refusals);
}

void place_pictures(const SourceOptions& options, const std::vector<fs::path>& files,
                    TableDrafts& table, IngestPlan& plan) {
  const NameCounts names(files);
  std::set<std::string> ids;
  for (const Draft& draft : table.drafts) ids.insert(draft.study.study_id);
  for (const fs::path& file : files) {
    if (const RowRef* row = find_by_file(table, names, file)) {
      table.drafts[row->draft].pictures.push_back(picture_of(options.root, file, row->view));
    } else if (!options.allow_missing_report) {
      plan.refusals.push_back(
          {file.string(), 0, "missing report: no row of the table names this file"});
    } else if (!ids.insert(file.string()).second) {
      plan.refusals.push_back(
          {file.string(), 0, fmt::format("duplicate study id '{}'", file.string())});
    } else {
      Draft draft;
      draft.study.study_id = draft.study.patient_id = file.string();
      draft.study.dataset = options.dataset;
      draft.study.source_path = file.string();
      draft.pictures.push_back(picture_of(options.root, file, ""));
      table.drafts.push_back(std::move(draft));
    }
  }
}

void require_folder(const fs::path& folder) {
  if (!fs::is_directory(folder))
    throw Error(Exit::no_input, fmt::format("no folder '{}'", folder.string()));
}

/// Pictures of the folder that no report names are refused.
void refuse_unnamed(const SourceOptions& options, IngestPlan& plan) {
  std::set<std::string> named;
  for (const Draft& draft : plan.drafts) {
    for (const SourcePicture& picture : draft.pictures) named.insert(picture.name);
  }
  for (const fs::path& file : input_files(options.images, plan)) {
    if (!named.contains(file.string()))
      plan.refusals.push_back({file.string(), 0, "missing report: no report names this picture"});
  }
}

IngestPlan plan_openi(const SourceOptions& options) {
  require_folder(options.root);
  if (!options.images.empty()) require_folder(options.images);
  IngestPlan plan;
  std::set<std::string> ids;
  std::set<std::string> claimed;  // pictures
  const auto is_claimed = [&](const SourcePicture& picture) {
    return claimed.contains(picture.name);
  };
  for (const fs::path& file : input_files(options.root, plan)) {
    auto draft = read_openi(options.root, file, options.images);
    if (!draft) {
      plan.refusals.push_back({file.string(), 0, draft.error().reason});
    } else if (!ids.insert(draft->study.study_id).second) {
      plan.refusals.push_back(
          {file.string(), 0, fmt::format("duplicate study id '{}'", draft->study.study_id)});
    } else if (std::any_of(draft->pictures.begin(), draft->pictures.end(), is_claimed)) {
      plan.refusals.push_back({file.string(), 0, "one of its pictures belongs to another report"});
    } else {
      for (const SourcePicture& picture : draft->pictures) claimed.insert(picture.name);
      draft->study.dataset = options.dataset;
      plan.drafts.push_back(std::move(*draft));
    }
  }
  if (!options.images.empty()) refuse_unnamed(options, plan);
  return plan;
}

IngestPlan plan_dicomdir(SourceOptions options) {
  IngestPlan plan;
  TableDrafts table = read_drafts(options, plan.refusals);
  const fs::path dicomdir = options.root;
  options.root = dicomdir.has_parent_path() ? dicomdir.parent_path() : fs::path(".");
  place_dicom(options, dicomdir_files(dicomdir, plan), table, plan);
  plan.drafts = std::move(table.drafts);
  return plan;
}

}  // namespace

std::vector<fs::path> files_below(const fs::path& root) {
  std::vector<fs::path> files;
  try {
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      if (entry.is_regular_file()) files.push_back(entry.path().lexically_relative(root));
    }
  } catch (const fs::filesystem_error& e) {
    throw Error(Exit::no_input,
                fmt::format("cannot list '{}': {}", e.path1().string(), e.code().message()));
  }
  std::sort(files.begin(), files.end());
  return files;
}

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
  IngestPlan plan;
  if (options.source == "dicom" && is_dicomdir(options.root)) return plan_dicomdir(options);
  TableDrafts table = read_drafts(options, plan.refusals);
  if (!options.root.empty()) {
    require_folder(options.root);
    const std::vector<fs::path> files = input_files(options.root, plan);
    if (options.source == "dicom")
      place_dicom(options, files, table, plan);
    else
      place_pictures(options, files, table, plan);
  }
  plan.drafts = std::move(table.drafts);
  return plan;
}

}  // namespace unirg::data
