// SPDX-License-Identifier: Apache-2.0
#include "image/dicom.h"

#include <dcmtk/config/osconfig.h>
//
#include <dcmtk/dcmdata/dcistrmb.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <array>
#include <bit>
#include <new>

#include "base/hash.h"
#include "image/dicom_internal.h"

namespace unirg::image {
namespace internal {
namespace {

constexpr const char* kNoMemory = "not enough memory for what the file claims to hold";

/// Where parsing ends.
DcmTagKey end_of(Extent extent) {
  return extent == Extent::header ? DCM_PixelData : DCM_UndefinedTagKey;
}

std::string use_dataset(const OFCondition& status, DcmDataset* dataset,
                        const std::string& transfer_syntax, const UseDataset& use) {
  if (status.bad()) return "cannot read DICOM: " + one_line(status.text());
  if (dataset == nullptr || dataset->card() == 0) return "DICOM data set is empty";
  use(*dataset, transfer_syntax);
  return "";
}

std::string load_file(const std::filesystem::path& path, Extent extent, const UseDataset& use) {
  DcmFileFormat file;
  const OFCondition status = file.loadFileUntilTag(
      path.c_str(), EXS_Unknown, EGL_noChange, DCM_MaxReadLength, ERM_autoDetect, end_of(extent));
  DcmDataset* dataset = file.getDataset();
  const E_TransferSyntax syntax = dataset == nullptr ? EXS_Unknown : dataset->getOriginalXfer();
  return use_dataset(status, dataset, DcmXfer(syntax).getXferID(), use);
}

/// Reads a data set in Explicit VR Little Endian as far as `extent` says.
OFCondition parse_inflated(DcmInputStream& stream, Extent extent, DcmDataset& dataset) {
  dataset.transferInit();
  const OFCondition status = dataset.readUntilTag(stream, EXS_LittleEndianExplicit, EGL_noChange,
                                                  DCM_MaxReadLength, end_of(extent));
  dataset.transferEnd();
  return status;
}

std::string load_inflated(Inflated inflated, Extent extent, const UseDataset& use) {
  DcmInputBufferStream stream;
  stream.setBuffer(inflated.bytes.get(), static_cast<offile_off_t>(inflated.size));
  stream.setEos();
  DcmDataset dataset;
  const OFCondition status = parse_inflated(stream, extent, dataset);
  inflated.bytes.reset();  // DCMTK has copied it
  return use_dataset(status, &dataset, UID_DeflatedExplicitVRLittleEndianTransferSyntax, use);
}

/// False if the header goes on behind the file's beginning, nests deeply, is damaged or too large
/// for the memory.
bool use_head(const std::filesystem::path& path, const UseDataset& use) try {
  const FileHead head = read_head(path);
  if (head.items > kPlainItems) return false;
  DcmInputBufferStream stream;
  stream.setBuffer(head.bytes.data(), static_cast<offile_off_t>(head.bytes.size()));
  if (head.is_whole) stream.setEos();
  DcmFileFormat file;
  DcmDataset& dataset = *file.getDataset();
  if (head.is_inflated) {
    const OFCondition status = parse_inflated(stream, Extent::header, dataset);
    return use_dataset(status, &dataset, UID_DeflatedExplicitVRLittleEndianTransferSyntax, use)
        .empty();
  }
  file.transferInit();
  const OFCondition status = file.readUntilTag(stream, EXS_Unknown, EGL_noChange, DCM_MaxReadLength,
                                               end_of(Extent::header));
  file.transferEnd();
  return use_dataset(status, &dataset, DcmXfer(dataset.getOriginalXfer()).getXferID(), use).empty();
} catch (const std::bad_alloc&) {
  return false;
}

std::string load(const std::filesystem::path& path, FileScan scan, Extent extent,
                 const UseDataset& use) {
  try {
    return scan.inflated ? load_inflated(std::move(*scan.inflated), extent, use)
                         : load_file(path, extent, use);
  } catch (const std::bad_alloc&) {
    return kNoMemory;
  }
}

Result<FileScan> scan_within_memory(const std::filesystem::path& path) {
  try {
    return scan_file(path);
  } catch (const std::bad_alloc&) {
    return bad_record(kNoMemory);
  }
}

}  // namespace

std::string with_dataset(const std::filesystem::path& path, Extent extent, const UseDataset& use) {
  constexpr int64_t kMaxItems = 200'000;
  if (extent == Extent::header && use_head(path, use)) return "";
  auto scan = scan_within_memory(path);
  if (!scan) return scan.error().reason;
  const int64_t items = scan->items;
  if (items > kMaxItems) return "data set has too many nested items";
  if (items <= kPlainItems) return load(path, std::move(*scan), extent, use);
  std::string reason;
  run_with_stack(items, [&] { reason = load(path, std::move(*scan), extent, use); });
  return reason;
}

}  // namespace internal

namespace {

/// Of the values as little-endian words, which is how this machine keeps them.
template <typename Word>
std::string sha256_of(const std::vector<int32_t>& values) {
  static_assert(std::endian::native == std::endian::little);
  Sha256 digest;
  std::array<Word, 1 << 14> words;
  for (size_t i = 0; i < values.size();) {
    const size_t count = std::min(words.size(), values.size() - i);
    for (size_t k = 0; k < count; ++k) words[k] = static_cast<Word>(values[i + k]);
    digest.update({reinterpret_cast<const char*>(words.data()), count * sizeof(Word)});
    i += count;
  }
  return digest.hex();
}

}  // namespace

Result<DicomImage> read_dicom(const std::filesystem::path& path, const DicomReadOptions& options) {
  Result<DicomImage> result = bad_record("");
  const std::string reason = internal::with_dataset(
      path, internal::Extent::whole, [&](DcmDataset& dataset, const std::string& transfer_syntax) {
        result = internal::decode_pixels(dataset, transfer_syntax, options);
        if (result) result = internal::with_display_attributes(dataset, std::move(*result));
      });
  if (!reason.empty()) return bad_record(reason);
  return result;
}

std::string stored_pixel_sha256(const DicomImage& image) {
  switch (image.bits_allocated) {
    case 8:
      return sha256_of<uint8_t>(image.pixels);
    case 16:
      return sha256_of<uint16_t>(image.pixels);
    default:
      return sha256_of<uint32_t>(image.pixels);
  }
}

}  // namespace unirg::image
