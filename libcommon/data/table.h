// Report tables: CSV, TSV and JSON Lines as rows of named text cells. Depends on io.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
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

/// By extension: .csv and .tsv (RFC 4180: quotes, doubled quotes, line breaks inside quotes; BOM
/// and CRLF accepted; the first row names the columns), .jsonl (values that are no strings are
/// written as JSON, null as ""). \throws Error(Exit::no_input), or Error(Exit::data) "FILE:LINE:
/// ..." for an unclosed quote, a row of another length, a
///         column named twice, or another extension
Table read_table(const std::filesystem::path& file);

/// The same for text in memory; `separator` ',' or '\t'.
Table parse_separated(std::string_view text, char separator, const std::string& file);

}  // namespace unirg::data
