// Attributes other than pixels.
// SPDX-License-Identifier: Apache-2.0
#include <dcmtk/config/osconfig.h>
//
#include <dcmtk/dcmdata/dcspchrs.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "image/dicom_internal.h"

namespace unirg::image::internal {
namespace {

/// Length of the valid UTF-8 sequence at `at`, 0 if there is none (RFC 3629: no surrogates, no
/// overlong forms).
size_t utf8_length(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) {
    return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0};
  };
  const auto is_tail = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const uint8_t b = byte(at);
  const uint8_t next = byte(at + 1);
  if (b < 0x80) return 1;
  if (b >= 0xC2 && b <= 0xDF) return is_tail(at + 1) ? 2 : 0;
  if (b >= 0xE0 && b <= 0xEF) {
    if ((b == 0xE0 && next < 0xA0) || (b == 0xED && next > 0x9F)) return 0;
    return is_tail(at + 1) && is_tail(at + 2) ? 3 : 0;
  }
  if (b >= 0xF0 && b <= 0xF4) {
    if ((b == 0xF0 && next < 0x90) || (b == 0xF4 && next > 0x8F)) return 0;
    return is_tail(at + 1) && is_tail(at + 2) && is_tail(at + 3) ? 4 : 0;
  }
  return 0;
}

/// Valid UTF-8 without control characters or surrounding blanks. Bytes that are no UTF-8 become
/// U+FFFD.
std::string clean(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const size_t length = utf8_length(text, i);
    const auto byte = static_cast<uint8_t>(text[i]);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else if (byte >= 0x20 && byte != 0x7F) {
      out += text.substr(i, length);
    } else if (byte == '\t' || byte == '\n' || byte == '\r') {
      out += ' ';
    }
    i += std::max<size_t>(length, 1);
  }
  const size_t first = out.find_first_not_of(' ');
  if (first == out.npos) return {};
  return out.substr(first, out.find_last_not_of(' ') - first + 1);
}

/// Converts by the data set's Specific Character Set (PS3.5 section 6.1.2); set up on the first
/// text that needs it.
class TextReader {
 public:
  explicit TextReader(DcmItem& dataset) : dataset_(dataset) {}

  std::string operator()(const DcmTagKey& tag) {
    OFString value;
    if (dataset_.findAndGetOFStringArray(tag, value).bad()) return {};
    const std::string_view text(value.c_str(), value.size());
    const bool is_plain = std::all_of(text.begin(), text.end(), [](char c) {
      return static_cast<uint8_t>(c) < 0x80 && c != '\x1b';
    });
    if (is_plain || !ready()) return clean(text);
    OFString converted;
    const char* delimiters = tag == DCM_PatientName ? "\\^=" : "\\";
    if (charset_.convertString(value, converted, delimiters).bad()) return clean(text);
    return clean({converted.c_str(), converted.size()});
  }

 private:
  bool ready() {
    if (!tried_) usable_ = charset_.selectCharacterSet(dataset_).good();
    tried_ = true;
    return usable_;
  }
  DcmItem& dataset_;
  DcmSpecificCharacterSet charset_;
  bool tried_ = false;
  bool usable_ = false;
};

