// SPDX-License-Identifier: Apache-2.0
#include "data/dataset_plan.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <deque>
#include <unordered_map>

#include "base/digest.h"
#include "base/error.h"
#include "base/hash.h"
#include "data/dataset_files.h"
#include "data/dataset_layout.h"
#include "data/dataset_rows.h"
#include "data/draft_row.h"
#include "io/atomic_file.h"
#include "io/shelf.h"
#include "text/bpe_bytes.h"
#include "text/chat.h"
#include "text/lexicon.h"

namespace unirg::data {
namespace fs = std::filesystem;
namespace {

std::optional<int> year_of(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  int year = 0;
  const char* const end = text->data() + std::min<size_t>(text->size(), 4);
  const auto [stop, error] = std::from_chars(text->data(), end, year);
  if (error != std::errc() || stop != text->data() + 4) return std::nullopt;
  return year;
}

/// "5" or "5.0", as tables that went through floats write it.
std::optional<int64_t> whole_number(const std::string& text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || std::abs(value) > 1e15 || value != std::floor(value))
    return std::nullopt;
  return static_cast<int64_t>(value);
}

std::vector<fs::path> roots_of(const SourceOptions& options) {
  std::vector<fs::path> roots{options.root};
  for (const fs::path& more : {options.reports, options.images}) {
    if (!more.empty() && (!fs::exists(more) || fs::is_directory(more))) roots.push_back(more);
  }
  return roots;
}

/// A study while its rows come in, beside its draft.
struct Growing {
  Digest text;     ///< of its report
  uint32_t split;  ///< its number
};

/// What a row of a study names and cannot have.
struct Missing {
  uint32_t study;
  uint64_t text;  ///< its place
};

Digest text_digest(TableRow& ours) {
  return digest_of(ours.cells["findings"] + "\x1f" + ours.cells["impression"] + "\x1f" +
                   ours.cells["report"]);
}

class Planner {
 public:
  explicit Planner(const SourceOptions& options)
      : options_(options),
        layout_(load_layout(options.layout)),
        files_(roots_of(options)),
        claimed_(files_.files().size()),
        missing_texts_(options.scratch),
        plan_(options.scratch) {}
  IngestPlan plan();

 private:
  void take(const TableRow& row, const RowOrigin& origin);
  TableRow our_row(const RowView& view, const TableRow& row, const RowOrigin& origin) const;
  std::string named(const std::string& field, const std::string& value) const;
  std::optional<std::string> age(const RowView& view, const std::string& date) const;
  void put_labels(const RowView& view, TableRow& ours) const;
  Result<std::optional<size_t>> report_file(const RowView& view, const RowOrigin& origin) const;
  std::optional<uint32_t> grow(const RowView& view, TableRow& ours, const TableRow& row,
                               const RowOrigin& origin);
  void put_pictures(const RowView& view, const RowOrigin& origin, uint32_t study);
  void claim(size_t file, const std::string& view, bool is_key, uint32_t study);
  void miss(uint32_t study, const std::string& what) {
    missing_.push_back({study, missing_texts_.put(what)});
  }
  std::optional<size_t> locate(const std::string& path, const RowOrigin& origin) const;
  bool is_left_out(const std::string& name) const;
  bool holds_reports(const std::string& name) const;
  void refuse(const RowOrigin& origin, const TableRow& row, std::string reason) {
    plan_.refusals.push_back({origin.table, origin.text_file ? 0 : row.line, std::move(reason)});
  }
  void finish_studies();
  void refuse_missing(uint32_t study, bool is_kept, const std::vector<std::string>& missing);
  void account_for_files();

  enum Claim : uint8_t { none, picture, report, refused };

