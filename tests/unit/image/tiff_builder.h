// Small TIFF files of any layout for tests, through libtiff. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <tiffio.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace unirg::image {

/// How a page is written. `sample(x, y, c)` is stored as it is.
struct TiffPage {
  int64_t width = 0, height = 0;
  int bits = 8, samples = 1;
  int photometric = PHOTOMETRIC_MINISBLACK;
  int compression = COMPRESSION_NONE;
  int64_t tile = 0;            ///< a side of its tiles, a multiple of 16; 0: strips
  int64_t rows_per_strip = 5;  ///< a multiple of 8 for JPEG
  bool is_planar = false;
  int orientation = 0;                 ///< 0: not said
  int extra_samples = 0;               ///< of `samples`
  bool is_reduced = false;             ///< a lower level of the page before
  double microns = 0;                  ///< of a pixel, told as resolution; 0: not said
  std::vector<uint16_t> palette = {};  ///< all reds, greens, blues
  std::function<uint32_t(int64_t x, int64_t y, int c)> sample = {};
};

namespace internal {

inline void put_sample(std::vector<uint8_t>& block, size_t row_bytes, int64_t row, int64_t index,
                       int bits, uint32_t value) {
  uint8_t* p = block.data() + row_bytes * static_cast<size_t>(row);
  if (bits == 8) p[index] = static_cast<uint8_t>(value);
  if (bits == 16) reinterpret_cast<uint16_t*>(p)[index] = static_cast<uint16_t>(value);
  if (bits < 8) {
    const int64_t at = index * bits;
    p[at / 8] = static_cast<uint8_t>(p[at / 8] | (value << (8 - bits - at % 8)));
  }
}

inline void set_tags(TIFF* tiff, const TiffPage& page) {
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, static_cast<uint32_t>(page.width));
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, static_cast<uint32_t>(page.height));
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, page.bits);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, page.samples);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, page.photometric);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, page.compression);
  TIFFSetField(tiff, TIFFTAG_PLANARCONFIG,
               page.is_planar ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG);
  if (page.orientation != 0) TIFFSetField(tiff, TIFFTAG_ORIENTATION, page.orientation);
  if (page.photometric == PHOTOMETRIC_YCBCR)
    TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  if (page.is_reduced) TIFFSetField(tiff, TIFFTAG_SUBFILETYPE, FILETYPE_REDUCEDIMAGE);
  if (page.microns > 0) {
    TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_CENTIMETER);
    TIFFSetField(tiff, TIFFTAG_XRESOLUTION, 10000 / page.microns);
    TIFFSetField(tiff, TIFFTAG_YRESOLUTION, 10000 / page.microns);
  }
  const std::vector<uint16_t> extra(static_cast<size_t>(page.extra_samples),
                                    EXTRASAMPLE_UNSPECIFIED);
  if (!extra.empty()) TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, page.extra_samples, extra.data());
  if (!page.palette.empty()) {
    const size_t n = page.palette.size() / 3;
    TIFFSetField(tiff, TIFFTAG_COLORMAP, page.palette.data(), page.palette.data() + n,
                 page.palette.data() + 2 * n);
  }
  if (page.tile > 0) {
    TIFFSetField(tiff, TIFFTAG_TILEWIDTH, static_cast<uint32_t>(page.tile));
    TIFFSetField(tiff, TIFFTAG_TILELENGTH, static_cast<uint32_t>(page.tile));
  } else {
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, static_cast<uint32_t>(page.rows_per_strip));
  }
}

inline void write_page(TIFF* tiff, const TiffPage& page) {
  set_tags(tiff, page);
  const bool tiled = page.tile > 0;
  const int64_t block_width = tiled ? page.tile : page.width;
  const int64_t block_height = tiled ? page.tile : page.rows_per_strip;
  const int planes = page.is_planar ? page.samples : 1;
  const int together = page.is_planar ? 1 : page.samples;
  const auto row_bytes =
      static_cast<size_t>(tiled ? TIFFTileRowSize(tiff) : TIFFScanlineSize(tiff));
  for (int plane = 0; plane < planes; ++plane) {
    for (int64_t y = 0; y < page.height; y += block_height) {
      for (int64_t x = 0; x < page.width; x += block_width) {
        std::vector<uint8_t> block(row_bytes * static_cast<size_t>(block_height));
        const int64_t rows = std::min(block_height, page.height - y);
        for (int64_t r = 0; r < rows; ++r) {
          for (int64_t k = 0; k < std::min(block_width, page.width - x); ++k) {
            for (int c = 0; c < together; ++c)
              put_sample(block, row_bytes, r, k * together + c, page.bits,
                         page.sample(x + k, y + r, plane + c));
          }
        }
        const auto p = static_cast<uint16_t>(plane);
        const tmsize_t written =
            tiled ? TIFFWriteEncodedTile(tiff,
                                         TIFFComputeTile(tiff, static_cast<uint32_t>(x),
                                                         static_cast<uint32_t>(y), 0, p),
                                         block.data(), static_cast<tmsize_t>(block.size()))
                  : TIFFWriteEncodedStrip(
                        tiff, TIFFComputeStrip(tiff, static_cast<uint32_t>(y), p), block.data(),
                        static_cast<tmsize_t>(row_bytes * static_cast<size_t>(rows)));
        EXPECT_GE(written, 0);
      }
    }
  }
  EXPECT_EQ(TIFFWriteDirectory(tiff), 1);
}

}  // namespace internal

/// \param mode of TIFFOpen: "w", "wb" big-endian, "w8" BigTIFF
inline void write_tiff(const std::filesystem::path& path, const std::vector<TiffPage>& pages,
                       const char* mode = "w") {
  TIFF* tiff = TIFFOpen(path.c_str(), mode);
  ASSERT_NE(tiff, nullptr);
  for (const TiffPage& page : pages) internal::write_page(tiff, page);
  TIFFClose(tiff);
}

}  // namespace unirg::image
