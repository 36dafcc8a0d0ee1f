// How the owners of a dataset lay it out, as read from a YAML file (share/datasets/NAME.yaml): its
// tables, what is joined to them, which column holds which field, where pictures and reports lie.
// Plain data; no dataset's names live in the sources. yaml-cpp stays in the source. Depends on
// table.h. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "data/table.h"

namespace unirg::data {

/// Text with columns in braces: "{a}" the cell, "{a:2}" its first two bytes, "{a/-2}" the last but
/// one of its parts between '/'; a word without braces is a column. A '?' behind the column says
/// that a table may lack it.
struct Template {
  struct Part {
    std::string literal;  ///< before the column
    std::string column;   ///< "" in the last part, if text follows the last column
    int first = 0;        ///< bytes of the cell, 0: all
    int component = 0;    ///< which part between '/', from 1 or, negative, from the end; 0: all
    bool optional = false;
  };
  std::vector<Part> parts;
};

/// A field's value: a constant, or the first template whose columns all have a value.
struct FieldRule {
  std::optional<std::string> constant;
  std::vector<Template> first_of;
};

/// A table with a row for each picture or study.
struct RowSource {
  /// cells: .csv, .tsv or .jsonl. entries: a JSON object, id to object. splits: a JSON object,
  /// split to a list of objects or to entries. texts: each file that matches is a row with the
  /// columns "stem" and "path", and its content is the report.
  enum class Form { cells, entries, splits, texts };
  std::vector<std::string> files;  ///< names below the folder, the first that is there is read
  Form form = Form::cells;
  std::optional<std::string> split;  ///< of all its rows
  bool optional = false;             ///< may be missing while another is there
};

/// Further columns, found by a key that both tables have; of rows with one key the first counts.
struct Join {
  std::vector<std::string> files;  ///< the first that is there is read
  std::string key;
  std::vector<std::string> columns;
  bool optional = false;
};

/// Age in years from other columns and the study's date: study year - born, or at + study year -
/// year.
struct AgeRule {
  std::string born, at, year;
};

struct PictureRules {
  std::vector<Template> files;     ///< places of a picture; for a column with a list, of each item
  std::optional<Template> key;     ///< names the key picture
  std::optional<Template> folder;  ///< all pictures in it, for rows whose `files` have no value
  FieldRule view;                  ///< with a list beside the list of pictures: item by item
  bool by_name = false;            ///< else the only file of that name, wherever it lies
  bool key_is_first = false;       ///< the first picture listed is the key picture
};

/// Conditions from one column with a list of names.
struct LabelRule {
  std::optional<Template> column;
  std::map<std::string, std::string> conditions;  ///< name in the list -> CheXpert condition
};

struct Layout {
  std::string file;  ///< the YAML file
  std::vector<RowSource> tables;
  std::vector<Join> joins;
  std::map<std::string, FieldRule> fields;  ///< by our name, table_fields() without "file"
  std::map<std::string, FieldRule> extra;   ///< kept in the record under these names
  std::map<std::string, std::map<std::string, std::string>> names;  ///< field -> theirs -> ours
  std::vector<Template> report_files;  ///< places of the report's text file
  std::optional<AgeRule> age;
  std::optional<Template> context;  ///< "Age:..Gender:..Indication:..Comparison:.."
  std::optional<Template> order;    ///< a number that orders a patient's undated studies
  PictureRules pictures;
  LabelRule labels;
  std::set<std::string> nothing;     ///< cells that say nothing, beside empty ones
  std::vector<std::string> ignored;  ///< patterns of files that are no input, fnmatch(3)
};

/// \throws Error(Exit::config) "FILE:LINE: ...", for unknown keys with the nearest one
Layout load_layout(const std::filesystem::path& yaml);

/// \throws Error(Exit::config) "WHERE: ..." for unbalanced braces or a bad number
Template parse_template(const std::string& text, const std::string& where);

/// The cell as its items, if it is a list as JSON or Python write it ("['a', \"b\"]"); else the
/// cell as its only item; none if it is empty. None and null are empty items.
std::vector<std::string> list_items(std::string_view cell);

/// A row as rules see it.
class RowView {
 public:
  RowView(const Layout& layout, const TableRow& row) : layout_(layout), row_(row) {}
  /// Trimmed; nullopt if the column is missing, empty or says nothing.
  [[nodiscard]] std::optional<std::string> cell(const std::string& column) const;
  /// nullopt if one of its columns has no value. \param item of list cells, from 0; -1: the cell as
  /// it is
  [[nodiscard]] std::optional<std::string> expand(const Template& text, int item = -1) const;
  /// \param item as for expand
  [[nodiscard]] std::optional<std::string> value(const FieldRule& rule, int item = -1) const;
  /// Items of the longest list among the template's columns; 1 without a list.
  [[nodiscard]] int items(const Template& text) const;

 private:
  const Layout& layout_;
  const TableRow& row_;
};

/// Columns a layout needs and neither the table nor its joins have.
/// \throws Error(Exit::data) "'TABLE' has no column 'x', which 'FIELD' is read from (hint: ...)"
void check_columns(const Layout& layout, const std::string& table,
                   const std::vector<std::string>& columns);

}  // namespace unirg::data
