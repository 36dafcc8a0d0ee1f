// SPDX-License-Identifier: Apache-2.0
#include "image/slide.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "io/atomic_file.h"
#include "temp_folder.h"
#include "tiff_builder.h"

namespace unirg::image {
namespace {

/// Glass with tissue in columns 256 .. 767 of rows 256 .. 511, red rising with the column of tiles
/// of 128 and green with their row. \param shrink  of a lower level
TiffPage slide_page(int64_t shrink, double microns = 0.5) {
  TiffPage page{.width = 1024 / shrink, .height = 768 / shrink, .bits = 8, .samples = 3};
  page.photometric = PHOTOMETRIC_RGB;
  page.compression = COMPRESSION_ADOBE_DEFLATE;
  page.tile = 64;
  page.is_reduced = shrink > 1;
  page.microns = microns;
  page.sample = [shrink](int64_t x, int64_t y, int c) {
    const int64_t column = x * shrink / 128;
    const int64_t row = y * shrink / 128;
    const bool tissue = column >= 2 && column < 6 && row >= 2 && row < 4;
    if (!tissue) return 240U;
    return static_cast<uint32_t>(c == 0 ? 200 + column : c == 1 ? 60 + row : 140);
  };
  return page;
}

class OfSlide : public ::testing::Test {
 protected:
  void make(const std::vector<TiffPage>& pages) { write_tiff(file(), pages); }
  void make_pyramid() { make({slide_page(1), slide_page(4)}); }
  Result<std::vector<SlideTile>> tiles(const TileOptions& options) {
    std::vector<SlideTile> all;
    const auto count =
        read_tiles(file(), options, [&](SlideTile t) { all.push_back(std::move(t)); });
    if (!count) return tl::unexpected(count.error());
    candidates_ = *count;
    return all;
  }
  std::string reason(const TileOptions& options) {
    const auto all = tiles(options);
    return all ? "" : all.error().reason;
  }
  [[nodiscard]] std::filesystem::path file() const { return folder_.path() / "slide.tif"; }

