// Where a slide shows tissue, from its thumbnail, and which tiles of it are taken. Plain functions
// of pixels and numbers. Depends on image.h. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "image/image.h"

namespace unirg::image {

/// Saturation of HSV, 0..255: round(255 (max - min) / max), 0 for black.
uint8_t saturation(uint8_t red, uint8_t green, uint8_t blue);

/// The t that parts values <= t from values > t with the largest variance between the two classes,
/// the smallest of equals; nullopt if all values are one.
/// \see N. Otsu, A threshold selection method from gray-level histograms, IEEE Trans. SMC 9 (1979)
std::optional<int> otsu_threshold(const std::array<int64_t, 256>& histogram);

/// One cell a pixel of the thumbnail, row-major.
struct TissueMask {
  int64_t width = 0;
  int64_t height = 0;
  int threshold = 0;            ///< saturation above it is tissue
  std::vector<uint8_t> tissue;  ///< width * height, 1 is tissue
};

/// Tissue is what is more saturated than Otsu's threshold of the thumbnail: glass is grey. The rule
/// of CLAM (Lu et al., Nature Biomedical Engineering 5, 2021) without its median filter and holes.
/// nullopt if the thumbnail has one saturation. \param thumbnail RGB
std::optional<TissueMask> find_tissue(const Image8& thumbnail);

/// A cell of the grid that tiles lie on.
struct TilePlace {
  int64_t column = 0;
  int64_t row = 0;
  double tissue = 0;  ///< share of its mask cells, 0..1
};

/// The cells of a grid over the slide with at least `least` tissue, row by row.
/// \param columns, rows  of whole tiles
/// \param tile_width, tile_height  of a tile in mask cells; a mask cell counts for the tile that
/// its centre lies in, and a tile without one takes the cell that holds its own centre
std::vector<TilePlace> tissue_tiles(const TissueMask& mask, int64_t columns, int64_t rows,
                                    double tile_width, double tile_height, double least);

/// At most `count` of them, evenly spaced in their order: number floor((2k + 1) n / (2 count)) of n
/// for k = 0 .. count - 1.
std::vector<TilePlace> spread(const std::vector<TilePlace>& places, int64_t count);

}  // namespace unirg::image
