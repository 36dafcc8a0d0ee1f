// DICOM Structured Reports as the reports of studies: one of a study's may fill what its table left
// empty. Depends on ingest_sources.h, text. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "data/ingest_sources.h"
#include "io/shelf.h"

namespace unirg::data {

/// A Structured Report among the files.
struct FoundReport {
  std::string_view file;  ///< relative to the root; must outlive it
  std::string time;       ///< Content Date and Time as digits that sort, "" if unknown
  std::string text;       ///< with headings (image/dicom_file.h)
  uint32_t draft = 0;     ///< number of its study's
};

/// Those of a folder, their texts put aside on disk.
class FoundReports {
 public:
  /// \param folder  for their temporary file. \throws Error as io::Shelf
  explicit FoundReports(const std::filesystem::path& folder) : texts_(folder) {}
  void add(const FoundReport& report);
  /// Gives each study without findings and impression its newest report that has one of them (of
  /// two of one time the later file). Every other report is refused with its reason: the table has
  /// the study's report, it is empty, it is not the newest, or its study has no image.
  void attach(Drafts& drafts, std::vector<Refusal>& refusals);

 private:
  struct Entry {
    std::string_view file;
    std::string time;
    uint64_t text;  ///< its place
    uint32_t draft;
  };
  io::Shelf texts_;
  std::deque<Entry> entries_;
};

/// Drops the drafts from number `rows` on (those that no table row made) that no image belongs to
/// and, unless reports may be missing, those without a report: their images are refused.
void drop_unreported(bool allow_missing_report, uint32_t rows, Drafts& drafts,
                     std::vector<Refusal>& refusals);

}  // namespace unirg::data
