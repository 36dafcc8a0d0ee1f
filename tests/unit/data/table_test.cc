// SPDX-License-Identifier: Apache-2.0
#include "data/table.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "data/column_map.h"
#include "io/atomic_file.h"
#include "temp_folder.h"

namespace unirg::data {
namespace {

TEST(Csv, reads_quotes_line_breaks_bom_and_crlf) {
  const Table t =
      parse_separated("\xef\xbb\xbfid,report\r\n1,\"a, \"\"b\"\"\nc\"\r\n\r\n2,\n", ',', "t.csv");
  ASSERT_EQ(t.rows.size(), 2u);
  EXPECT_EQ(t.rows[0].cells.at("report"), "a, \"b\"\nc");
  EXPECT_EQ(t.rows[0].line, 2);
  EXPECT_EQ(t.rows[1].line, 5);
  EXPECT_EQ(t.rows[1].cells.at("report"), "");
}

TEST(Csv, names_file_and_line_of_what_is_wrong) {
  const auto message = [](const char* text) {
    try {
      (void)parse_separated(text, ',', "t.csv");
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_EQ(message("a,b\n1,2\n3\n"), "'t.csv':3: 1 cells, the header has 2");
  EXPECT_EQ(message("a,b\n1,\"x\n"), "'t.csv':2: a quoted cell is not closed");
  EXPECT_EQ(message("a,a\n"), "'t.csv':1: a column name stands twice");
  EXPECT_EQ(message("a,b\n1,\"x\"y\n"), "'t.csv':2: text after a closing quote");
}

TEST(VisitTable, reads_cells_across_the_pieces_that_a_file_is_read_in) {
  const testing::TempFolder folder;
  // 256 KiB are read at once; the quotes, doubled ones and CRLF fall on every place about there.
  for (int shift = 0; shift < 12; ++shift) {
    const std::string filler((1 << 18) - 10 - static_cast<size_t>(shift), 'x');
    io::write_file(folder.path() / "t.csv", "a,b\n" + filler + ",\"p\"\"q\nr\"\r\n1,2\r\n");
    std::vector<TableRow> rows;
    visit_table(folder.path() / "t.csv",
                {.header = [](const auto& columns) { EXPECT_EQ(columns.size(), 2U); },
                 .row = [&](const TableRow& row) { rows.push_back(row); }});
    ASSERT_EQ(rows.size(), 2U) << shift;
    EXPECT_EQ(rows[0].cells.at("b"), "p\"q\nr") << shift;
    EXPECT_EQ(rows[1].cells.at("b"), "2") << shift;
    EXPECT_EQ(rows[1].line, 4) << shift;
  }
}

TEST(VisitTable, gives_every_row_of_json_lines_all_columns) {
  const testing::TempFolder folder;
  io::write_file(folder.path() / "t.jsonl", "{\"b\": \"x\"}\n{\"a\": 1.5, \"c\": null}\n");
  std::string seen;
  visit_table(folder.path() / "t.jsonl", {.header =
                                              [&](const auto& columns) {
                                                for (const std::string& column : columns)
                                                  seen += column;
                                              },
                                          .row =
                                              [&](const TableRow& row) {
                                                for (const auto& [column, cell] : row.cells)
                                                  seen += " " + column + "=" + cell;
                                              }});
  EXPECT_EQ(seen, "bac a= b=x c= a=1.5 b= c=");
}

TEST(ColumnMap, finds_fields_under_other_names_and_constants) {
  testing::TempFolder folder;
  io::write_file(folder.path() / "c.yaml", "findings: Beschreibung\nsite: {value: X}\n");
  const ColumnMap map = ColumnMap::load(folder.path() / "c.yaml");
  const Table t = parse_separated("study_id,Beschreibung\n7, klar \n", ',', "t.csv");
  map.check(t.file, t.columns);
  EXPECT_EQ(map.get(t.rows[0], "findings"), "klar");
  EXPECT_EQ(map.get(t.rows[0], "site"), "X");
  EXPECT_EQ(map.get(t.rows[0], "study_id"), "7");
  EXPECT_EQ(map.get(t.rows[0], "impression"), std::nullopt);
}

TEST(ColumnMap, unknown_field_and_missing_column_are_config_errors) {
  testing::TempFolder folder;
  io::write_file(folder.path() / "c.yaml", "# map\nfindngs: x\n");
  try {
    (void)ColumnMap::load(folder.path() / "c.yaml");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::config);
    EXPECT_NE(std::string(e.what()).find(
                  "c.yaml:2: unknown key 'findngs' (hint: did you mean 'findings'?)"),
              std::string::npos)
        << e.what();
  }
  io::write_file(folder.path() / "d.yaml", "findings: nowhere\n");
  EXPECT_THROW(ColumnMap::load(folder.path() / "d.yaml").check("t.csv", {"study_id"}), Error);
}

}  // namespace
}  // namespace unirg::data
