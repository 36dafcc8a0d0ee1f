// Reading DICOM: stored pixel values with the attributes that rendering and the data layer need,
// and rendering to 8-bit grey. DCMTK parses every file and decodes most; where its codecs fail
// (JPEG 2000, for one), GDCM's codecs get the same fragments. Both stay in the sources. Depends on
// base and image.h. Reasons are one line and never hold a patient's name, number or date.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/image.h"

namespace unirg::image {

/// Registers DCMTK's decoders and encoders, silences both libraries' output to stderr, and removes
/// the codecs again. Create one in main() before any function of this header or of dicom_write.h is
/// called.
class DicomCodecs {
 public:
  /// \throws Error(Exit::unavailable) if DCMTK finds no data dictionary
  DicomCodecs();
  ~DicomCodecs();
  DicomCodecs(const DicomCodecs&) = delete;
  DicomCodecs& operator=(const DicomCodecs&) = delete;
};

/// A lookup table of PS3.3 C.11.1.1, C.11.2.1.1 or C.7.6.3.1.5: input `first` and below give
/// values.front(), first + size - 1 and above give values.back().
struct LookupTable {
  int32_t first = 0;
  int bits = 16;  ///< entries are 0 .. 2^bits - 1
  std::vector<uint16_t> values;
};

enum class VoiFunction { linear, linear_exact, sigmoid };  ///< PS3.3 C.11.2.1.3

/// (0028,1050) and (0028,1051), first value of each.
struct VoiWindow {
  double center = 0.0;
  double width = 0.0;
  VoiFunction function = VoiFunction::linear;
};

/// Text attributes as valid UTF-8 without padding or control characters; "" where absent. Several
/// values are joined by a backslash as in the file. Identifiers: never to be logged.
struct DicomMetadata {
  std::string sop_class_uid, sop_instance_uid, study_instance_uid, series_instance_uid;
  std::string patient_id, accession_number;
  std::string modality;             ///< e.g. "DX"
  std::string view_position;        ///< (0018,5101), e.g. "PA"
  std::string view_code;            ///< (0054,0220), the first item's code value, e.g. "399162004"
  std::string patient_orientation;  ///< (0020,0020), e.g. "L\F"
  std::string laterality;           ///< (0020,0062) Image Laterality, else (0020,0060) Laterality
  std::string study_date, study_time, acquisition_date, content_date;  ///< YYYYMMDD, HHMMSS.FFFFFF
  std::string patient_age;                                             ///< e.g. "045Y"
  std::string patient_sex;                                             ///< e.g. "F"
  std::string patient_birth_date;
  std::string ethnic_group, institution_name, manufacturer;
  std::string body_part, image_type;
  std::string burned_in_annotation;  ///< (0028,0301): "YES", "NO" or ""
  std::string study_description, series_description;
  int overlays = 0;  ///< overlay planes (60xx,0010), C.9.2; they are not drawn
  /// (0020,0032), millimetres, and (0020,0037), the directions of rows and columns, C.7.6.2.
  std::optional<std::array<double, 3>> image_position;
  std::optional<std::array<double, 6>> image_orientation;
};

/// One decoded file. Pixel values are as stored: no modality or VOI step, no colour conversion
/// except what the codec does itself (the YBR_ICT and YBR_RCT of JPEG 2000 come out as RGB).
struct DicomImage {
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t samples = 1;  ///< per pixel, interleaved in `pixels` whatever the planar configuration
  int64_t frames = 1;   ///< in the file; `pixels` holds `frames_read` of them
  int64_t frames_read = 0;
  int bits_allocated = 16;  ///< 8, 16 or 32; packed cells of 1 or 12 bits come out as 8 or 16
  int bits_stored = 16;
  bool is_signed = false;       ///< Pixel Representation 1
  std::string photometric;      ///< of `pixels`, e.g. "MONOCHROME1"
  std::string transfer_syntax;  ///< UID of the file
  std::string decoder;          ///< "dcmtk" or "gdcm"
  std::vector<int32_t> pixels;  ///< frames_read * rows * columns * samples

  double rescale_slope = 1.0;
  double rescale_intercept = 0.0;
  bool is_hounsfield =
      false;  ///< slope and intercept are told, and their Rescale Type is HU or not
  std::optional<LookupTable> modality_lut;  ///< takes the place of slope and intercept
  std::optional<LookupTable> voi_lut;       ///< the first; takes precedence over the window
  std::optional<VoiWindow> window;  ///< absent also if PS3.3 forbids its width (see usable_window)
  bool is_inverse =
      false;  ///< MONOCHROME1 or Presentation LUT Shape INVERSE: low values are bright
  std::optional<std::array<int32_t, 2>>
      padding;  ///< lowest and highest stored value that is padding
  std::optional<std::array<LookupTable, 3>> palette;

  DicomMetadata metadata;
};

enum class DicomDecoder { any, dcmtk, gdcm };

struct DicomReadOptions {
  bool all_frames = false;  ///< else the first only
  /// Whose codecs decompress. `any`: DCMTK's, and GDCM's where those fail. One alone is for
  /// comparing the two.
  DicomDecoder decoder = DicomDecoder::any;
};

/// Reads and decodes one file. Needs a living DicomCodecs; safe to call from several threads.
/// GDCM's codecs, where they are needed, run in a child process (fork), so that an assertion or a
/// hang in them is a reason here. Reasons: not DICOM, damaged, nested too deep, no pixel data,
/// sizes that disagree, over kMaxPixels samples, a layout we do not read (float, four samples, bits
/// allocated other than 1, 8, 12, 16, 32), or both decoders failing, with what each said.
///
/// An enhanced multi-frame image (C.7.6.16) keeps rescale and window in functional groups: those of
/// the first frame are taken, then the shared ones, where the data set itself has none.
Result<DicomImage> read_dicom(const std::filesystem::path& path,
                              const DicomReadOptions& options = {});

/// SHA-256 of the stored values of the frames read, bits_allocated / 8 bytes each, little-endian,
/// samples interleaved.
std::string stored_pixel_sha256(const DicomImage& image);

/// What turned modality values into grey levels.
enum class VoiSource { lut, window, full_range, color };
VoiSource voi_source(const DicomImage& image);

/// False for a window that PS3.3 C.11.2.1.2.1 forbids: not finite, width < 1 (LINEAR) or <= 0 (the
/// others). Such a window counts as absent.
bool usable_window(const VoiWindow& window);

/// PS3.3 C.11.2.1.2.1 (LINEAR), C.11.2.1.3.1 (SIGMOID), C.11.2.1.3.2 (LINEAR_EXACT) with the output
/// range 0..1.
double apply_window(const VoiWindow& window, double value);

/// The first frame as the standard's display pipeline shows it, 8-bit grey:
///   stored value -> Modality LUT or value*slope + intercept (C.11.1) -> VOI LUT, window, or with
///   neither the range of the values present, mapped to y in 0..1 (C.11.2) -> 1 - y if is_inverse
///   (C.11.6, C.7.6.3.1.2) -> floor(255 y + 0.5).
/// Padding pixels (C.7.5.1.1.2) are black and do not count for the range. Colour: palettes applied
/// (C.7.9), YBR to its Y, RGB to BT.601 luma, scaled from bits_stored to 8 bits; no window.
/// Reasons: every pixel has one value, before or after the VOI step; an unknown photometric
/// interpretation.
Result<Image8> render_grayscale(const DicomImage& image);

}  // namespace unirg::image
