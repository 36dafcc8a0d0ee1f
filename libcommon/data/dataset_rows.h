// The rows of a dataset's tables with what is joined to them, one at a time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "data/dataset_files.h"
#include "data/dataset_layout.h"
#include "data/table.h"

namespace unirg::data {

/// Where a row comes from.
struct RowOrigin {
  std::string table;   ///< name as in rejected.jsonl
  std::string folder;  ///< of the table, relative to its root; "" at the top
  std::optional<std::string> split;
  std::optional<size_t> text_file;  ///< the row is this report file
};

using RowTaker = std::function<void(const TableRow& row, const RowOrigin& origin)>;

/// Gives every row of the layout's tables, in their order; of JSON, entries in the order of the
/// file with line counting them from 1, their key as column "id". \param table read instead of the
/// layout's tables if not empty, as the first of them is
/// \param scratch folder for temporary files: what is joined lies there
/// \throws Error(Exit::no_input) for a table or a join that is not there; Error(Exit::data) for one
///         that lacks a column or cannot be read
void visit_rows(const Layout& layout, const FileIndex& files, const std::filesystem::path& table,
                const std::filesystem::path& scratch, const RowTaker& take);

/// The objects of a JSON table as rows: values that are no strings as JSON, null as "". Python's
/// NaN and Infinity read as null.
/// \param is_split the outermost keys are splits, given as column "split"
/// \throws Error(Exit::data) "'FILE': not JSON ..."
void visit_json(std::string_view text, bool is_split, const std::string& file,
                const std::function<void(const TableRow& row)>& take);

}  // namespace unirg::data
