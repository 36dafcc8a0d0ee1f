// SPDX-License-Identifier: Apache-2.0
#include "image/tiff.h"

#include <gtest/gtest.h>

#include <array>

#include "io/atomic_file.h"
#include "temp_folder.h"
#include "tiff_builder.h"

namespace unirg::image {
namespace {

/// 37 x 21 with a value of its own at every sample.
TiffPage page_of(int bits, int samples) {
  TiffPage page{.width = 37, .height = 21, .bits = bits, .samples = samples};
  if (samples >= 3) page.photometric = PHOTOMETRIC_RGB;
  page.sample = [bits](int64_t x, int64_t y, int c) {
    const auto v = static_cast<uint32_t>(x * 131 + y * 977 + c * 7919);
    return v & ((1U << bits) - 1);
  };
  return page;
}

uint8_t level(uint32_t v, int bits) {
  const double top = (1U << bits) - 1;
  return static_cast<uint8_t>(static_cast<int>(v * 255 / top + 0.5));
}

/// What a page without palette is read as.
Image8 expected(const TiffPage& page) {
  Image8 image{page.width, page.height, page.samples >= 3 ? 3 : 1, {}};
  for (int64_t y = 0; y < page.height; ++y) {
    for (int64_t x = 0; x < page.width; ++x) {
      for (int c = 0; c < image.channels; ++c) {
        const uint8_t v = level(page.sample(x, y, c), page.bits);
        image.pixels.push_back(
            page.photometric == PHOTOMETRIC_MINISWHITE ? static_cast<uint8_t>(255 - v) : v);
      }
    }
  }
  return image;
}

class OfTiff : public ::testing::Test {
 protected:
  std::string bytes(const TiffPage& page, const char* mode = "w") {
    write_tiff(file(), {page}, mode);
    return io::read_file(file());
  }
  void expect_read(const TiffPage& page, const std::string& what, const char* mode = "w") {
    const std::string stored = bytes(page, mode);
    const auto image = decode_image(stored);
    ASSERT_TRUE(image) << what << ": " << image.error().reason;
    EXPECT_TRUE(*image == expected(page)) << what;
    const auto of_file = read_tiff(file());
    ASSERT_TRUE(of_file) << what;
    EXPECT_TRUE(*of_file == *image) << what;
  }
  std::string reason(const TiffPage& page) {
    const auto image = decode_tiff(bytes(page));
    return image ? "" : image.error().reason;
  }
  [[nodiscard]] std::filesystem::path file() const { return folder_.path() / "x.tif"; }

