// A public dataset as a plan of ingest: which pictures and which report make each study.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "data/ingest_sources.h"

namespace unirg::data {

/// By the layout file `options.layout`. Folders are options.root, and options.reports and
/// options.images where they name folders; a file options.reports is read instead of the layout's
/// tables.
///
/// Rows with one study id and one report are pictures of one study. A study without any of its
/// pictures is refused; a picture that is missing beside others is named, and the study keeps
/// those. \throws Error(Exit::no_input), Error(Exit::data), Error(Exit::config) as load_layout and
///         visit_rows
IngestPlan plan_dataset(const SourceOptions& options);

/// Age, sex, indication and comparison from ReXrank's context string,
/// "Age:50-60.Gender:M.Indication:
/// ... Comparison: ...": fields in the row that are empty are filled; a range of ages is put in
/// "age_range".
void read_context(const std::string& context, TableRow& row);

}  // namespace unirg::data
