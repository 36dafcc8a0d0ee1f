// Which column of a user's table holds which field of ours: a YAML map, field -> column name, or
// field -> {value: text} for a constant. Fields not named are looked up under their own names.
// yaml-cpp stays in the source. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "data/table.h"

namespace unirg::data {

/// Fields a table may give: ids (study_id, patient_id, study_uid, accession), file, view, dataset,
/// site, split, date, age, sex, race, report (free text) or indication, technique, comparison,
/// findings, impression, modality, style, and the 14 conditions by name.
const std::vector<std::string>& table_fields();

class ColumnMap {
 public:
  ColumnMap() = default;
  /// \throws Error(Exit::config) "FILE:LINE: unknown key 'x' (hint: ...)"
  static ColumnMap load(const std::filesystem::path& yaml);
  /// \throws Error(Exit::config) if a column named in the map is none of the table's
  void check(const std::string& table, const std::vector<std::string>& columns) const;
  /// True if the table has a column, or the map a constant, for the field.
  [[nodiscard]] bool has(const TableRow& row, const std::string& field) const;
  /// The cell, trimmed; nullopt if there is no such column or it is empty.
  [[nodiscard]] std::optional<std::string> get(const TableRow& row, const std::string& field) const;

 private:
  std::map<std::string, std::string> columns_;
  std::map<std::string, std::string> constants_;
  std::string file_;
};

}  // namespace unirg::data
