// SPDX-License-Identifier: Apache-2.0
#include "image/dicom_write.h"

#include <dcmtk/config/osconfig.h>
//
#include <dcmtk/dcmdata/dcostrmb.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dcrlerp.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmdata/dcwcache.h>
#include <dcmtk/dcmjpeg/djrplol.h>
#include <dcmtk/dcmjpls/djrparam.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/error.h"
#include "base/hash.h"
#include "image/dicom_internal.h"
#include "io/atomic_file.h"

namespace unirg::image {
namespace {

__extension__ using Uint128 = unsigned __int128;

E_TransferSyntax dcmtk_syntax(TransferSyntax syntax) {
  switch (syntax) {
    case TransferSyntax::implicit_le:
      return EXS_LittleEndianImplicit;
    case TransferSyntax::explicit_le:
      return EXS_LittleEndianExplicit;
    case TransferSyntax::deflated:
      return EXS_DeflatedLittleEndianExplicit;
    case TransferSyntax::jpeg_lossless_sv1:
      return EXS_JPEGProcess14SV1;
    case TransferSyntax::jpeg_ls_lossless:
      return EXS_JPEGLSLossless;
    case TransferSyntax::rle:
      return EXS_RLELossless;
  }
  return EXS_Unknown;
}

void check(const OFCondition& status, std::string_view what) {
  if (status.bad()) {
    throw Error(Exit::internal,
                fmt::format("DCMTK cannot {}: {}", what, internal::one_line(status.text())));
  }
}

void check_options(int64_t rows, int64_t columns, const std::vector<uint16_t>& pixels,
                   const DicomWriteOptions& o) {
  const auto require = [](bool condition, std::string_view message) {
    if (!condition) throw Error(Exit::config, std::string(message));
  };
  require(rows >= 1 && rows <= 65535 && columns >= 1 && columns <= 65535,
          "DICOM image size is not 1 to 65535");
  require(static_cast<int64_t>(pixels.size()) == rows * columns,
          "DICOM pixel count does not fit the size");
  require(o.bits_stored == 8 || o.bits_stored == 10 || o.bits_stored == 12 || o.bits_stored == 16,
          "'bits_stored' of a DICOM file is not 8, 10, 12 or 16");
  require(std::all_of(pixels.begin(), pixels.end(),
                      [&](uint16_t v) { return v < (1 << o.bits_stored); }),
          "DICOM pixel value does not fit 'bits_stored'");
  require(!o.study_instance_uid.empty() && !o.series_instance_uid.empty() &&
              !o.sop_instance_uid.empty(),
          "DICOM file without study, series and SOP instance UID");
  require(o.study_instance_uid.size() <= 64 && o.series_instance_uid.size() <= 64 &&
              o.sop_instance_uid.size() <= 64,
          "DICOM UID is longer than 64 characters");
  require(!o.patient_id.empty() && o.patient_id.size() <= 64,
          "'patient_id' of a DICOM file is not 1 to 64 characters");
}

/// Sets text attributes of one item.
class Writer {
 public:
  explicit Writer(DcmItem& item) : item_(item) {}
  void operator()(const DcmTagKey& tag, const std::string& value) {
    check(item_.putAndInsertString(tag, value.c_str()), "set an attribute");
  }
  /// Decimal string, at most 16 characters.
  void number(const DcmTagKey& tag, double value) { (*this)(tag, fmt::format("{:.10g}", value)); }
  void word(const DcmTagKey& tag, int64_t value) {
    check(item_.putAndInsertUint16(tag, static_cast<Uint16>(value)), "set an attribute");
  }
  void signed_word(const DcmTagKey& tag, int value) {
    check(item_.putAndInsertSint16(tag, static_cast<Sint16>(value)), "set an attribute");
  }
  void empty_sequence(const DcmTagKey& tag) {
    check(item_.insert(new DcmSequenceOfItems(tag), OFTrue), "set a sequence");
  }
  void code(const DcmTagKey& tag, const char* value, const char* scheme, const char* meaning) {
    DcmItem* item = nullptr;
    check(item_.findOrCreateSequenceItem(tag, item, 0), "set a sequence");
    Writer inner(*item);
    inner(DCM_CodeValue, value);
    inner(DCM_CodingSchemeDesignator, scheme);
    inner(DCM_CodeMeaning, meaning);
  }

