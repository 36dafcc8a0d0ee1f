// SPDX-License-Identifier: Apache-2.0
#include "data/draft_row.h"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <charconv>

#include "base/hash.h"
#include "text/bpe_bytes.h"
#include "text/lexicon.h"
#include "text/sections.h"
#include "text/words.h"

namespace unirg::data {
namespace fs = std::filesystem;
namespace {

bool is_calendar_date(int year, int month, int day) {
  static constexpr std::array<int, 12> kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1) return false;
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day <= kDays[static_cast<size_t>(month - 1)] + (month == 2 && leap ? 1 : 0);
}

void read_sections(const ColumnMap& map, const TableRow& row, Study& study) {
  study.indication = map.get(row, "indication");
  study.technique = map.get(row, "technique");
  study.comparison = map.get(row, "comparison");
  study.findings = map.get(row, "findings");
  study.impression = map.get(row, "impression");
  const auto report = map.get(row, "report");
  if (!report) return;
  const text::Sections sections = text::split_sections(*report);
  const auto fill = [](std::optional<std::string>& field,
                       const std::optional<std::string>& section) {
    if (!field) field = section;
  };
  fill(study.indication, sections.indication);
  fill(study.technique, sections.technique);
  fill(study.comparison, sections.comparison);
  fill(study.findings, sections.findings);
  fill(study.impression, sections.impression);
}

/// Columns named after the conditions; empty cells are "not mentioned". Nothing when the table has
/// no such column.
Result<std::vector<ConditionLabel>> read_labels(const ColumnMap& map, const TableRow& row) {
  std::vector<ConditionLabel> labels;
  bool any = false;
  for (const std::string_view condition : text::kConditions) {
    ConditionLabel label{std::string(condition), std::nullopt};
    any |= map.has(row, label.condition);
    if (const auto cell = map.get(row, label.condition)) {
      double value = 0;
      const char* const stop = cell->data() + cell->size();
      const auto [end, error] = std::from_chars(cell->data(), stop, value);
      if (error != std::errc() || end != stop || (value != 1 && value != 0 && value != -1)) {
        return bad_record(
            fmt::format("column '{}': expected 1, 0, -1 or nothing, got '{}'", condition, *cell));
      }
      label.value = static_cast<int>(value);
    }
    labels.push_back(std::move(label));
  }
  if (!any) labels.clear();
  return labels;
}

}  // namespace

std::optional<double> parse_age(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  double age = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), age);
  if (error != std::errc()) return std::nullopt;
  const char unit = end == text->data() + text->size() ? 'Y' : *end;
  return unit == 'M' || unit == 'W' || unit == 'D' ? 0.0 : age;
}

std::optional<std::string> parse_sex(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  const char first = text->empty() ? '\0' : text::lower(text->front());
  if (first == 'm') return "M";
  if (first == 'f') return "F";
  if (first == 'o') return "O";
  return std::nullopt;
}

std::optional<std::string> parse_date(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  std::string digits;
  for (const char c : *text) {
    if (std::isdigit(static_cast<unsigned char>(c)))
      digits += c;
    else if (c != '-' && c != '/')
      break;
  }
  if (digits.size() != 8) return std::nullopt;
  const std::string year = digits.substr(0, 4);
  const std::string month = digits.substr(4, 2);
  const std::string day = digits.substr(6, 2);
  if (!is_calendar_date(std::stoi(year), std::stoi(month), std::stoi(day))) return std::nullopt;
  return fmt::format("{}-{}-{}", year, month, day);
}

Result<Draft> draft_from_row(const std::string& dataset, const ColumnMap& map,
                             const std::string& file, const TableRow& row) {
  Draft draft;
  draft.place = {fs::path(file).filename().string(), row.line};
  Study& study = draft.study;
  for (const auto& [column, cell] : row.cells) {
    if (!text::is_utf8(cell))
      return bad_record(fmt::format("column '{}' is not UTF-8 (hint: iconv -t utf-8)", column));
  }
  const auto id = map.get(row, "study_id");
  if (!id) return bad_record("column 'study_id' is empty or missing");
  study.study_id = *id;
  study.patient_id = map.get(row, "patient_id").value_or(*id);
  study.dataset = map.get(row, "dataset").value_or(dataset);
  study.site = map.get(row, "site").value_or("");
  study.split = map.get(row, "split").value_or("");
  study.date = parse_date(map.get(row, "date"));
  study.age = parse_age(map.get(row, "age"));
  study.sex = parse_sex(map.get(row, "sex"));
  study.race = map.get(row, "race");
  study.modality = map.get(row, "modality");
  study.style = map.get(row, "style");
  read_sections(map, row, study);
  auto labels = read_labels(map, row);
  if (!labels) return tl::unexpected(labels.error());
  study.labels = std::move(*labels);
  study.source_path = fmt::format("{}:{}", draft.place.file, draft.place.line);
  std::string joined;  // the row's own text: a digest of what the record came from
  for (const auto& [column, cell] : row.cells) joined += column + "\x1f" + cell + "\x1e";
  study.source_sha256 = sha256_hex(joined);
  return draft;
}

}  // namespace unirg::data
