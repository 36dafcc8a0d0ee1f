// SPDX-License-Identifier: Apache-2.0
#include "image/dicom.h"

#include <dcmtk/config/osconfig.h>
//
#include <dcmtk/dcmdata/dctk.h>

#include <new>

#include "base/hash.h"
#include "image/dicom_internal.h"

namespace unirg::image {
namespace internal {
namespace {

std::string load(const std::filesystem::path& path, Extent extent,
                 const std::function<void(DcmDataset&)>& use) {
  try {
    DcmFileFormat file;
    const OFCondition status = file.loadFileUntilTag(
        path.c_str(), EXS_Unknown, EGL_noChange, DCM_MaxReadLength, ERM_autoDetect,
        extent == Extent::header ? DCM_PixelData : DCM_UndefinedTagKey);
    if (status.bad()) return "cannot read DICOM: " + one_line(status.text());
    DcmDataset* dataset = file.getDataset();
    if (dataset == nullptr || dataset->card() == 0) return "DICOM data set is empty";
    use(*dataset);
    return "";
  } catch (const std::bad_alloc&) {
    return "not enough memory for what the file claims to hold";
  }
}

}  // namespace

std::string with_dataset(const std::filesystem::path& path, Extent extent,
                         const std::function<void(DcmDataset&)>& use) {
  // Parsed on this thread's stack up to the first limit, on a larger one up to the second.
  constexpr int64_t kPlainItems = 500;
  constexpr int64_t kMaxItems = 200'000;
  const auto items = count_items(path);
  if (!items) return items.error().reason;
  if (*items > kMaxItems) return "data set has too many nested items";
  if (*items <= kPlainItems) return load(path, extent, use);
  std::string reason;
  run_with_stack(*items, [&] { reason = load(path, extent, use); });
  return reason;
}

}  // namespace internal

Result<DicomImage> read_dicom(const std::filesystem::path& path, const DicomReadOptions& options) {
  Result<DicomImage> result = bad_record("");
  const std::string reason =
      internal::with_dataset(path, internal::Extent::whole, [&](DcmDataset& dataset) {
        result = internal::decode_pixels(dataset, options);
        if (result) result = internal::with_display_attributes(dataset, std::move(*result));
      });
  if (!reason.empty()) return bad_record(reason);
  return result;
}

std::string stored_pixel_sha256(const DicomImage& image) {
  Sha256 digest;
  const int width = image.bits_allocated / 8;
  std::string bytes;
  constexpr size_t kBlock = 1 << 16;
  for (size_t i = 0; i < image.pixels.size();) {
    bytes.clear();
    for (const size_t end = std::min(i + kBlock, image.pixels.size()); i < end; ++i) {
      const auto value = static_cast<uint32_t>(image.pixels[i]);
      for (int b = 0; b < width; ++b) bytes += static_cast<char>(value >> (8 * b) & 0xFF);
    }
    digest.update(bytes);
  }
  return digest.hex();
}

}  // namespace unirg::image
