// What a DICOM file says besides its pixels: the attributes that place it in a study, the text of a
// Structured Report, the files of a DICOMDIR. No pixel is read. Depends on dicom.h; needs a living
// DicomCodecs. Reasons are one line and never hold a patient's name, number or date.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "image/dicom.h"

namespace unirg::image {

struct DicomHeader {
  DicomMetadata metadata;
  /// A Structured Report's content (PS3.3 C.17.3) as a report with headings, UTF-8: a container's
  /// concept name is a heading, a text item a paragraph, a code or a number "name: value". Names of
  /// persons, dates, UIDs and coordinates are left out. "" if the file is no report or an empty
  /// one.
  std::string report;
  bool is_report = false;    ///< it has a Content Sequence and no picture
  std::string content_time;  ///< Content Date and Time, digits that sort; "" if absent
};

/// Parses up to Pixel Data. Reasons: not DICOM, damaged before the pixels, nested too deep.
Result<DicomHeader> read_dicom_header(const std::filesystem::path& path);

/// What names somebody in a header.
struct DicomIdentifier {
  std::string attribute;  ///< keyword, e.g. "PatientID"
  std::string value;      ///< UTF-8, without padding; one of several values, one group of a name
  bool is_name = false;   ///< of VR PN: "Doe^Jane"
};

/// The identifiers of a file, in its order, those in sequences too: names of people (all of VR PN);
/// numbers and addresses of the patient; study, accession, admission and request numbers; instance
/// UIDs of study, series and image. Dates are none: others have the same. Parses up to Pixel Data.
/// Reasons as of read_dicom_header.
Result<std::vector<DicomIdentifier>> read_dicom_identifiers(const std::filesystem::path& path);

/// Files that a DICOMDIR (PS3.3 annex F, PS3.10 section 8) names, relative to its folder, in its
/// order, each once. Reasons: no DICOMDIR, damaged, or a file id that is none: an empty component,
/// "." or "..", a slash or a control character in it.
Result<std::vector<std::filesystem::path>> read_dicomdir(const std::filesystem::path& path);

}  // namespace unirg::image
