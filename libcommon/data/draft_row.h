// One row of a report table as a study, and the forms in which tables write ages, sexes and dates.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "data/column_map.h"
#include "data/ingest_sources.h"

namespace unirg::data {

/// Years from "61", "061Y", "61 years"; nullopt when there is no number (or months and weeks: under
/// one year).
std::optional<double> parse_age(const std::optional<std::string>& text);
/// "M", "F", "O" by the first letter, whatever its case.
std::optional<std::string> parse_sex(const std::optional<std::string>& text);
/// "YYYY-MM-DD" from itself or from DICOM's YYYYMMDD; other forms, and days no calendar has, are
/// kept out: they do not sort.
std::optional<std::string> parse_date(const std::optional<std::string>& text);

/// A draft without pictures. \param dataset where the row names none
/// \param file the table, for the place and the source
/// Reasons: no study id, a cell that is not UTF-8, a label that is none.
Result<Draft> draft_from_row(const std::string& dataset, const ColumnMap& map,
                             const std::string& file, const TableRow& row);

}  // namespace unirg::data
