// SPDX-License-Identifier: Apache-2.0
#include "image/dicom_file.h"

#include <dcmtk/config/osconfig.h>
//
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <set>

#include "image/dicom_internal.h"
#include "image/dicom_text.h"

namespace unirg::image {
namespace {

std::string sortable_time(const std::string& date, const std::string& time) {
  if (date.empty()) return "";
  std::string digits;
  for (const char c : date + time) {
    if (c >= '0' && c <= '9') digits += c;
  }
  return digits;
}

/// A file id's components, told apart by backslashes, as a path below the DICOMDIR's folder; empty
/// if it could lead anywhere else.
std::filesystem::path path_of(const std::string& id) {
  std::filesystem::path path;
  for (size_t at = 0; at <= id.size();) {
    const size_t end = std::min(id.find('\\', at), id.size());
    const std::string part = id.substr(at, end - at);
    const bool is_bad = part.empty() || part == "." || part == ".." ||
                        std::any_of(part.begin(), part.end(), [](char c) {
                          return c == '/' || static_cast<unsigned char>(c) < 0x20;
                        });
    if (is_bad) return {};
    path /= part;
    at = end + 1;
  }
  return path;
}

/// What read_dicom_identifiers() takes besides names of people.
bool is_identifier(const DcmTagKey& tag) {
  static const std::set<DcmTagKey> tags{
      DCM_PatientID,      DcmTagKey(0x0010, 0x1000),  // Other Patient IDs, retired
      DCM_PatientAddress, DCM_PatientTelephoneNumbers, DCM_AccessionNumber,  DCM_StudyID,
      DCM_AdmissionID,    DCM_RequestedProcedureID,    DCM_StudyInstanceUID, DCM_SeriesInstanceUID,
      DCM_SOPInstanceUID};
  return tags.contains(tag);
}

/// Values are parted by backslashes, the groups of a name (alphabetic, ideographic, phonetic) by
/// '='.
void add_values(const std::string& values, const std::string& attribute, bool is_name,
                std::vector<DicomIdentifier>& found) {
  const char* const ends = is_name ? "\\=" : "\\";
  for (size_t at = 0; at < values.size();) {
    const size_t end = std::min(values.find_first_of(ends, at), values.size());
    if (end > at) found.push_back({attribute, values.substr(at, end - at), is_name});
    at = end + 1;
  }
}

}  // namespace

Result<DicomHeader> read_dicom_header(const std::filesystem::path& path) {
  DicomHeader header;
  const std::string reason = internal::with_dataset(
      path, internal::Extent::header, [&](DcmDataset& dataset, const std::string&) {
        header.metadata = internal::read_metadata(dataset);
        header.is_report = dataset.tagExists(DCM_ContentSequence) && !dataset.tagExists(DCM_Rows);
        if (header.is_report) header.report = internal::report_text(dataset);
        header.content_time = sortable_time(header.metadata.content_date,
                                            internal::raw_text(dataset, 0x0008, 0x0033));
      });
  if (!reason.empty()) return bad_record(reason);
  return header;
}

Result<std::vector<DicomIdentifier>> read_dicom_identifiers(const std::filesystem::path& path) {
  std::vector<DicomIdentifier> found;
  const std::string reason = internal::with_dataset(
      path, internal::Extent::header, [&](DcmDataset& dataset, const std::string&) {
        internal::TextReader text(dataset);
        DcmStack stack;
        while (dataset.nextObject(stack, OFTrue).good()) {
          DcmObject* const object = stack.top();
          auto* const item = stack.card() > 1 ? dynamic_cast<DcmItem*>(stack.elem(1)) : nullptr;
          const DcmTag& tag = object->getTag();
          const bool is_name = object->ident() == EVR_PN;
          if (item == nullptr || (!is_name && !is_identifier(tag))) continue;
          add_values(text(*item, tag), DcmTag(tag).getTagName(), is_name, found);
        }
      });
  if (!reason.empty()) return bad_record(reason);
  return found;
}

Result<std::vector<std::filesystem::path>> read_dicomdir(const std::filesystem::path& path) {
  std::vector<std::filesystem::path> files;
  std::string problem;
  const auto read = [&](DcmDataset& dataset, const std::string&) {
    DcmSequenceOfItems* records = nullptr;
    if (dataset.findAndGetSequence(DCM_DirectoryRecordSequence, records).bad() ||
        records == nullptr) {
      problem = "not a DICOMDIR: it has no directory records";
      return;
    }
    std::set<std::filesystem::path> known;
    for (DcmObject* item = records->nextInContainer(nullptr); item != nullptr;
         item = records->nextInContainer(item)) {
      auto* record = dynamic_cast<DcmItem*>(item);
      if (record == nullptr || !record->tagExistsWithValue(DCM_ReferencedFileID)) continue;
      Uint16 in_use = 1;  // Record In-use Flag, PS3.3 F.3.2.2: 0 of a record that was taken out
      if (record->findAndGetUint16(DcmTagKey(0x0004, 0x1410), in_use).good() && in_use == 0)
        continue;
      const std::filesystem::path file = path_of(internal::raw_text(*record, 0x0004, 0x1500));
      if (file.empty()) {
        problem = "a file id of the DICOMDIR is no name below its folder";
        return;
      }
      if (known.insert(file).second) files.push_back(file);
    }
  };
  const std::string reason = internal::with_dataset(path, internal::Extent::header, read);
  if (!reason.empty()) return bad_record(reason);
  if (!problem.empty()) return bad_record(problem);
  return files;
}

}  // namespace unirg::image
