// DICOM Structured Reports as the reports of studies: one of a study's may fill what its table left
// empty. Depends on ingest_sources.h, text. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "data/ingest_sources.h"

namespace unirg::data {

/// A Structured Report among the files.
struct FoundReport {
  std::string file;  ///< relative to the root
  std::string time;  ///< Content Date and Time as digits that sort, "" if unknown
  std::string text;  ///< with headings (image/dicom_file.h)
  size_t draft = 0;  ///< of its study
};

/// Gives each study without findings and impression its newest report that has one of them (of two
/// of one time the later file). Every other report is refused with its reason: the table has the
/// study's report, it is empty, it is not the newest, or its study has no image.
void attach_reports(std::vector<FoundReport> reports, std::vector<Draft>& drafts,
                    std::vector<Refusal>& refusals);

/// Drops the drafts from `rows` on (those that no table row made) that no image belongs to and,
/// unless reports may be missing, those without a report: their images are refused.
void drop_unreported(bool allow_missing_report, size_t rows, std::vector<Draft>& drafts,
                     std::vector<Refusal>& refusals);

}  // namespace unirg::data
