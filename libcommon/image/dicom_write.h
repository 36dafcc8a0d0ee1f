// Writing synthetic radiographs as DICOM files: Digital X-Ray Image For Presentation (PS3.3 A.26)
// and Computed Radiography (A.2), through DCMTK. The bytes depend on the arguments and the DCMTK
// build only: no clock, no generated UID. Depends on io (atomic files). Needs a living DicomCodecs
// (dicom.h). SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unirg::image {

enum class DicomModality { dx, cr };
enum class TransferSyntax {
  implicit_le,
  explicit_le,
  deflated,
  jpeg_lossless_sv1,
  jpeg_ls_lossless,
  rle
};
/// e.g. "1.2.840.10008.1.2.4.70"
std::string_view transfer_syntax_uid(TransferSyntax syntax);

struct WindowAttributes {
  double center = 0.0;
  double width = 1.0;
  std::string function;  ///< VOI LUT Function: "" (LINEAR), "LINEAR", "LINEAR_EXACT", "SIGMOID"
};

struct RescaleAttributes {
  double slope = 1.0;
  double intercept = 0.0;
};

struct DicomWriteOptions {
  DicomModality modality = DicomModality::dx;
  bool is_monochrome1 = false;
  int bits_stored = 12;  ///< 8 (stored in 8 bits), 10, 12 or 16 (in 16 bits)
  TransferSyntax transfer_syntax = TransferSyntax::explicit_le;
  /// Absent: a DX file, where a window is required, gets the full range; a CR file gets none.
  std::optional<WindowAttributes> window;
  std::optional<RescaleAttributes>
      rescale;                      ///< absent: a DX file gets 1 and 0; PS3.3 allows DX no other
  double pixel_spacing_mm = 0.143;  ///< Imager Pixel Spacing

  // Identifiers: required.
  std::string study_instance_uid, series_instance_uid, sop_instance_uid;
  std::string patient_id;

  std::string patient_name, accession_number;
  std::string study_date;     ///< YYYYMMDD; also the acquisition and content date
  std::string study_time;     ///< HHMMSS
  std::string view_position;  ///< "AP", "PA", "LL", "RL"
  std::string patient_orientation = "L\\F";
  std::string patient_age;  ///< e.g. "045Y"
  std::string patient_sex;  ///< "M", "F", "O" or ""
  std::string patient_birth_date;
  std::string ethnic_group, institution_name;
  std::string manufacturer = "UniRG phantom";
  std::string study_description, series_description;
  std::string body_part = "CHEST";
  std::string series_number = "1", instance_number = "1";
};

/// Writes one file atomically.
/// \param rows, columns  1 .. 65535
/// \param pixels  rows * columns stored values, row-major, each below 2^bits_stored
/// \returns the SHA-256 of the file as hex
/// \throws Error(Exit::config) for an option that DICOM forbids (names it);
/// Error(Exit::cannot_create), Error(Exit::io)
///         from io::AtomicFile; Error(Exit::internal) if DCMTK fails to encode
std::string write_dicom(const std::filesystem::path& path, int64_t rows, int64_t columns,
                        const std::vector<uint16_t>& pixels, const DicomWriteOptions& options);

/// A UID that is the same for the same name for ever: "2.25." and the decimal of a UUID (version 8)
/// made from the name's SHA-256 (PS3.5 B.2). 6 to 44 characters.
std::string deterministic_uid(std::string_view name);

}  // namespace unirg::image