  testing::TempFolder folder_;
};

TEST_F(OfTiff, every_depth_polarity_and_arrangement_gives_the_pixels_written) {
  for (const int bits : {1, 2, 4, 8, 16}) {
    for (const int photometric : {PHOTOMETRIC_MINISBLACK, PHOTOMETRIC_MINISWHITE}) {
      for (const int64_t tile : {0, 16}) {
        TiffPage page = page_of(bits, 1);
        page.photometric = photometric;
        page.tile = tile;
        expect_read(page,
                    "grey of " + std::to_string(bits) + " bits, tile " + std::to_string(tile));
      }
    }
  }
  for (const int bits : {8, 16}) {
    for (const bool planar : {false, true}) {
      for (const int64_t tile : {0, 32}) {
        TiffPage page = page_of(bits, 3);
        page.is_planar = planar;
        page.tile = tile;
        expect_read(page, "RGB");
      }
    }
  }
}

TEST_F(OfTiff, every_compression_gives_the_pixels_written) {
  for (const int compression : {COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE, COMPRESSION_DEFLATE,
                                COMPRESSION_PACKBITS, COMPRESSION_ZSTD, COMPRESSION_LZMA}) {
    for (const int64_t tile : {0, 16}) {
      TiffPage page = page_of(8, 3);
      page.compression = compression;
      page.tile = tile;
      expect_read(page, "compression " + std::to_string(compression));
    }
  }
  for (const int fax : {COMPRESSION_CCITTFAX3, COMPRESSION_CCITTFAX4, COMPRESSION_CCITTRLE}) {
    TiffPage page = page_of(1, 1);
    page.photometric = PHOTOMETRIC_MINISWHITE;
    page.compression = fax;
    expect_read(page, "fax " + std::to_string(fax));
  }
}

TEST_F(OfTiff, both_byte_orders_and_BigTIFF_are_read) {
  for (const char* mode : {"wl", "wb", "w8", "wb8"}) expect_read(page_of(16, 3), mode, mode);
}

TEST_F(OfTiff, jpeg_in_strips_and_tiles_is_near_what_was_written) {
  for (const int photometric : {PHOTOMETRIC_MINISBLACK, PHOTOMETRIC_RGB, PHOTOMETRIC_YCBCR}) {
    for (const int64_t tile : {0, 16}) {
      TiffPage page{.width = 37, .height = 21};
      page.samples = photometric == PHOTOMETRIC_MINISBLACK ? 1 : 3;
      page.photometric = photometric;
      page.compression = COMPRESSION_JPEG;
      page.tile = tile;
      page.rows_per_strip = 16;
      page.sample = [](int64_t x, int64_t y, int c) {
        return static_cast<uint32_t>(40 + 3 * x + 2 * y + 10 * c);
      };
      const auto image = decode_tiff(bytes(page));
      ASSERT_TRUE(image) << image.error().reason;
      const Image8 wanted = expected(page);
      ASSERT_EQ(image->pixels.size(), wanted.pixels.size());
      // A tile's right edge is padded with black: the ringing of JPEG is large there.
      double sum = 0;
      for (size_t i = 0; i < wanted.pixels.size(); ++i)
        sum += std::abs(int{image->pixels[i]} - int{wanted.pixels[i]});
      EXPECT_LT(sum / static_cast<double>(wanted.pixels.size()), 6) << photometric << " " << tile;
    }
  }
}

TEST_F(OfTiff, palettes_of_sixteen_and_of_eight_bits) {
  for (const uint16_t scale : {257, 1}) {
    TiffPage page = page_of(4, 1);
    page.photometric = PHOTOMETRIC_PALETTE;
    for (uint16_t c = 0; c < 3; ++c) {
      for (uint16_t i = 0; i < 16; ++i)
        page.palette.push_back(static_cast<uint16_t>((i * 10 + c * 50) * scale));
    }
    const auto image = decode_tiff(bytes(page));
    ASSERT_TRUE(image) << image.error().reason;
    ASSERT_EQ(image->channels, 3);
    const uint32_t index = page.sample(5, 3, 0);
    for (uint32_t c = 0; c < 3; ++c)
      EXPECT_EQ(image->pixels[static_cast<size_t>(3 * (3 * 37 + 5)) + c], index * 10 + c * 50);
  }
}

TEST_F(OfTiff, alpha_and_further_samples_are_dropped) {
  for (const bool planar : {false, true}) {
    TiffPage color = page_of(8, 4);
    color.extra_samples = 1;
    color.is_planar = planar;
    expect_read(color, "RGBA");
    TiffPage gray = page_of(16, 2);
    gray.extra_samples = 1;
    gray.is_planar = planar;
    expect_read(gray, "grey and alpha");
  }
}

TEST_F(OfTiff, every_orientation_is_turned_upright) {
  // Stored 3 x 2: a b c / d e f, as rows of the picture seen (TIFF 6.0, Orientation).
  const std::array<std::string, 9> seen{"",         "abc/def",  "cba/fed",  "fed/cba", "def/abc",
                                        "ad/be/cf", "da/eb/fc", "fc/eb/da", "cf/be/ad"};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    TiffPage page{.width = 3, .height = 2, .orientation = orientation};
    page.sample = [](int64_t x, int64_t y, int) { return static_cast<uint32_t>('a' + 3 * y + x); };
    const auto image = decode_tiff(bytes(page));
    ASSERT_TRUE(image);
    std::string rows;
    for (int64_t y = 0; y < image->height; ++y) {
      if (y > 0) rows += '/';
      for (int64_t x = 0; x < image->width; ++x)
        rows += static_cast<char>(image->pixels[static_cast<size_t>(y * image->width + x)]);
    }
    EXPECT_EQ(rows, seen[static_cast<size_t>(orientation)]) << orientation;
  }
}

TEST_F(OfTiff, the_first_of_several_pages_is_read) {
  TiffPage first = page_of(8, 1);
  TiffPage second = page_of(8, 1);
  second.sample = [](int64_t, int64_t, int) { return 7U; };
  write_tiff(file(), {first, second});
  const auto image = read_tiff(file());
  ASSERT_TRUE(image);
  EXPECT_TRUE(*image == expected(first));
}

TEST_F(OfTiff, layouts_that_are_not_read_are_named) {
  TiffPage cmyk = page_of(8, 4);
  cmyk.photometric = PHOTOMETRIC_SEPARATED;
  EXPECT_EQ(reason(cmyk), "TIFF has the unsupported colour space CMYK");
  TiffPage lab = page_of(8, 3);
  lab.photometric = PHOTOMETRIC_CIELAB;
  EXPECT_EQ(reason(lab), "TIFF has the unsupported photometric interpretation 8");
  TiffPage plain = page_of(8, 3);
  plain.photometric = PHOTOMETRIC_RGB;
  std::string twelve = bytes(page_of(8, 1));
  // BitsPerSample (0102, SHORT, one): 8 -> 12.
  const std::string entry("\x02\x01\x03\x00\x01\x00\x00\x00\x08", 9);
  ASSERT_NE(twelve.find(entry), std::string::npos);
  twelve[twelve.find(entry) + 8] = 12;
  EXPECT_EQ(decode_tiff(twelve).error().reason, "TIFF has the unsupported depth of 12 bits");
}

TEST_F(OfTiff, a_file_cut_short_anywhere_is_a_reason_and_not_half_a_picture) {
  for (const int compression : {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE,
                                COMPRESSION_PACKBITS, COMPRESSION_JPEG}) {
    TiffPage page = page_of(8, 1);
    page.compression = compression;
    page.rows_per_strip = 24;
    const std::string whole = bytes(page);
    ASSERT_TRUE(decode_tiff(whole));
    for (size_t length = 0; length < whole.size(); length += 1 + whole.size() / 40) {
      const auto image = decode_tiff(std::string_view(whole).substr(0, length));
      EXPECT_FALSE(image) << compression << ", " << length << " of " << whole.size();
    }
  }
}

TEST_F(OfTiff, a_fax_that_ends_early_is_damaged) {
  TiffPage page = page_of(1, 1);
  page.compression = COMPRESSION_CCITTFAX4;
  page.rows_per_strip = 21;
  std::string stored = bytes(page);
  // StripByteCounts (0117): half of it.
  for (const char* entry :
       {"\x17\x01\x03\x00\x01\x00\x00\x00", "\x17\x01\x04\x00\x01\x00\x00\x00"}) {
    if (const size_t at = stored.find(std::string(entry, 8)); at != std::string::npos) {
      uint16_t count = 0;
      std::memcpy(&count, stored.data() + at + 8, 2);
      count /= 2;
      std::memcpy(stored.data() + at + 8, &count, 2);
    }
  }
  const auto image = decode_tiff(stored);
  ASSERT_FALSE(image);
  EXPECT_NE(image.error().reason.find("damaged TIFF: "), std::string::npos) << image.error().reason;
}

/// A little-endian TIFF of one IFD and nothing else: {tag, type, count, value}.
std::string tiny_tiff(const std::vector<std::array<uint32_t, 4>>& entries) {
  std::string out("II*\0\x08\0\0\0", 8);
  const auto put = [&](uint32_t v, int bytes) {
    for (int b = 0; b < bytes; ++b) out += static_cast<char>(v >> (8 * b));
  };
  put(static_cast<uint32_t>(entries.size()), 2);
  for (const auto& [tag, type, count, value] : entries) {
    put(tag, 2), put(type, 2), put(count, 4), put(value, 4);
  }
  put(0, 4);
  return out + std::string(64, 'x');
}

std::string sized(uint32_t width, uint32_t height, uint32_t rows_per_strip, uint32_t compression) {
  return tiny_tiff({{256, 4, 1, width},
                    {257, 4, 1, height},
                    {258, 3, 1, 8},
                    {259, 3, 1, compression},
                    {262, 3, 1, 1},
                    {273, 4, 1, 8},
                    {277, 3, 1, 1},
                    {278, 4, 1, rows_per_strip},
                    {279, 4, 1, 60}});
}

TEST(HostileTiff, sizes_in_a_header_get_no_memory) {
  const auto reason = [](const std::string& bytes) {
    const auto image = decode_tiff(bytes);
    return image ? std::string() : image.error().reason;
  };
  EXPECT_NE(reason(sized(0xFFFFFFFF, 0xFFFFFFFF, 1, 1)), "");
  EXPECT_EQ(reason(sized(2'000'000, 1, 1, 1)), "TIFF has too many pixels");
  EXPECT_EQ(reason(sized(999'999, 999'999, 1, 1)), "TIFF has too many pixels");
  EXPECT_NE(reason(sized(17'000, 17'000, 17'000, 5)).find("TIFF has a strip of 289000000 bytes"),
            std::string::npos);
  for (const uint32_t compression : {1, 5, 8, 32773, 50000})
    EXPECT_NE(reason(sized(16'000, 16'000, 16'000, compression)).find("damaged TIFF: "),
              std::string::npos)
        << compression;
  EXPECT_NE(reason(sized(0, 16, 16, 1)).find("damaged TIFF: "), std::string::npos);
  EXPECT_EQ(reason(sized(16, 16, 16, 6)), "TIFF has the unsupported compression 6");
  EXPECT_EQ(reason(sized(16, 16, 16, 999)), "TIFF has the unsupported compression 999");
  EXPECT_NE(reason(std::string("II*\0", 4)), "");
  EXPECT_NE(reason(std::string("MM\0*\xFF\xFF\xFF\xFF", 8)), "");
}

TEST(HostileTiff, what_is_absent_is_an_error_of_the_run) {
  EXPECT_THROW((void)read_tiff("/nonexistent/x.tif"), std::runtime_error);
}

TEST(IsTiff, knows_both_byte_orders_and_sizes) {
  for (const char* head : {"II*\0", "MM\0*", "II+\0", "MM\0+"})
    EXPECT_TRUE(is_tiff(std::string_view(head, 4)));
  for (const char* head : {"II*", "IM*\0", "MM*\0", "\x89PNG"})
    EXPECT_FALSE(is_tiff(std::string_view(head, 3 + (head[0] != 'I' || head[1] == 'M'))));
}

}  // namespace
}  // namespace unirg::image
