// CSV and TSV report tables, damaged or not: rows that say the same when they are written and read
// again, and as many a piece at a time; or an error with exit status 65. The first byte says which:
// a tab for TSV. SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "base/error.h"
#include "data/draft_row.h"
#include "data/table.h"
#include "io/atomic_file.h"
#include "temp_folder.h"

namespace {

namespace data = unirg::data;

std::string quoted(const std::string& cell) {
  std::string out = "\"";
  for (const char c : cell) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

std::string written(const data::Table& table, char separator) {
  std::string out;
  const auto write = [&](const auto& cell_of) {
    for (const std::string& column : table.columns)
      out += (&column == &table.columns.front() ? "" : std::string(1, separator)) +
             quoted(cell_of(column));
    out += '\n';
  };
  write([](const std::string& column) { return column; });
  for (const data::TableRow& row : table.rows)
    write([&](const std::string& column) { return row.cells.at(column); });
  return out;
}

void check(const std::string& text, char separator) {
  const data::Table table = data::parse_separated(text, separator, "table");
  const data::Table again = data::parse_separated(written(table, separator), separator, "table");
  UNIRG_ASSERT(again.columns == table.columns && again.rows.size() == table.rows.size(),
               "what was written can be read");
  for (size_t i = 0; i < table.rows.size(); ++i) {
    UNIRG_ASSERT(again.rows[i].cells == table.rows[i].cells, "and says the same");
    (void)data::draft_from_row("", data::ColumnMap(), "table", table.rows[i]);
  }
  static const unirg::testing::TempFolder folder;
  const auto file = folder.path() / (separator == '\t' ? "table.tsv" : "table.csv");
  unirg::io::write_file(file, text);
  size_t rows = 0;
  data::visit_table(file, {[](const std::vector<std::string>&) {},
                           [&](const data::TableRow& row) {
                             UNIRG_ASSERT(rows < table.rows.size() &&
                                              row.cells == table.rows[rows].cells &&
                                              row.line == table.rows[rows].line,
                                          "a row read alone is the same");
                             ++rows;
                           }});
  UNIRG_ASSERT(rows == table.rows.size(), "and none is lost");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const bool is_tsv = data[0] == '\t';
  const std::string text(reinterpret_cast<const char*>(data) + (is_tsv ? 1 : 0),
                         size - (is_tsv ? 1 : 0));
  try {
    check(text, is_tsv ? '\t' : ',');
  } catch (const unirg::Error& error) {
    UNIRG_ASSERT(error.exit() == unirg::Exit::data, "a damaged table is bad data");
  }
  return 0;
}
