// An 8-bit picture in memory, and PNG and JPEG bytes from and to it. Depends on base; libpng and
// libjpeg-turbo stay in the sources. Bytes that do not decode are a Result with a reason, whatever
// they are: nothing here throws on input. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace unirg::image {

/// More pixels than any radiograph or whole-slide level we read at once; larger sizes in a header
/// are refused before memory is asked for.
inline constexpr int64_t kMaxPixels = 300'000'000;

/// Row-major, channels interleaved: the sample of channel c at column x, row y is pixels[(y*width +
/// x)*channels + c].
struct Image8 {
  int64_t width = 0;
  int64_t height = 0;
  int64_t channels = 1;         ///< 1 grey, 3 RGB
  std::vector<uint8_t> pixels;  ///< width * height * channels, 0..255
  bool operator==(const Image8&) const = default;
};

/// Same picture with three equal channels; an RGB image is returned as it is.
Image8 to_rgb(const Image8& image);
/// Luma of ITU-R BT.601, rounded: (299 R + 587 G + 114 B + 500) / 1000. A grey image is returned as
/// it is.
Image8 to_gray(const Image8& image);

/// PNG, 8 bits a sample, grey or RGB, no ancillary chunk. The bytes depend on the pixels and the
/// zlib and libpng builds only: level 6, filter Paeth on every row, fixed window and strategy.
/// \throws std::logic_error if the sizes of `image` disagree
std::string encode_png(const Image8& image);

/// Any PNG: 16 bits are scaled to 8 (rounded x*255/65535), palettes expanded, alpha and tRNS
/// dropped, gamma ignored.
Result<Image8> decode_png(std::string_view bytes);
/// Baseline or progressive JPEG, grey or YCbCr/RGB; CMYK is refused. A file that ends early is an
/// error, not half grey.
Result<Image8> decode_jpeg(std::string_view bytes);
/// decode_png or decode_jpeg, by the first bytes.
Result<Image8> decode_image(std::string_view bytes);

}  // namespace unirg::image
