// The sources of unirg-ingest as plans: which files belong to which study, which are refused,
// which are ignored. Nothing is decoded here but what grouping needs. Depends on image, text.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "data/column_map.h"
#include "data/records.h"
#include "data/study_shelf.h"

namespace unirg::data {

struct Refusal {
  std::string file;  ///< relative to its root; for a row the table's name
  int64_t line = 0;  ///< of a table row; 0: the whole file
  std::string reason;
};

struct IngestPlan {
  /// \param scratch see SourceOptions
  explicit IngestPlan(const std::filesystem::path& scratch) : drafts(scratch) {}
  Drafts drafts;
  std::vector<Refusal> refusals;
  int64_t ignored = 0;  ///< files, by the declared rules
  int64_t files = 0;    ///< input files seen below the root
  bool whole = true;    ///< false if Watch ended it
};

/// Told how far a run is, and asked whether it may go on.
struct Watch {
  /// A stage of so many units begins.
  std::function<void(const char* unit, int64_t total)> begin = [](const char*, int64_t) {};
  /// A unit is done; false ends the run.
  std::function<bool()> advance = [] { return true; };
};

struct SourceOptions {
  std::string source = "dicom";  ///< "dicom", "images", "openi", "table", or a dataset's name
  std::filesystem::path root;  ///< folder of pictures (dicom, images; openi and table: optional) or
                               ///< of XML files (openi), or of the dataset
  std::filesystem::path reports;  ///< report table (dicom, images, table); dataset: a table, or a
                                  ///< further folder
  std::filesystem::path columns;  ///< YAML column map, "" for equal names
  std::filesystem::path images;   ///< openi: folder of pictures; dataset: a further folder
  std::filesystem::path layout = {};  ///< of a dataset: its YAML file; "" for the other sources
  std::string dataset;                ///< for records whose table does not say
  bool allow_missing_report =
      false;  ///< dicom, images, datasets: studies without a report are kept
  /// Whether a study without a picture is refused.
  [[nodiscard]] bool needs_picture() const {
    return !layout.empty() || source == "dicom" || source == "images";
  }
  std::filesystem::path scratch = {};  ///< folder for temporary files, must exist
  int threads = 1;                     ///< that read DICOM headers; no effect on the plan
  Watch watch = {};
};

/// Files that are never input: hidden ones, and by name or extension (readme, licence, tables,
/// text, YAML, JSON), also with .gz behind it.
bool is_ignored(const std::filesystem::path& file);

/// \throws Error(Exit::no_input) if root or table is missing; Error(Exit::config) for the column
/// map; Error(Exit::data) for
///         a table that cannot be parsed
IngestPlan plan_ingest(const SourceOptions& options);

}  // namespace unirg::data