/// First value of a decimal string attribute; empty if absent or not a number.
std::optional<double> first_number(DcmItem& dataset, const DcmTagKey& tag) {
  OFString value;
  if (dataset.findAndGetOFString(tag, value, 0).bad()) return std::nullopt;
  std::string_view text(value.c_str(), value.size());
  while (!text.empty() && (text.front() == ' ' || text.front() == '+')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
  double number = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// 16 raw bits of a US, SS or xs attribute.
std::optional<uint16_t> raw_word(DcmItem& item, const DcmTagKey& tag, unsigned long position) {
  DcmElement* element = nullptr;
  if (item.findAndGetElement(tag, element).bad() || element == nullptr) return std::nullopt;
  Uint16 word = 0;
  if (element->getUint16(word, position).good()) return word;
  Sint16 other = 0;
  if (element->getSint16(other, position).good()) return static_cast<uint16_t>(other);
  return std::nullopt;
}

int32_t as_int(uint16_t word, bool is_signed) {
  return is_signed ? static_cast<int16_t>(word) : static_cast<int32_t>(word);
}

/// LUT Descriptor and LUT Data (PS3.3 C.11.1.1.1). Empty optional: no descriptor or no data.
Result<std::optional<LookupTable>> read_table(DcmItem& item, const DcmTagKey& descriptor,
                                              const DcmTagKey& data, bool is_signed) {
  const auto entries = raw_word(item, descriptor, 0);
  const auto first = raw_word(item, descriptor, 1);
  const auto bits = raw_word(item, descriptor, 2);
  const Uint16* words = nullptr;
  unsigned long count = 0;
  const bool has_data = item.findAndGetUint16Array(data, words, &count).good() && count > 0;
  if (!entries || !first || !bits || !has_data) return std::optional<LookupTable>();
  const size_t wanted = *entries == 0 ? 65536 : *entries;
  if (*bits < 1 || *bits > 16) return bad_record("lookup table has an impossible number of bits");
  LookupTable table{as_int(*first, is_signed), *bits, {}};
  if (count >= wanted) {
    table.values.assign(words, words + wanted);
  } else if (count == (wanted + 1) / 2 && *bits <= 8) {  // two 8-bit entries in a word
    for (size_t i = 0; i < wanted; ++i) {
      table.values.push_back(static_cast<uint16_t>((words[i / 2] >> (i % 2 == 0 ? 0 : 8)) & 0xFF));
    }
  } else {
    return bad_record("lookup table is shorter than its descriptor says");
  }
  const uint16_t top = *std::max_element(table.values.begin(), table.values.end());
  while (table.bits < 16 && top >= (1 << table.bits)) ++table.bits;  // descriptors are often wrong
  return std::optional<LookupTable>(std::move(table));
}

Result<std::optional<LookupTable>> read_sequence_table(DcmItem& dataset, const DcmTagKey& sequence,
                                                       bool is_signed) {
  DcmItem* item = nullptr;
  if (dataset.findAndGetSequenceItem(sequence, item, 0).bad() || item == nullptr) {
    return std::optional<LookupTable>();
  }
  return read_table(*item, DCM_LUTDescriptor, DCM_LUTData, is_signed);
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

Result<std::optional<std::array<LookupTable, 3>>> read_palette(DcmItem& dataset) {
  const std::array<std::array<DcmTagKey, 2>, 3> tags{
      {{DCM_RedPaletteColorLookupTableDescriptor, DCM_RedPaletteColorLookupTableData},
       {DCM_GreenPaletteColorLookupTableDescriptor, DCM_GreenPaletteColorLookupTableData},
       {DCM_BluePaletteColorLookupTableDescriptor, DCM_BluePaletteColorLookupTableData}}};
  std::array<LookupTable, 3> palette;
  for (size_t c = 0; c < 3; ++c) {
    auto table = read_table(dataset, tags[c][0], tags[c][1], false);
    if (!table) return bad_record("palette " + table.error().reason);
    if (!*table) return std::optional<std::array<LookupTable, 3>>();
    palette[c] = std::move(**table);
  }
  return std::optional<std::array<LookupTable, 3>>(std::move(palette));
}

}  // namespace

std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 200)) out += c >= 0x20 && c < 0x7F ? c : ' ';
  return out;
}

std::string raw_text(DcmItem& dataset, uint16_t group, uint16_t element) {
  OFString value;
  if (dataset.findAndGetOFStringArray(DcmTagKey(group, element), value).bad()) return {};
  return clean({value.c_str(), value.size()});
}

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
  return m;
}

Result<DicomImage> with_display_attributes(DcmItem& dataset, DicomImage image) {
  image.metadata = read_metadata(dataset);
  const double slope = first_number(dataset, DCM_RescaleSlope).value_or(1.0);
  const double intercept = first_number(dataset, DCM_RescaleIntercept).value_or(0.0);
  if (!std::isfinite(slope) || !std::isfinite(intercept) || slope == 0.0) {
    return bad_record("rescale slope is zero or not finite");
  }
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
