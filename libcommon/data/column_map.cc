// SPDX-License-Identifier: Apache-2.0
#include "data/column_map.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "base/error.h"
#include "io/atomic_file.h"
#include "text/lexicon.h"

namespace unirg::data {
namespace {

std::optional<std::string> trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return std::nullopt;
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

}  // namespace

const std::vector<std::string>& table_fields() {
  static const std::vector<std::string> fields = [] {
    std::vector<std::string> names{
        "study_id",   "patient_id", "study_uid",  "accession", "file",       "view",     "dataset",
        "site",       "split",      "date",       "age",       "sex",        "race",     "report",
        "indication", "technique",  "comparison", "findings",  "impression", "modality", "style"};
    for (const std::string_view condition : text::kConditions) names.emplace_back(condition);
    return names;
  }();
  return fields;
}

ColumnMap ColumnMap::load(const std::filesystem::path& yaml) {
  ColumnMap map;
  map.file_ = yaml.string();
  YAML::Node root;
  try {
    root = YAML::Load(io::read_file(yaml));
  } catch (const YAML::Exception& e) {
    throw Error(Exit::config,
                fmt::format("{}:{}: not valid YAML: {}", map.file_, e.mark.line + 1, e.msg));
  }
  if (!root.IsMap())
    throw Error(Exit::config, fmt::format("{}: expected a map of fields to columns", map.file_));
  for (const auto& item : root) {
    const std::string field = item.first.Scalar();
    const std::string where = fmt::format("{}:{}: ", map.file_, item.first.Mark().line + 1);
    if (std::find(table_fields().begin(), table_fields().end(), field) == table_fields().end()) {
      const std::string nearest = nearest_name(field, table_fields());
      throw Error(
          Exit::config,
          where + fmt::format(
                      "unknown key '{}'{}", field,
                      nearest.empty() ? "" : fmt::format(" (hint: did you mean '{}'?)", nearest)));
    }
    if (item.second.IsScalar()) {
      map.columns_[field] = item.second.Scalar();
    } else if (item.second.IsMap() && item.second.size() == 1 && item.second["value"]) {
      map.constants_[field] = item.second["value"].Scalar();
    } else {
      throw Error(
          Exit::config,
          where + fmt::format("key '{}': expected a column name or {{value: text}}", field));
    }
  }
  return map;
}

void ColumnMap::check(const std::string& table, const std::vector<std::string>& columns) const {
  for (const auto& [field, column] : columns_) {
    if (std::find(columns.begin(), columns.end(), column) != columns.end()) continue;
    const std::string nearest = nearest_name(column, columns);
    throw Error(
        Exit::config,
        fmt::format("{}: field '{}': '{}' has no column '{}'{}", file_, field, table, column,
                    nearest.empty() ? "" : fmt::format(" (hint: did you mean '{}'?)", nearest)));
  }
}

bool ColumnMap::has(const TableRow& row, const std::string& field) const {
  const auto column = columns_.find(field);
  return constants_.contains(field) ||
         row.cells.contains(column == columns_.end() ? field : column->second);
}

std::optional<std::string> ColumnMap::get(const TableRow& row, const std::string& field) const {
  if (const auto constant = constants_.find(field); constant != constants_.end())
    return constant->second;
  const auto column = columns_.find(field);
  const auto cell = row.cells.find(column == columns_.end() ? field : column->second);
  return cell == row.cells.end() ? std::nullopt : trimmed(cell->second);
}

}  // namespace unirg::data
