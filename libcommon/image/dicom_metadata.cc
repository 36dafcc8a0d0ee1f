// Attributes other than pixels.
// SPDX-License-Identifier: Apache-2.0
#include <dcmtk/config/osconfig.h>
//
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "image/dicom_internal.h"
#include "image/dicom_text.h"

namespace unirg::image::internal {
namespace {

/// A value of a decimal string attribute; empty if absent or not a number.
std::optional<double> number_at(DcmItem& dataset, const DcmTagKey& tag, unsigned long position) {
  OFString value;
  if (dataset.findAndGetOFString(tag, value, position).bad()) return std::nullopt;
  std::string_view text(value.c_str(), value.size());
  while (!text.empty() && (text.front() == ' ' || text.front() == '+')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
  double number = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<double> first_number(DcmItem& dataset, const DcmTagKey& tag) {
  return number_at(dataset, tag, 0);
}

/// All or none of so many finite numbers.
template <size_t N>
std::optional<std::array<double, N>> numbers(DcmItem& dataset, const DcmTagKey& tag) {
  std::array<double, N> values{};
  for (size_t i = 0; i < N; ++i) {
    const auto value = number_at(dataset, tag, i);
    if (!value || !std::isfinite(*value)) return std::nullopt;
    values[i] = *value;
  }
  return values;
}

/// Code value of the first item of View Code Sequence.
std::string view_code(DcmItem& dataset) {
  DcmItem* item = nullptr;
  if (dataset.findAndGetSequenceItem(DCM_ViewCodeSequence, item, 0).bad() || item == nullptr)
    return "";
  return TextReader(*item)(DCM_CodeValue);
}

std::optional<VoiWindow> read_window(DcmItem& dataset) {
  const auto center = first_number(dataset, DCM_WindowCenter);
  const auto width = first_number(dataset, DCM_WindowWidth);
  if (!center || !width) return std::nullopt;
  VoiWindow window{*center, *width, VoiFunction::linear};
  const std::string name = raw_text(dataset, 0x0028, 0x1056);
  if (name == "SIGMOID") window.function = VoiFunction::sigmoid;
  if (name == "LINEAR_EXACT") window.function = VoiFunction::linear_exact;
  if (!usable_window(window)) return std::nullopt;
  return window;
}

std::optional<std::array<int32_t, 2>> read_padding(DcmItem& dataset, bool is_signed) {
  const auto value = raw_word(dataset, DCM_PixelPaddingValue, 0);
  if (!value) return std::nullopt;
  const auto limit = raw_word(dataset, DCM_PixelPaddingRangeLimit, 0);
  const int32_t a = as_int(*value, is_signed);
  const int32_t b = limit ? as_int(*limit, is_signed) : a;
  return std::array<int32_t, 2>{std::min(a, b), std::max(a, b)};
}

/// Where a functional group of the first frame stands: in its own groups or in those of all frames
/// (C.7.6.16.1); nullptr where in neither.
DcmItem* functional_group(DcmItem& dataset, const DcmTagKey& macro) {
  for (const DcmTagKey& groups :
       {DCM_PerFrameFunctionalGroupsSequence, DCM_SharedFunctionalGroupsSequence}) {
    DcmItem* frame = nullptr;
    DcmItem* item = nullptr;
    if (dataset.findAndGetSequenceItem(groups, frame, 0).good() && frame != nullptr &&
        frame->findAndGetSequenceItem(macro, item, 0).good() && item != nullptr) {
      return item;
    }
  }
  return nullptr;
}

/// `number` of the data set, else of the functional group.
std::optional<double> number_of_frame(DcmItem& dataset, DcmItem* group, const DcmTagKey& tag) {
  const auto own = first_number(dataset, tag);
  return own || group == nullptr ? own : first_number(*group, tag);
}

std::string rescale_type_of(DcmItem& group) {
  OFString value;
  return group.findAndGetOFString(DCM_RescaleType, value).good() ? value.c_str() : "";
}

/// Groups 6000, 6002 .. 601E with rows: planes of graphics over the image (C.9.2).
int count_overlays(DcmItem& dataset) {
  int count = 0;
  for (Uint16 group = 0x6000; group <= 0x601E; group = static_cast<Uint16>(group + 2)) {
    if (dataset.tagExistsWithValue(DcmTagKey(group, 0x0010))) ++count;
  }
  return count;
}

}  // namespace

DicomMetadata read_metadata(DcmItem& dataset) {
  TextReader text(dataset);
  DicomMetadata m;
  m.sop_class_uid = text(DCM_SOPClassUID);
  m.sop_instance_uid = text(DCM_SOPInstanceUID);
  m.study_instance_uid = text(DCM_StudyInstanceUID);
  m.series_instance_uid = text(DCM_SeriesInstanceUID);
  m.patient_id = text(DCM_PatientID);
  m.accession_number = text(DCM_AccessionNumber);
  m.modality = text(DCM_Modality);
  m.view_position = text(DCM_ViewPosition);
  m.view_code = view_code(dataset);
  m.patient_orientation = text(DCM_PatientOrientation);
  m.laterality = text(DCM_ImageLaterality);
  if (m.laterality.empty()) m.laterality = text(DCM_Laterality);
  m.study_date = text(DCM_StudyDate);
  m.study_time = text(DCM_StudyTime);
  m.acquisition_date = text(DCM_AcquisitionDate);
  m.content_date = text(DCM_ContentDate);
  m.patient_age = text(DCM_PatientAge);
  m.patient_sex = text(DCM_PatientSex);
  m.patient_birth_date = text(DCM_PatientBirthDate);
  m.ethnic_group = text(DCM_EthnicGroup);
  m.institution_name = text(DCM_InstitutionName);
  m.manufacturer = text(DCM_Manufacturer);
  m.body_part = text(DCM_BodyPartExamined);
  m.image_type = text(DCM_ImageType);
  m.burned_in_annotation = text(DCM_BurnedInAnnotation);
  m.study_description = text(DCM_StudyDescription);
  m.series_description = text(DCM_SeriesDescription);
  m.overlays = count_overlays(dataset);
  m.image_position = numbers<3>(dataset, DCM_ImagePositionPatient);
  m.image_orientation = numbers<6>(dataset, DCM_ImageOrientationPatient);
  return m;
}

Result<DicomImage> with_display_attributes(DcmItem& dataset, DicomImage image) {
  image.metadata = read_metadata(dataset);
  DcmItem* transformation = functional_group(dataset, DCM_PixelValueTransformationSequence);
  const double slope = number_of_frame(dataset, transformation, DCM_RescaleSlope).value_or(1.0);
  const double intercept =
      number_of_frame(dataset, transformation, DCM_RescaleIntercept).value_or(0.0);
  if (!std::isfinite(slope) || !std::isfinite(intercept) || slope == 0.0) {
    return bad_record("rescale slope is zero or not finite");
  }
  // Rescale Type may be absent: of a CT image it then is HU (C.11.1.1.2).
  std::string type = raw_text(dataset, 0x0028, 0x1054);
  if (type.empty() && transformation != nullptr) type = rescale_type_of(*transformation);
  image.is_hounsfield = (type.empty() || type == "HU") &&
                        number_of_frame(dataset, transformation, DCM_RescaleSlope) &&
                        number_of_frame(dataset, transformation, DCM_RescaleIntercept);
  image.rescale_slope = slope;
  image.rescale_intercept = intercept;
  auto modality = read_sequence_table(dataset, DCM_ModalityLUTSequence, image.is_signed);
  if (!modality) return bad_record("modality " + modality.error().reason);
  image.modality_lut = std::move(*modality);
  // C.11.2.1.1: the table's first input is signed where the modality step can give negative values.
  const bool signed_input = !image.modality_lut && (image.is_signed || intercept < 0.0);
  auto voi = read_sequence_table(dataset, DCM_VOILUTSequence, signed_input);
  if (!voi) return bad_record("VOI " + voi.error().reason);
  image.voi_lut = std::move(*voi);
  image.window = read_window(dataset);
  if (DcmItem* frame = functional_group(dataset, DCM_FrameVOILUTSequence);
      frame != nullptr && !image.window) {
    image.window = read_window(*frame);
  }
  image.padding = read_padding(dataset, image.is_signed);
  // DX files say MONOCHROME1 and INVERSE for the same one inversion (C.8.11.1.1.1), hence "or".
  image.is_inverse =
      image.photometric == "MONOCHROME1" || raw_text(dataset, 0x2050, 0x0020) == "INVERSE";
  if (image.photometric == "PALETTE COLOR") {
    auto palette = read_palette(dataset);
    if (!palette) return tl::unexpected(palette.error());
    image.palette = std::move(*palette);
  }
  return image;
}

}  // namespace unirg::image::internal
