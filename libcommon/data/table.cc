// SPDX-License-Identifier: Apache-2.0
#include "data/table.h"

#include <fmt/format.h>

#include <set>

#include "base/error.h"
#include "io/gzip.h"
#include "io/jsonl.h"

namespace unirg::data {
namespace {

[[noreturn]] void refuse(const std::string& file, int64_t line, const std::string& why) {
  throw Error(Exit::data, fmt::format("{}:{}: {}", file, line, why));
}

/// Cells of RFC 4180 text, record by record.
class SeparatedReader {
 public:
  SeparatedReader(std::string_view text, char separator, const std::string& file)
      : text_(text), separator_(separator), file_(file) {
    if (text_.starts_with("\xef\xbb\xbf")) text_.remove_prefix(3);
  }
  /// False at the end. Blank lines are skipped.
  bool next(std::vector<std::string>& cells, int64_t& line) {
    while (at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r')) advance();
    if (at_ >= text_.size()) return false;
    cells.clear();
    line = line_;
    do {
      cells.push_back(cell());
    } while (at_ < text_.size() && text_[at_] == separator_ && (++at_, true));
    return true;
  }

 private:
  void advance() {
    if (text_[at_] == '\n') ++line_;
    ++at_;
  }
  std::string cell() {
    std::string value;
    if (at_ < text_.size() && text_[at_] == '"') return quoted();
    while (at_ < text_.size() && text_[at_] != separator_ && text_[at_] != '\n')
      value += text_[at_++];
    if (!value.empty() && value.back() == '\r') value.pop_back();
    return value;
  }
  std::string quoted() {
    const int64_t begin = line_;
    std::string value;
    for (++at_; at_ < text_.size(); advance()) {
      if (text_[at_] != '"') {
        value += text_[at_];
        continue;
      }
      if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        value += '"';
        ++at_;
        continue;
      }
      ++at_;
      if (at_ < text_.size() && text_[at_] == '\r') ++at_;
      const bool ends = at_ >= text_.size() || text_[at_] == separator_ || text_[at_] == '\n';
      if (!ends) refuse(file_, line_, "text after a closing quote");
      return value;
    }
    refuse(file_, begin, "a quoted cell is not closed");
  }

  std::string_view text_;
  char separator_;
  const std::string& file_;
  size_t at_ = 0;
  int64_t line_ = 1;
};

Table read_jsonl(const std::filesystem::path& file) {
  Table table{file.string(), {}, {}};
  std::set<std::string> seen;
  io::JsonlReader reader(file);
  while (auto line = reader.next()) {
    if (!*line) refuse(table.file, reader.place().line, line->error().reason);
    TableRow row{reader.place().line, {}};
    for (const auto& [key, value] : (*line)->object.items()) {
      if (seen.insert(key).second) table.columns.push_back(key);
      row.cells[key] = value.is_string() ? value.get<std::string>()
                       : value.is_null() ? ""
                                         : value.dump();
    }
    table.rows.push_back(std::move(row));
  }
  for (TableRow& row : table.rows) {
    for (const std::string& column : table.columns) row.cells.try_emplace(column);
  }
  return table;
}

void visit_separated(std::string_view text, char separator, const std::string& file,
                     const TableVisitor& visitor) {
  SeparatedReader reader(text, separator, file);
  std::vector<std::string> columns;
  int64_t line = 1;
  if (!reader.next(columns, line)) refuse(file, 1, "no header row");
  const std::set<std::string> names(columns.begin(), columns.end());
  if (names.size() != columns.size()) refuse(file, line, "a column name stands twice");
  visitor.header(columns);
  std::vector<std::string> cells;
  while (reader.next(cells, line)) {
    if (cells.size() != columns.size())
      refuse(file, line, fmt::format("{} cells, the header has {}", cells.size(), columns.size()));
    TableRow row{line, {}};
    for (size_t i = 0; i < cells.size(); ++i) row.cells[columns[i]] = std::move(cells[i]);
    visitor.row(row);
  }
}

/// Puts what is visited into a table.
TableVisitor filler(Table& table) {
  return {.header = [&](const std::vector<std::string>& columns) { table.columns = columns; },
          .row = [&](const TableRow& row) { table.rows.push_back(row); }};
}

}  // namespace

Table parse_separated(std::string_view text, char separator, const std::string& file) {
  Table table{file, {}, {}};
  visit_separated(text, separator, file, filler(table));
  return table;
}

void visit_table(const std::filesystem::path& file, const TableVisitor& visitor) {
  const std::string kind = io::without_gz(file).extension().string();
  if (kind == ".csv" || kind == ".tsv") {
    visit_separated(io::read_unpacked(file), kind == ".csv" ? ',' : '\t', file.string(), visitor);
  } else if (file.extension() == ".jsonl") {
    const Table table = read_jsonl(file);
    visitor.header(table.columns);
    for (const TableRow& row : table.rows) visitor.row(row);
  } else {
    throw Error(Exit::data, fmt::format("'{}': unknown kind of table (hint: .csv, .tsv or .jsonl)",
                                        file.string()));
  }
}

Table read_table(const std::filesystem::path& file) {
  Table table{file.string(), {}, {}};
  visit_table(file, filler(table));
  return table;
}

}  // namespace unirg::data
