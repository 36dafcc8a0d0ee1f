// GDCM as a second set of codecs: it gets the fragments that DCMTK found and never parses a file itself.
// SPDX-License-Identifier: Apache-2.0
#include <gdcmBitmap.h>
#include <gdcmSequenceOfFragments.h>

#include <exception>

#include "image/dicom_internal.h"

namespace unirg::image::internal {
namespace {

std::vector<uint8_t> decode(const gdcm::Bitmap& bitmap, size_t expected, std::string& problem) {
  if (bitmap.GetBufferLength() != expected) {
    problem = "sizes disagree";
    return {};
  }
  std::vector<uint8_t> bytes(expected);
  if (!bitmap.GetBuffer(reinterpret_cast<char*>(bytes.data()))) {
    problem = "its codec failed";
    return {};
  }
  return bytes;
}

}  // namespace

Result<std::vector<uint8_t>> gdcm_decode_frame(const DicomImage& header,
                                               const std::vector<std::string_view>& fragments,
                                               int high_bit) {
  try {
    const auto syntax = gdcm::TransferSyntax::GetTSType(header.transfer_syntax.c_str());
    const auto photometric =
        gdcm::PhotometricInterpretation::GetPIType(header.photometric.c_str());
    if (syntax == gdcm::TransferSyntax::TS_END) return bad_record("unknown transfer syntax");
    if (photometric == gdcm::PhotometricInterpretation::PI_END) {
      return bad_record("unknown photometric interpretation");
    }
    gdcm::Bitmap bitmap;
    bitmap.SetTransferSyntax(syntax);
    bitmap.SetNumberOfDimensions(2);
    bitmap.SetDimension(0, static_cast<unsigned>(header.columns));
    bitmap.SetDimension(1, static_cast<unsigned>(header.rows));
    bitmap.SetPixelFormat(gdcm::PixelFormat(
        static_cast<uint16_t>(header.samples), static_cast<uint16_t>(header.bits_allocated),
        static_cast<uint16_t>(header.bits_stored), static_cast<uint16_t>(high_bit),
        header.is_signed ? 1 : 0));
    bitmap.SetPhotometricInterpretation(photometric);
    gdcm::SmartPointer<gdcm::SequenceOfFragments> sequence = new gdcm::SequenceOfFragments;
    for (const std::string_view bytes : fragments) {
      gdcm::Fragment fragment;
      fragment.SetByteValue(bytes.data(), gdcm::VL(static_cast<uint32_t>(bytes.size())));
      sequence->AddFragment(fragment);
    }
    gdcm::DataElement pixels(gdcm::Tag(0x7fe0, 0x0010));
    pixels.SetVR(gdcm::VR::OB);
    pixels.SetValue(*sequence);
    bitmap.SetDataElement(pixels);
    const auto expected = static_cast<size_t>(header.rows * header.columns * header.samples *
                                              (header.bits_allocated / 8));
    std::string problem;
    std::vector<uint8_t> bytes = decode(bitmap, expected, problem);
    if (!problem.empty()) return bad_record(problem);
    return bytes;
  } catch (const std::exception& error) {
    return bad_record(one_line(error.what()));
  }
}

}  // namespace unirg::image::internal