 private:
  DcmItem& item_;
};

/// Patient, General Study, Patient Study, General Series, General Equipment, SOP Common (PS3.3 C.7,
/// C.12.1).
void put_common(Writer& put, const DicomWriteOptions& o) {
  const bool is_dx = o.modality == DicomModality::dx;
  put(DCM_SpecificCharacterSet, "ISO_IR 192");
  put(DCM_SOPClassUID,
      is_dx ? UID_DigitalXRayImageStorageForPresentation : UID_ComputedRadiographyImageStorage);
  put(DCM_SOPInstanceUID, o.sop_instance_uid);
  put(DCM_PatientName, o.patient_name);
  put(DCM_PatientID, o.patient_id);
  put(DCM_PatientBirthDate, o.patient_birth_date);
  put(DCM_PatientSex, o.patient_sex);
  if (!o.patient_age.empty()) put(DCM_PatientAge, o.patient_age);
  if (!o.ethnic_group.empty()) put(DCM_EthnicGroup, o.ethnic_group);
  put(DCM_StudyInstanceUID, o.study_instance_uid);
  put(DCM_StudyDate, o.study_date);
  put(DCM_StudyTime, o.study_time);
  put(DCM_ReferringPhysicianName, "");
  put(DCM_StudyID, "");
  put(DCM_AccessionNumber, o.accession_number);
  if (!o.study_description.empty()) put(DCM_StudyDescription, o.study_description);
  put(DCM_Modality, is_dx ? "DX" : "CR");
  put(DCM_SeriesInstanceUID, o.series_instance_uid);
  put(DCM_SeriesNumber, o.series_number);
  if (!o.series_description.empty()) put(DCM_SeriesDescription, o.series_description);
  put(DCM_Manufacturer, o.manufacturer);
  if (!o.institution_name.empty()) put(DCM_InstitutionName, o.institution_name);
}

/// General Image, CR Series and CR Image (C.8.1) or DX Series, DX Anatomy Imaged, DX Image, DX
/// Detector (C.8.11).
void put_image(Writer& put, const DicomWriteOptions& o) {
  put(DCM_ImageType, "ORIGINAL\\PRIMARY");
  put(DCM_InstanceNumber, o.instance_number);
  put(DCM_PatientOrientation, o.patient_orientation);
  put(DCM_ContentDate, o.study_date);
  put(DCM_ContentTime, o.study_time);
  if (!o.study_date.empty()) put(DCM_AcquisitionDate, o.study_date);
  put(DCM_BodyPartExamined, o.body_part);
  put(DCM_ViewPosition, o.view_position);
  put(DCM_BurnedInAnnotation, "NO");
  put(DCM_LossyImageCompression, "00");
  const std::string spacing = fmt::format("{0:.6g}\\{0:.6g}", o.pixel_spacing_mm);
  put(DCM_ImagerPixelSpacing, spacing);
  put(DCM_PresentationLUTShape, o.is_monochrome1 ? "INVERSE" : "IDENTITY");
  if (o.modality == DicomModality::cr) return;
  put(DCM_ImageType, "ORIGINAL\\PRIMARY\\");
  put(DCM_PresentationIntentType, "FOR PRESENTATION");
  put(DCM_ImageLaterality, "U");
  put.code(DCM_AnatomicRegionSequence, "51185008", "SCT", "Chest");
  put(DCM_PixelIntensityRelationship, "LOG");
  // C.8.11.3.1.2: -1 where less X-ray intensity gives higher values, as bone does in MONOCHROME2.
  put.signed_word(DCM_PixelIntensityRelationshipSign, o.is_monochrome1 ? 1 : -1);
  put(DCM_DetectorType, "DIRECT");
  put.empty_sequence(DCM_AcquisitionContextSequence);
  const bool is_ap = o.view_position == "AP";
  if (is_ap || o.view_position == "PA") {
    put.code(DCM_ViewCodeSequence, is_ap ? "399348003" : "399267000", "SCT",
             is_ap ? "antero-posterior" : "postero-anterior");
  }
}

/// Modality and VOI steps. DX requires both; see DicomWriteOptions.
void put_display(Writer& put, const DicomWriteOptions& o) {
  const bool is_dx = o.modality == DicomModality::dx;
  if (o.rescale || is_dx) {
    const RescaleAttributes rescale = o.rescale.value_or(RescaleAttributes{});
    put.number(DCM_RescaleIntercept, rescale.intercept);
    put.number(DCM_RescaleSlope, rescale.slope);
    put(DCM_RescaleType, "US");
  }
  if (o.window || is_dx) {
    const double levels = static_cast<double>(1 << o.bits_stored);
    const WindowAttributes window = o.window.value_or(WindowAttributes{levels / 2, levels, ""});
    put.number(DCM_WindowCenter, window.center);
    put.number(DCM_WindowWidth, window.width);
    if (!window.function.empty()) put(DCM_VOILUTFunction, window.function);
  }
}

void put_pixels(Writer& put, DcmItem& dataset, int64_t rows, int64_t columns,
                const std::vector<uint16_t>& pixels, const DicomWriteOptions& o) {
  put.word(DCM_SamplesPerPixel, 1);
  put(DCM_PhotometricInterpretation, o.is_monochrome1 ? "MONOCHROME1" : "MONOCHROME2");
  put.word(DCM_Rows, rows);
  put.word(DCM_Columns, columns);
  put.word(DCM_BitsAllocated, o.bits_stored == 8 ? 8 : 16);
  put.word(DCM_BitsStored, o.bits_stored);
  put.word(DCM_HighBit, o.bits_stored - 1);
  put.word(DCM_PixelRepresentation, 0);
  if (o.bits_stored == 8) {
    std::vector<Uint8> bytes(pixels.size() + pixels.size() % 2, 0);
    std::transform(pixels.begin(), pixels.end(), bytes.begin(),
                   [](uint16_t v) { return static_cast<Uint8>(v); });
    check(dataset.putAndInsertUint8Array(DCM_PixelData, bytes.data(), bytes.size()),
          "set pixel data");
  } else {
    check(dataset.putAndInsertUint16Array(DCM_PixelData, pixels.data(), pixels.size()),
          "set pixel data");
  }
}

/// DCMTK's JPEG encoder pads a fragment of odd length with whatever its buffer held; after the end
/// of image marker (FF D9) that byte is made zero, so that equal pictures give equal files.
void clear_fragment_padding(DcmDataset& dataset) {
  DcmElement* element = nullptr;
  check(dataset.findAndGetElement(DCM_PixelData, element), "find the pixel data");
  auto* pixels = dynamic_cast<DcmPixelData*>(element);
  if (pixels == nullptr) throw Error(Exit::internal, "DCMTK lost the pixel data");
  E_TransferSyntax current = EXS_Unknown;
  const DcmRepresentationParameter* parameter = nullptr;
  DcmPixelSequence* fragments = nullptr;
  pixels->getCurrentRepresentationKey(current, parameter);
  check(pixels->getEncapsulatedRepresentation(current, parameter, fragments), "find the fragments");
  for (unsigned long i = 1; i < fragments->card(); ++i) {  // 0 is the offset table
    DcmPixelItem* fragment = nullptr;
    Uint8* bytes = nullptr;
    check(fragments->getItem(fragment, i), "find a fragment");
    check(fragment->getUint8Array(bytes), "read a fragment");
    const Uint32 n = fragment->getLength();
    if (n >= 3 && bytes[n - 3] == 0xFF && bytes[n - 2] == 0xD9) bytes[n - 1] = 0;
  }
}

void compress(DcmDataset& dataset, E_TransferSyntax syntax) {
  std::unique_ptr<DcmRepresentationParameter> parameter;
  if (syntax == EXS_JPEGProcess14SV1) {
    parameter = std::make_unique<DJ_RPLossless>();
  } else if (syntax == EXS_JPEGLSLossless) {
    parameter = std::make_unique<DJLSRepresentationParameter>(0, OFTrue);
  } else if (syntax == EXS_RLELossless) {
    parameter = std::make_unique<DcmRLERepresentationParameter>();
  }
  check(dataset.chooseRepresentation(syntax, parameter.get()), "compress pixel data");
  if (!dataset.canWriteXfer(syntax)) {
    throw Error(Exit::internal, "DCMTK cannot write the chosen transfer syntax");
  }
  if (syntax == EXS_JPEGProcess14SV1 || syntax == EXS_JPEGLSLossless) {
    clear_fragment_padding(dataset);
  }
}

/// The file's bytes, drained from DCMTK's fixed buffer as it fills.
std::string serialise(DcmFileFormat& file, E_TransferSyntax syntax) {
  std::vector<char> buffer(size_t{1} << 16);
  DcmOutputBufferStream stream(buffer.data(), static_cast<offile_off_t>(buffer.size()));
  std::string bytes;
  const auto drain = [&] {
    void* data = nullptr;
    offile_off_t length = 0;
    stream.flushBuffer(data, length);
    bytes.append(static_cast<const char*>(data), static_cast<size_t>(length));
  };
  DcmWriteCache cache;
  file.transferInit();
  OFCondition status = EC_StreamNotifyClient;
  while (status == EC_StreamNotifyClient) {
    status = file.write(stream, syntax, EET_ExplicitLength, &cache, EGL_recalcGL);
    drain();
  }
  file.transferEnd();
  check(status, "write the file");
  while (!stream.isFlushed()) {  // the deflate filter holds back its last bytes
    stream.flush();
    drain();
  }
  drain();
  return bytes;
}

}  // namespace

std::string_view transfer_syntax_uid(TransferSyntax syntax) {
  return DcmXfer(dcmtk_syntax(syntax)).getXferID();
}

std::string write_dicom(const std::filesystem::path& path, int64_t rows, int64_t columns,
                        const std::vector<uint16_t>& pixels, const DicomWriteOptions& options) {
  check_options(rows, columns, pixels, options);
  DcmFileFormat file;
  DcmDataset& dataset = *file.getDataset();
  Writer put(dataset);
  put_common(put, options);
  put_image(put, options);
  put_display(put, options);
  put_pixels(put, dataset, rows, columns, pixels, options);
  const E_TransferSyntax syntax = dcmtk_syntax(options.transfer_syntax);
  compress(dataset, syntax);
  const std::string bytes = serialise(file, syntax);
  io::AtomicFile out(path);
  out.write(bytes);
  out.commit();
  return out.sha256();
}

std::string deterministic_uid(std::string_view name) {
  const std::string hex = sha256_hex(name).substr(0, 32);
  Uint128 value = 0;
  for (const char c : hex)
    value = value << 4 | static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
  // RFC 9562: version 8 (bits 76..79) and variant 10 (bits 62..63).
  value = (value & ~(Uint128{0xF} << 76)) | Uint128{0x8} << 76;
  value = (value & ~(Uint128{0x3} << 62)) | Uint128{0x2} << 62;
  std::string digits;
  for (; value > 0; value /= 10) digits += static_cast<char>('0' + static_cast<int>(value % 10));
  std::reverse(digits.begin(), digits.end());
  return "2.25." + digits;
}

}  // namespace unirg::image