  const SourceOptions& options_;
  Layout layout_;
  FileIndex files_;
  std::vector<uint8_t> claimed_;  ///< Claim of each file
  std::deque<Growing> studies_;   ///< by their draft's number
  NameTable splits_;
  std::unordered_map<Digest, uint32_t, DigestHash> by_id_;
  io::Shelf missing_texts_;
  std::deque<Missing> missing_;
  IngestPlan plan_;
};

std::string Planner::named(const std::string& field, const std::string& value) const {
  const auto names = layout_.names.find(field);
  if (names == layout_.names.end()) return value;
  const auto name = names->second.find(value);
  return name == names->second.end() ? value : name->second;
}

std::optional<std::string> Planner::age(const RowView& view, const std::string& date) const {
  const AgeRule& rule = *layout_.age;
  const auto study_year = year_of(date);
  if (!study_year) return std::nullopt;
  if (!rule.born.empty()) {
    const auto born = year_of(view.cell(rule.born));
    return born ? std::optional(std::to_string(*study_year - *born)) : std::nullopt;
  }
  const auto at = parse_age(view.cell(rule.at));
  const auto year = year_of(view.cell(rule.year));
  if (!at || !year) return std::nullopt;
  return fmt::format("{}", *at + *study_year - *year);
}

void Planner::put_labels(const RowView& view, TableRow& ours) const {
  for (const std::string_view condition : text::kConditions) {
    if (const auto cell = view.cell(std::string(condition)))
      ours.cells[std::string(condition)] = *cell;
  }
  if (!layout_.labels.column) return;
  for (const std::string& item : list_items(view.expand(*layout_.labels.column).value_or(""))) {
    const auto condition = layout_.labels.conditions.find(text::collapse_space(item));
    if (condition != layout_.labels.conditions.end()) ours.cells[condition->second] = "1";
  }
}

/// The row with our fields as columns.
TableRow Planner::our_row(const RowView& view, const TableRow& row, const RowOrigin& origin) const {
  TableRow ours{row.line, {}};
  for (const auto& [field, rule] : layout_.fields) {
    if (const auto value = view.value(rule)) ours.cells[field] = named(field, *value);
  }
  if (layout_.context) {
    if (const auto context = view.expand(*layout_.context)) read_context(*context, ours);
  }
  if (origin.split) ours.cells.try_emplace("split", named("split", *origin.split));
  // Sections that the owners have cut are theirs; the whole report is cut where there are none.
  if (ours.cells.contains("findings") || ours.cells.contains("impression"))
    ours.cells.erase("report");
  if (layout_.age) {
    if (const auto years = age(view, ours.cells["date"])) ours.cells["age"] = *years;
  }
  put_labels(view, ours);
  return ours;
}

/// The row's report file, if its layout has such; bad if it should be there and is not.
Result<std::optional<size_t>> Planner::report_file(const RowView& view,
                                                   const RowOrigin& origin) const {
  if (origin.text_file) return origin.text_file;
  std::string first;
  for (const Template& text : layout_.report_files) {
    const auto path = view.expand(text);
    if (!path) continue;
    if (const auto file = locate(*path, origin)) return file;
    if (first.empty()) first = *path;
  }
  if (first.empty() || options_.allow_missing_report) return std::optional<size_t>();
  return bad_record(fmt::format("missing report: no file '{}'", first));
}

/// Number of the study the row belongs to, made if it is the first of it; nullopt if the row is
/// refused.
std::optional<uint32_t> Planner::grow(const RowView& view, TableRow& ours, const TableRow& row,
                                      const RowOrigin& origin) {
  const Digest text = text_digest(ours);
  const auto known = by_id_.find(digest_of(ours.cells["study_id"]));
  if (known != by_id_.end()) {
    if (!origin.text_file && text == studies_[known->second].text) return known->second;
    refuse(origin, row, fmt::format("duplicate study id '{}'", ours.cells["study_id"]));
    return std::nullopt;
  }
  const auto file = report_file(view, origin);
  if (!file) {
    refuse(origin, row, file.error().reason);
    return std::nullopt;
  }
  std::string content;
  if (*file) {
    if (claimed_[**file] != none) {
      refuse(origin, row, "its report is that of another study");
      return std::nullopt;
    }
    content = io::read_file(files_.path(**file));
    ours.cells["report"] = content;
  }
  static const ColumnMap same_names;
  auto draft = draft_from_row(options_.dataset, same_names, origin.table, ours);
  if (!draft) {
    refuse(origin, row, draft.error().reason);
    return std::nullopt;
  }
  if (*file) {
    claimed_[**file] = report;
    draft->place = {files_.name(**file), 0};
    draft->study.source_path = draft->place.file;
    draft->study.source_sha256 = sha256_hex(content);
  } else {
    draft->place.file = origin.table;
  }
  if (const auto range = ours.cells.find("age_range"); range != ours.cells.end())
    draft->study.extra["age_range"] = range->second;
  for (const auto& [name, rule] : layout_.extra) {
    if (const auto value = view.value(rule)) draft->study.extra[name] = *value;
  }
  if (const auto order = layout_.order ? view.expand(*layout_.order) : std::nullopt) {
    if (const auto number = whole_number(*order)) draft->study.extra["order"] = *number;
  }
  by_id_.emplace(digest_of(draft->study.study_id), static_cast<uint32_t>(studies_.size()));
  studies_.push_back({text, splits_.number(draft->study.split)});
  return plan_.drafts.add(std::move(*draft));
}

/// Tables write paths relative to the top of the dataset or to their own folder.
std::optional<size_t> Planner::locate(const std::string& path, const RowOrigin& origin) const {
  if (const auto file = files_.find(path)) return file;
  if (origin.folder.empty()) return std::nullopt;
  return files_.find((fs::path(origin.folder) / path).string());
}

void Planner::claim(size_t file, const std::string& view, bool is_key, uint32_t study) {
  if (plan_.drafts.has_picture(study, file, is_key)) return;
  if (claimed_[file] != none)
    return miss(study, fmt::format("'{}' belongs to another study", files_.name(file)));
  claimed_[file] = picture;
  plan_.drafts.add_picture(study, file, view, is_key);
}

void Planner::put_pictures(const RowView& view, const RowOrigin& origin, uint32_t study) {
  const PictureRules& rules = layout_.pictures;
  bool any_named = false;
  const int items = rules.files.empty() ? 0 : view.items(rules.files.front());
  for (int item = 0; item < items; ++item) {
    std::optional<size_t> file;
    std::string first;
    for (const Template& text : rules.files) {
      const auto path = view.expand(text, item);
      if (!path) continue;
      any_named = true;
      if (first.empty()) first = *path;
      file = locate(*path, origin);
      if (!file && rules.by_name) file = files_.find_by_name(*path);
      if (file) break;
    }
    const bool is_key = rules.key_is_first && item == 0 && !plan_.drafts.has_pictures(study);
    const std::string position = named("view", view.value(rules.view, item).value_or(""));
    if (file)
      claim(*file, position, is_key, study);
    else if (!first.empty())
      miss(study, fmt::format("no file '{}'", normal_path(first)));
  }
  if (rules.key) {
    const auto path = view.expand(*rules.key, 0);
    auto file = path ? locate(*path, origin) : std::nullopt;
    if (path && !file && rules.by_name) file = files_.find_by_name(*path);
    if (file) claim(*file, "", true, study);
  }
  const auto folder = rules.folder && !any_named ? view.expand(*rules.folder) : std::nullopt;
  if (!folder) return;
  for (const size_t file : files_.in_folder(*folder)) {
    const std::string name = files_.name(file);
    if (has_picture_extension(name) && !is_left_out(name)) claim(file, "", false, study);
  }
}

void Planner::take(const TableRow& row, const RowOrigin& origin) {
  const RowView view(layout_, row);
  TableRow ours = our_row(view, row, origin);
  if (const auto study = grow(view, ours, row, origin)) {
    if (splits_.name(studies_[*study].split) != ours.cells["split"])
      return refuse(origin, row, "its split differs from that of the study's other rows");
    put_pictures(view, origin, *study);
  } else if (origin.text_file) {
    claimed_[*origin.text_file] = refused;
  }
}

/// Studies without a picture are refused where their report stands, missing pictures are named.
void Planner::finish_studies() {
  std::stable_sort(missing_.begin(), missing_.end(),
                   [](const Missing& a, const Missing& b) { return a.study < b.study; });
  std::vector<uint32_t> kept;
  size_t next = 0;  // of missing_
  for (uint32_t study = 0; study < studies_.size(); ++study) {
    const bool is_kept = plan_.drafts.has_pictures(study);
    if (is_kept) kept.push_back(study);
    std::vector<std::string> missing;
    for (; next < missing_.size() && missing_[next].study == study; ++next)
      missing.push_back(missing_texts_.get(missing_[next].text));
    if (!is_kept || !missing.empty()) refuse_missing(study, is_kept, missing);
  }
  plan_.drafts.set_order(std::move(kept));
}

void Planner::refuse_missing(uint32_t study, bool is_kept,
                             const std::vector<std::string>& missing) {
  const ReportPlace place = plan_.drafts.report(study).place;
  if (!is_kept) {
    plan_.refusals.push_back(
        {place.file, place.line,
         "missing image: " + (missing.empty() ? "the row names none"
                                              : fmt::format("{}", fmt::join(missing, ", ")))});
    return;
  }
  for (const std::string& what : missing) {
    // A line makes it a row: a report file is counted with its study.
    plan_.refusals.push_back({place.file, std::max<int64_t>(place.line, 1),
                              fmt::format("missing image: {}; the study keeps its others", what)});
  }
}

bool Planner::is_left_out(const std::string& name) const {
  return std::any_of(layout_.ignored.begin(), layout_.ignored.end(), [&](const std::string& glob) {
    return ::fnmatch(glob.c_str(), name.c_str(), FNM_CASEFOLD) == 0;
  });
}

/// Whether a text file lies where reports do.
bool Planner::holds_reports(const std::string& name) const {
  if (!name.ends_with(".txt")) return false;
  return std::any_of(layout_.report_files.begin(), layout_.report_files.end(),
                     [&](const Template& text) {
                       const std::string& start = text.parts.front().literal;
                       return name.starts_with(start.substr(0, start.find('/') + 1));
                     });
}

void Planner::account_for_files() {
  const auto& files = files_.files();
  plan_.files = static_cast<int64_t>(files.size());
  for (size_t i = 0; i < files.size(); ++i) {
    const std::string name(files[i]);
    if (claimed_[i] != none) continue;
    if (!text::is_utf8(name)) {
      plan_.refusals.push_back({text::replace_broken_utf8(name), 0, "its name is not UTF-8"});
    } else if (is_left_out(name) || (is_ignored(name) && !holds_reports(name))) {
      ++plan_.ignored;
    } else {
      plan_.refusals.push_back(
          {name, 0,
           holds_reports(name) ? "no row of the table names this report, or its rows are rejected"
                               : "missing report: no row of the table names this file, or its rows "
                                 "are rejected"});
    }
  }
}

IngestPlan Planner::plan() {
  const bool has_table = !options_.reports.empty() && fs::is_regular_file(options_.reports);
  visit_rows(layout_, files_, has_table ? options_.reports : fs::path(), options_.scratch,
             [&](const TableRow& row, const RowOrigin& origin) { take(row, origin); });
  finish_studies();
  account_for_files();
  plan_.drafts.set_files(files_.take_files());
  return std::move(plan_);
}

}  // namespace

