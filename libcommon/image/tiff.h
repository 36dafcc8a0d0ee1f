// TIFF and BigTIFF, as a picture. libtiff stays in the source. Depends on image.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.h"
#include "image/image.h"

namespace unirg::image {

/// The first four bytes are those of a TIFF or a BigTIFF, of either byte order.
bool is_tiff(std::string_view bytes);

/// The first page, turned as its Orientation asks: grey (bilevel, 2, 4, 8 and 16 bits, either
/// polarity), RGB of 8 or 16 bits, palettes, YCbCr in JPEG; strips or tiles, planes together or
/// apart, in any compression that libtiff was built with but old-style JPEG. 16 bits are scaled to
/// 8 as of PNG (rounded x*255/65535), alpha and further samples dropped.
///
/// Memory is asked for a band of strips or tiles at a time, so that a header alone gets none.
/// Reasons: damaged, also where libtiff itself would go on (a JPEG or fax that ends early); over
/// kMaxPixels or 1,000,000 a side; a strip or tile of over 256 MiB; another layout: CMYK, Lab,
/// signed or floating samples, 12 or 32 bits, which is named.
Result<Image8> decode_tiff(std::string_view bytes);
/// The same of a file, of which no more is read than it takes.
/// \throws Error(Exit::no_input) for a file that cannot be opened
Result<Image8> read_tiff(const std::filesystem::path& path);

}  // namespace unirg::image
