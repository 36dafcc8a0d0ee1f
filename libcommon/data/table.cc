// SPDX-License-Identifier: Apache-2.0
#include "data/table.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "base/error.h"
#include "io/gzip.h"
#include "io/jsonl.h"

namespace unirg::data {
namespace {

[[noreturn]] void refuse(const std::string& file, int64_t line, const std::string& why) {
  // In quotes, which is where a run with pseudonyms blanks a name.
  throw Error(Exit::data, fmt::format("'{}':{}: {}", file, line, why));
}

/// Gives the next characters of a text, "" at its end.
using NextText = std::function<std::string_view()>;

/// Cells of RFC 4180 text, record by record.
class SeparatedReader {
 public:
  /// \param more gives at least three characters at first, unless the text is shorter
  SeparatedReader(NextText more, char separator, const std::string& file)
      : more_(std::move(more)), separator_(separator), file_(file), text_(more_()) {
    if (text_.starts_with("\xef\xbb\xbf")) text_.remove_prefix(3);
  }
  /// False at the end. Blank lines are skipped.
  bool next(std::vector<std::string>& cells, int64_t& line) {
    while (!at_end() && (now() == '\n' || now() == '\r')) advance();
    if (at_end()) return false;
    cells.clear();
    line = line_;
    do {
      cells.push_back(cell());
    } while (is_now(separator_) && (++at_, true));
    return true;
  }

 private:
  bool at_end() {
    if (at_ < text_.size()) return false;
    text_ = more_();
    at_ = 0;
    return text_.empty();
  }
  [[nodiscard]] char now() const { return text_[at_]; }
  bool is_now(char c) { return !at_end() && now() == c; }
  void advance() {
    if (now() == '\n') ++line_;
    ++at_;
  }
  std::string cell() {
    std::string value;
    if (is_now('"')) return quoted();
    while (!at_end() && now() != separator_ && now() != '\n') value += text_[at_++];
    if (!value.empty() && value.back() == '\r') value.pop_back();
    return value;
  }
  std::string quoted() {
    const int64_t begin = line_;
    std::string value;
    for (++at_; !at_end(); advance()) {
      if (now() != '"') {
        value += now();
        continue;
      }
      ++at_;
      if (is_now('"')) {
        value += '"';
        continue;
      }
      if (is_now('\r')) ++at_;
      const bool ends = at_end() || now() == separator_ || now() == '\n';
      if (!ends) refuse(file_, line_, "text after a closing quote");
      return value;
    }
    refuse(file_, begin, "a quoted cell is not closed");
  }

  NextText more_;
  char separator_;
  const std::string& file_;
  std::string_view text_;
  size_t at_ = 0;
  int64_t line_ = 1;
};

/// The objects of a JSON Lines file as rows with the cells that each has itself.
void each_json_row(const std::filesystem::path& file,
                   const std::function<void(TableRow& row, const io::Json& object)>& take) {
  io::JsonlReader reader(file);
  while (auto line = reader.next()) {
    if (!*line) refuse(file.string(), reader.place().line, line->error().reason);
    TableRow row{reader.place().line, {}};
    for (const auto& [key, value] : (*line)->object.items()) {
      row.cells[key] = value.is_string() ? value.get<std::string>()
                       : value.is_null() ? ""
                                         : value.dump();
    }
    take(row, (*line)->object);
  }
}

/// Its columns are known at its end: it is read twice, or kept where that cannot be (a FIFO).
void visit_jsonl(const std::filesystem::path& file, const TableVisitor& visitor) {
  const bool is_kept = io::is_special(file);
  std::vector<std::string> columns;
  std::set<std::string> seen;
  std::vector<TableRow> rows;
  each_json_row(file, [&](TableRow& row, const io::Json& object) {
    for (const auto& [column, value] : object.items()) {
      if (seen.insert(column).second) columns.push_back(column);
    }
    if (is_kept) rows.push_back(std::move(row));
  });
  visitor.header(columns);
  const auto give = [&](TableRow& row) {
    for (const std::string& column : columns) row.cells.try_emplace(column);
    visitor.row(row);
  };
  for (TableRow& row : rows) give(row);
  if (!is_kept) each_json_row(file, [&](TableRow& row, const io::Json&) { give(row); });
}

void visit_separated(const NextText& more, char separator, const std::string& file,
                     const TableVisitor& visitor) {
  SeparatedReader reader(more, separator, file);
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
  visit_separated([&] { return std::exchange(text, {}); }, separator, file, filler(table));
  return table;
}

void visit_table(const std::filesystem::path& file, const TableVisitor& visitor) {
  const std::string kind = io::without_gz(file).extension().string();
  if (kind == ".csv" || kind == ".tsv") {
    io::UnpackedReader reader(file);
    visit_separated([&] { return reader.next(); }, kind == ".csv" ? ',' : '\t', file.string(),
                    visitor);
  } else if (file.extension() == ".jsonl") {
    visit_jsonl(file, visitor);
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
