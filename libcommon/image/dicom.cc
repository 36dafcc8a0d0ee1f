// SPDX-License-Identifier: Apache-2.0
#include "image/dicom.h"

#include <dcmtk/config/osconfig.h>
//
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
  const std::string reason =
      internal::with_dataset(path, internal::Extent::whole, [&](DcmDataset& dataset) {
        result = internal::decode_pixels(dataset, options);
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