  testing::TempFolder folder_;
  int64_t candidates_ = 0;
};

TEST_F(OfSlide, tiles_of_tissue_come_row_by_row_with_their_pixels) {
  make_pyramid();
  const auto all = tiles({.count = 100, .size = 128, .mpp = 0.5});
  ASSERT_TRUE(all) << all.error().reason;
  EXPECT_EQ(candidates_, 8);
  ASSERT_EQ(all->size(), 8U);
  for (size_t i = 0; i < all->size(); ++i) {
    const SlideTile& tile = (*all)[i];
    const auto column = static_cast<int64_t>(2 + i % 4);
    const auto row = static_cast<int64_t>(2 + i / 4);
    EXPECT_EQ(tile.x, column * 128);
    EXPECT_EQ(tile.y, row * 128);
    EXPECT_EQ(tile.width, 128);
    EXPECT_EQ(tile.level, 0);
    EXPECT_EQ(tile.mpp, 0.5);
    EXPECT_EQ(tile.tissue, 1);
    ASSERT_EQ(tile.image.pixels.size(), 128U * 128 * 3);
    EXPECT_EQ(tile.image.pixels[0], 200 + column);
    EXPECT_EQ(tile.image.pixels[1], 60 + row);
    EXPECT_EQ(tile.image.pixels[2], 140);
  }
}

TEST_F(OfSlide, a_count_takes_evenly_spaced_ones) {
  make_pyramid();
  const auto all = tiles({.count = 2, .size = 128, .mpp = 0.5});
  ASSERT_TRUE(all);
  EXPECT_EQ(candidates_, 8);
  ASSERT_EQ(all->size(), 2U);  // of 8 numbers 2 and 6
  EXPECT_EQ((*all)[0].x, 4 * 128);
  EXPECT_EQ((*all)[0].y, 2 * 128);
  EXPECT_EQ((*all)[1].x, 4 * 128);
  EXPECT_EQ((*all)[1].y, 3 * 128);
}

TEST_F(OfSlide, a_coarser_resolution_is_scaled_from_the_level_that_is_near) {
  make_pyramid();
  const auto half = tiles({.count = 100, .size = 128, .mpp = 1.0});
  ASSERT_TRUE(half) << half.error().reason;
  ASSERT_EQ(half->size(), 2U);
  EXPECT_EQ((*half)[0].width, 256);
  EXPECT_EQ((*half)[0].level, 0);
  EXPECT_EQ((*half)[0].mpp, 1.0);
  const auto quarter = tiles({.count = 100, .size = 64, .mpp = 2.0});
  ASSERT_TRUE(quarter);
  ASSERT_EQ(quarter->size(), 2U);
  EXPECT_EQ((*quarter)[0].width, 256);
  EXPECT_EQ((*quarter)[0].level, 1);
  EXPECT_EQ((*quarter)[0].image.width, 64);
  EXPECT_EQ((*quarter)[0].image.pixels[0], 202);
}

TEST_F(OfSlide, the_same_tiles_each_time) {
  make_pyramid();
  const auto one = tiles({.count = 5, .size = 100, .mpp = 0.7});
  const auto two = tiles({.count = 5, .size = 100, .mpp = 0.7});
  ASSERT_TRUE(one && two);
  ASSERT_EQ(one->size(), two->size());
  for (size_t i = 0; i < one->size(); ++i) EXPECT_TRUE((*one)[i].image == (*two)[i].image);
}

TEST_F(OfSlide, what_cannot_be_is_a_reason) {
  make_pyramid();
  EXPECT_EQ(reason({.size = 128, .mpp = 0.25}),
            "slide has 0.5 microns per pixel, too coarse for 0.25");
  EXPECT_EQ(reason({.size = 1024, .mpp = 0.5}), "slide is smaller than a tile");
  EXPECT_EQ(reason({.size = 128, .mpp = 1e300}), "slide is smaller than a tile");
  make({slide_page(1, 0), slide_page(4, 0)});
  EXPECT_EQ(reason({.size = 128, .mpp = 0.5}),
            "slide does not say how large its pixels are (hint: --slide-mpp 0 takes them as they "
            "are)");
  const auto as_it_is = tiles({.count = 100, .size = 128, .mpp = 0});
  ASSERT_TRUE(as_it_is);
  EXPECT_EQ(as_it_is->size(), 8U);
  EXPECT_EQ(as_it_is->front().mpp, 0);
}

TEST_F(OfSlide, glass_alone_has_no_tissue) {
  TiffPage glass = slide_page(1);
  TiffPage small = slide_page(4);
  glass.sample = small.sample = [](int64_t, int64_t, int) { return 240U; };
  make({glass, small});
  EXPECT_EQ(reason({.size = 128}), "slide shows no tissue: its thumbnail has one saturation");
  // A line of it is too little for any tile.
  glass.sample = [](int64_t x, int64_t, int c) { return x < 20 && c == 0 ? 255U : 240U; };
  small.sample = [](int64_t x, int64_t, int c) { return x < 5 && c == 0 ? 255U : 240U; };
  make({glass, small});
  EXPECT_EQ(reason({.size = 128}), "slide has no tile with 0.5 of tissue");
}

TEST_F(OfSlide, a_damaged_one_is_a_reason_without_its_name) {
  make_pyramid();
  std::string bytes = io::read_file(file());
  // Deflated data, of which libtiff notices damage.
  for (size_t i = 200; i < bytes.size() / 2; i += 50) bytes[i] = '\x55';
  io::write_file(file(), bytes);
  const std::string why = reason({.size = 128});
  EXPECT_NE(why, "");
  EXPECT_EQ(why.find(file().string()), std::string::npos) << why;
  EXPECT_NE(reason({}), "");
}

TEST_F(OfSlide, tiles_alone_make_no_slide_but_a_pyramid_of_them_does) {
  make_pyramid();
  EXPECT_EQ(is_slide(file()), true);
  make({slide_page(1)});
  EXPECT_EQ(is_slide(file()), false);
  TiffPage strips = slide_page(1);
  strips.tile = 0;
  make({strips, slide_page(4)});
  EXPECT_EQ(is_slide(file()), false);
  io::write_file(file(), "text");
  EXPECT_EQ(is_slide(file()), false);
  io::write_file(file(), std::string("II*\0\xFF\xFF\xFF\x7F", 8));
  EXPECT_EQ(is_slide(file()), false);
  EXPECT_EQ(is_slide(folder_.path() / "absent.svs"), false);
}

TEST(IsOneFile, knows_formats_of_several_files) {
  EXPECT_TRUE(is_one_file("a/x.svs"));
  EXPECT_TRUE(is_one_file("x"));
  EXPECT_FALSE(is_one_file("a/x.mrxs"));
  EXPECT_FALSE(is_one_file("a/x.VMS"));
}

}  // namespace
}  // namespace unirg::image
