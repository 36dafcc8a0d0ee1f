// SPDX-License-Identifier: Apache-2.0
#include "image/dicom.h"

#include <dcmtk/config/osconfig.h>
//
#include <dcmtk/dcmdata/dctk.h>

#include <new>

#include "base/hash.h"
#include "image/dicom_internal.h"

namespace unirg::image {
namespace {

Result<DicomImage> parse(const std::filesystem::path& path, const DicomReadOptions& options) {
  try {
    DcmFileFormat file;
    const OFCondition status = file.loadFile(path.c_str());
    if (status.bad()) {
      return bad_record("cannot read DICOM: " + internal::one_line(status.text()));
    }
    DcmDataset* dataset = file.getDataset();
    if (dataset == nullptr || dataset->card() == 0) return bad_record("DICOM data set is empty");
    auto image = internal::decode_pixels(*dataset, options);
    if (!image) return image;
    return internal::with_display_attributes(*dataset, std::move(*image));
  } catch (const std::bad_alloc&) {
    return bad_record("not enough memory for what the file claims to hold");
  }
}

}  // namespace

Result<DicomImage> read_dicom(const std::filesystem::path& path, const DicomReadOptions& options) {
  // Parsed on this thread's stack up to the first limit, on a larger one up to the second.
  constexpr int64_t kPlainItems = 500;
  constexpr int64_t kMaxItems = 200'000;
  const auto items = internal::count_items(path);
  if (!items) return tl::unexpected(items.error());
  if (*items > kMaxItems) return bad_record("data set has too many nested items");
  if (*items <= kPlainItems) return parse(path, options);
  Result<DicomImage> result = bad_record("");
  internal::run_with_stack(*items, [&] { result = parse(path, options); });
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