void read_context(const std::string& context, TableRow& row) {
  static const std::vector<std::pair<std::string, std::string>> marks{
      {"Age:", "age"},
      {"Gender:", "sex"},
      {"Indication:", "indication"},
      {"Comparison:", "comparison"}};
  std::vector<std::pair<size_t, size_t>> found;  // place, mark
  for (size_t m = 0; m < marks.size(); ++m) {
    if (const size_t at = context.find(marks[m].first); at != std::string::npos)
      found.emplace_back(at, m);
  }
  std::sort(found.begin(), found.end());
  for (size_t i = 0; i < found.size(); ++i) {
    const auto& [mark, field] = marks[found[i].second];
    const size_t begin = found[i].first + mark.size();
    const size_t end = i + 1 < found.size() ? found[i + 1].first : context.size();
    std::string text = text::collapse_space(context.substr(begin, end - begin));
    const bool is_word = field == "age" || field == "sex";
    while (is_word && text.ends_with('.')) text.pop_back();
    static const std::set<std::string> nothing{"", "None", "None.", "nan", "nan."};
    if (nothing.contains(text)) continue;
    // "50-60" is no age, and the middle of it would be invented.
    const bool is_range = field == "age" && text.find('-') != std::string::npos;
    row.cells.try_emplace(is_range ? "age_range" : field, text);
  }
}

IngestPlan plan_dataset(const SourceOptions& options) { return Planner(options).plan(); }

}  // namespace unirg::data
