// Whole slides as tiles of tissue, through OpenSlide, in a child process. Depends on image.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/result.h"
#include "image/image.h"

namespace unirg::image {

struct TileOptions {
  int64_t count = 16;   ///< at most; 1 or more
  int64_t size = 512;   ///< pixels of a side, 16 .. 4096
  double mpp = 0.5;     ///< microns of a pixel; 0: the pixels of level 0, whatever their size
  double tissue = 0.5;  ///< least share of a tile
};

struct SlideTile {
  Image8 image;                   ///< RGB, size x size
  int64_t x = 0, y = 0;           ///< of its upper left corner, in pixels of level 0
  int64_t width = 0, height = 0;  ///< in pixels of level 0
  int64_t level = 0;              ///< that it was read from
  double mpp = 0;                 ///< microns of its pixels, 0 where the slide does not say
  double tissue = 0;              ///< share
};

/// A file that OpenSlide recognises; of TIFF files without a maker's marks those with tiles and two
/// levels or more, or more than kMaxPixels pixels: others are pictures. False also for what cannot
/// be opened. Reasons: OpenSlide crashed or hung, in the child process that looks.
Result<bool> is_slide(const std::filesystem::path& path);

/// False for the formats that are several files (.mrxs, .vms, .vmu).
bool is_one_file(const std::filesystem::path& path);

/// Tiles of a slide, row by row. A grid of whole tiles lies over level 0 from its upper left
/// corner; tiles with enough tissue (find_tissue of a thumbnail of 2,048 pixels at most) are
/// candidates, of which spread() takes `count`. Each is read from the level that OpenSlide chooses
/// for the wanted resolution, over white where the slide is transparent, and scaled with
/// resize_bicubic.
///
/// The resolution of level 0 is openslide.mpp-x and mpp-y, else 10 over openslide.objective-power,
/// else that of the tags of a TIFF.
/// \param take  is given each tile
/// \returns how many candidates there were. Reasons: not readable; no resolution while `mpp` asks
/// for one; a slide coarser than that by more than a tenth; smaller than a tile; without tissue;
/// without a level near enough to find tissue on (2^30 pixels) or to read a tile from (2^26);
/// OpenSlide crashed or took over half an hour, in the child process that reads.
/// `take` may have been called before one.
Result<int64_t> read_tiles(const std::filesystem::path& path, const TileOptions& options,
                           const std::function<void(SlideTile)>& take);

}  // namespace unirg::image
