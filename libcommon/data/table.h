// Report tables: CSV, TSV and JSON Lines as rows of named text cells. Depends on io.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace unirg::data {

struct TableRow {
  int64_t line = 0;                          ///< where the row begins in its file, from 1
  std::map<std::string, std::string> cells;  ///< by column; every column of the header is there
};

struct Table {
  std::string file;
  std::vector<std::string> columns;
  std::vector<TableRow> rows;
};

/// What a table is given to, a row at a time.
struct TableVisitor {
  std::function<void(const std::vector<std::string>& columns)> header;  ///< once, before the rows
  std::function<void(const TableRow& row)> row;
};

/// By extension: .csv and .tsv, either with .gz behind it (RFC 4180: quotes, doubled quotes, line
/// breaks inside quotes; BOM and CRLF accepted; the first row names the columns), .jsonl (values
/// that are no strings are written as JSON, null as ""). \throws Error(Exit::no_input), or
/// Error(Exit::data) "FILE:LINE:
/// ..." for an unclosed quote, a row of another length, a
///         column named twice, or another extension
Table read_table(const std::filesystem::path& file);

/// The same for text in memory; `separator` ',' or '\t'.
Table parse_separated(std::string_view text, char separator, const std::string& file);

/// The same table without all its rows in memory at once. A .jsonl file is read twice, since its
/// columns are known at its end. What is wrong far down is found after the rows before it were
/// given.
void visit_table(const std::filesystem::path& file, const TableVisitor& visitor);

}  // namespace unirg::data
