// SPDX-License-Identifier: Apache-2.0
#include "image/tissue.h"

#include <gtest/gtest.h>

namespace unirg::image {
namespace {

TEST(Saturation, is_that_of_HSV_rounded) {
  EXPECT_EQ(saturation(0, 0, 0), 0);
  EXPECT_EQ(saturation(255, 255, 255), 0);
  EXPECT_EQ(saturation(9, 0, 0), 255);
  EXPECT_EQ(saturation(200, 60, 140), 179);  // 255 * 140 / 200 = 178.5
  EXPECT_EQ(saturation(60, 140, 200), 179);
  EXPECT_EQ(saturation(255, 254, 253), 2);
}

TEST(Otsu, parts_where_the_variance_between_is_largest) {
  // 1 1 1 1 2 2 7 7. After 1: 4 * 4 * (1 - 4.5)^2 = 196; after 2: 6 * 2 * (4/3 - 7)^2 = 385.3, and
  // the same up to 6.
  std::array<int64_t, 256> histogram{};
  histogram[1] = 4, histogram[2] = 2, histogram[7] = 2;
  EXPECT_EQ(otsu_threshold(histogram), 2);
  histogram[2] = 0;
  EXPECT_EQ(otsu_threshold(histogram), 1);
  histogram[7] = 0;
  EXPECT_EQ(otsu_threshold(histogram), std::nullopt);
  EXPECT_EQ(otsu_threshold({}), std::nullopt);
}

/// Pink where the text has '#', glass elsewhere.
Image8 thumbnail(const std::vector<std::string>& rows) {
  Image8 image{static_cast<int64_t>(rows.front().size()), static_cast<int64_t>(rows.size()), 3, {}};
  for (const std::string& row : rows) {
    for (const char c : row) {
      const bool tissue = c == '#';
      for (const uint8_t v : {tissue ? 200 : 240, tissue ? 60 : 238, tissue ? 140 : 241})
        image.pixels.push_back(v);
    }
  }
  return image;
}

std::string text_of(const std::vector<TilePlace>& places) {
  std::string text;
  for (const TilePlace& p : places)
    text += "(" + std::to_string(p.column) + "," + std::to_string(p.row) + ")";
  return text;
}

TEST(Tissue, is_what_is_more_saturated_than_glass) {
  const auto mask = find_tissue(thumbnail({"..##", "..#."}));
  ASSERT_TRUE(mask);
  EXPECT_EQ(mask->tissue, (std::vector<uint8_t>{0, 0, 1, 1, 0, 0, 1, 0}));
  EXPECT_EQ(mask->threshold, 3);  // of the glass: 255 * 3 / 241
  EXPECT_FALSE(find_tissue(thumbnail({"..", ".."})));
}

TEST(Tissue, tiles_are_those_with_enough_of_it_row_by_row) {
  const auto mask = find_tissue(thumbnail({"####..", "#.....", ".....#", "....##"}));
  ASSERT_TRUE(mask);
  const auto places = tissue_tiles(*mask, 3, 2, 2, 2, 0.5);
  EXPECT_EQ(text_of(places), "(0,0)(1,0)(2,1)");
  EXPECT_EQ(places[0].tissue, 0.75);
  EXPECT_EQ(places[1].tissue, 0.5);
  EXPECT_EQ(places[2].tissue, 0.75);
  EXPECT_EQ(text_of(tissue_tiles(*mask, 3, 2, 2, 2, 0.6)), "(0,0)(2,1)");
  EXPECT_EQ(text_of(tissue_tiles(*mask, 3, 2, 2, 2, 0)), "(0,0)(1,0)(2,0)(0,1)(1,1)(2,1)");
}

TEST(Tissue, tiles_take_the_cells_whose_centres_they_hold_or_that_hold_theirs) {
  const auto mask = find_tissue(thumbnail({"#..#"}));
  ASSERT_TRUE(mask);
  // 1.5 cells a tile: centres .5 and 1.5 are [0, 1.5) and [1.5, 3): cells 0, and 1 and 2.
  const auto wide = tissue_tiles(*mask, 2, 1, 1.5, 1, 0);
  EXPECT_EQ(wide[0].tissue, 1);
  EXPECT_EQ(wide[1].tissue, 0);
  // A quarter of a cell: the first four tiles lie in cell 0, the last four in cell 3.
  EXPECT_EQ(text_of(tissue_tiles(*mask, 16, 1, 0.25, 1, 1)),
            "(0,0)(1,0)(2,0)(3,0)(12,0)(13,0)(14,0)(15,0)");
}

TEST(Spread, takes_evenly_spaced_ones_in_order) {
  std::vector<TilePlace> places;
  for (int64_t i = 0; i < 10; ++i) places.push_back({i, 0, 1});
  EXPECT_EQ(text_of(spread(places, 3)), "(1,0)(5,0)(8,0)");  // 10/6, 30/6, 50/6
  EXPECT_EQ(text_of(spread(places, 1)), "(5,0)");
  EXPECT_EQ(spread(places, 10).size(), 10U);
  EXPECT_EQ(spread(places, 99).size(), 10U);
}

}  // namespace
}  // namespace unirg::image
