// Scaling as Qwen3-VL's published pre-processing does it: smart_resize chooses the size,
// resize_bicubic gives the bytes that Pillow 13 gives for Image.resize(size, BICUBIC) on 8-bit
// images (earlier versions always take the horizontal pass first, which changes a few values of
// pictures that get wider and lower). Depends on base and image.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "image/image.h"

namespace unirg::image {

struct ImageSize {
  int64_t height = 0;
  int64_t width = 0;
  bool operator==(const ImageSize&) const = default;
};

/// The size, a multiple of `factor` on both sides, that an image of height x width is scaled to,
/// with the pixel count between `min_pixels` and `max_pixels` as far as the multiples allow. All
/// arithmetic in double, halves to even. \param factor  patch size times merge size in pixels, e.g.
/// 32; >= 1 \param min_pixels, max_pixels  pixel counts (the configuration's shortest_edge and
/// longest_edge, despite the names) \returns a reason if a side is not positive or one is over 200
/// times the other \see transformers, Qwen2-VL image processing; check:
/// tests/unit/image/resize_test.cc
Result<ImageSize> smart_resize(int64_t height, int64_t width, int64_t factor, int64_t min_pixels,
                               int64_t max_pixels);

/// Antialiased bicubic (a = -0.5), separable, horizontal pass first (vertical, if the picture gets
/// wider and lower) and rounded to 8 bits, weights in 22-bit fixed point: the bytes of Pillow. A
/// side that does not change is not filtered. \param width, height  of the result in pixels, 1 ..
/// 65535 \throws std::logic_error if a size is out of range
Image8 resize_bicubic(const Image8& image, int64_t width, int64_t height);

}  // namespace unirg::image
