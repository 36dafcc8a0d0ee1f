// SPDX-License-Identifier: Apache-2.0
#include "data/ct_series.h"

#include <gtest/gtest.h>

namespace unirg::data {
namespace {

using Numbers = std::vector<size_t>;

/// Axial, at height z; orientation as of a patient on the back unless given.
image::DicomMetadata slice(const std::string& series, double z,
                           std::array<double, 6> orientation = {1, 0, 0, 0, 1, 0}) {
  image::DicomMetadata header;
  header.series_instance_uid = series;
  header.image_type = "ORIGINAL\\PRIMARY\\AXIAL";
  header.image_position = {-250, -250, z};
  header.image_orientation = orientation;
  return header;
}

TEST(KeySlices, are_those_nearest_to_the_middles_of_equal_parts) {
  const std::vector<double> even{0, 1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_EQ(key_slices(even, 1), (Numbers{4}));           // 4
  EXPECT_EQ(key_slices(even, 2), (Numbers{2, 6}));        // 2, 6
  EXPECT_EQ(key_slices(even, 4), (Numbers{1, 3, 5, 7}));  // 1, 3, 5, 7
  EXPECT_EQ(key_slices(even, 9).size(), 9U);
  EXPECT_EQ(key_slices(even, 50).size(), 9U);
  // Spaced by position, not by number: parts of 0 .. 100 have their middles at 25 and 75.
  EXPECT_EQ(key_slices({0, 1, 2, 3, 74, 100}, 2), (Numbers{3, 4}));
}

TEST(KeySlices, are_each_another_one_even_where_slices_are_far_apart) {
  EXPECT_EQ(key_slices({0, 1, 2, 100}, 3), (Numbers{1, 2, 3}));
  EXPECT_EQ(key_slices({0, 98, 99, 100}, 3), (Numbers{0, 1, 2}));
  EXPECT_EQ(key_slices({5, 5, 5, 5}, 2), (Numbers{0, 1}));
}

TEST(PlanCt, sorts_by_the_place_along_the_normal_and_not_by_number) {
  const std::vector<image::DicomMetadata> headers{slice("a", 30), slice("a", 10), slice("a", 40),
                                                  slice("a", 20)};
  const CtPlan plan = plan_ct(headers, {CtRule::all, 1});
  ASSERT_EQ(plan.stacks.size(), 1U);
  EXPECT_EQ(plan.stacks[0].chosen, (Numbers{1, 3, 0, 2}));
  EXPECT_EQ(plan.stacks[0].position.front(), 10);
  EXPECT_EQ(plan.stacks[0].slices, 4);
  EXPECT_TRUE(plan.left_out.empty());
  const CtPlan key = plan_ct(headers, {CtRule::key_slices, 2});
  EXPECT_EQ(key.stacks[0].chosen, (Numbers{3, 0}));  // nearest to 17.5 and 32.5: 20 and 30
  EXPECT_EQ(key.left_out, (Numbers{1, 2}));
}

TEST(PlanCt, takes_the_normal_from_the_orientation) {
  // Coronal: rows to the left, columns to the feet; the normal is (1,0,0) x (0,0,-1) = (0,1,0).
  std::vector<image::DicomMetadata> headers{slice("a", 0, {1, 0, 0, 0, 0, -1}),
                                            slice("a", 0, {1, 0, 0, 0, 0, -1})};
  (*headers[0].image_position)[1] = 8;
  (*headers[1].image_position)[1] = -8;
  const CtPlan plan = plan_ct(headers, {CtRule::all, 1});
  EXPECT_EQ(plan.stacks[0].chosen, (Numbers{1, 0}));
  EXPECT_EQ(plan.stacks[0].position[1], 8);
}

TEST(PlanCt, parts_series_and_orientations_and_names_what_has_no_place) {
  std::vector<image::DicomMetadata> headers{slice("a", 1),
                                            slice("b", 9),
                                            slice("a", 2, {1, 0, 0, 0, 0, -1}),
                                            slice("a", 3, {1, 0.005, 0, 0, 1, 0}),
                                            slice("a", 4),
                                            slice("c", 5)};
  headers[4].image_position.reset();
  headers[5].image_orientation.reset();
  const CtPlan plan = plan_ct(headers, {CtRule::all, 1});
  ASSERT_EQ(plan.stacks.size(), 4U);
  EXPECT_EQ(plan.stacks[0].chosen, (Numbers{0, 3}));
  EXPECT_EQ(plan.stacks[1].chosen, (Numbers{1}));
  EXPECT_EQ(plan.stacks[2].chosen, (Numbers{2}));
  EXPECT_EQ(plan.stacks[3].chosen, (Numbers{5}));  // alone, it needs no place
  EXPECT_EQ(plan.stacks[3].position[0], std::nullopt);
  EXPECT_EQ(plan.unplaced, (Numbers{4}));
}

TEST(PlanCt, leaves_localizers_out) {
  std::vector<image::DicomMetadata> headers{slice("a", 1), slice("a", 2), slice("a", 3)};
  headers[0].image_type = "ORIGINAL\\PRIMARY\\LOCALIZER";
  headers[1].image_type = "DERIVED\\SECONDARY\\LOCALIZERS";
  const CtPlan plan = plan_ct(headers, {CtRule::montage, 4});
  EXPECT_EQ(plan.localizers, (Numbers{0}));
  EXPECT_EQ(plan.stacks[0].chosen, (Numbers{1, 2}));
}

TEST(CtWindow, has_names_in_Hounsfield_units) {
  EXPECT_EQ(ct_window_names(), (std::vector<std::string>{"file", "lung", "mediastinum", "bone"}));
  EXPECT_FALSE(ct_window("file"));
  // Edges of LINEAR (C.11.2.1.2.1): c - 0.5 -+ (w - 1) / 2.
  const auto lung = ct_window("lung");
  ASSERT_TRUE(lung);
  EXPECT_EQ(image::apply_window(*lung, -1350), 0);
  EXPECT_EQ(image::apply_window(*lung, 150), 1);
  EXPECT_NEAR(image::apply_window(*lung, -600.5), 0.5, 1e-12);
  EXPECT_EQ(ct_window("bone")->width, 1800);
  EXPECT_EQ(ct_window("mediastinum")->center, 50);
}

TEST(Montage, fills_rows_from_the_left_and_puts_small_ones_in_the_middle) {
  EXPECT_EQ(montage_columns(1), 1);
  EXPECT_EQ(montage_columns(2), 2);
  EXPECT_EQ(montage_columns(4), 2);
  EXPECT_EQ(montage_columns(5), 3);
  EXPECT_EQ(montage_columns(9), 3);
  const std::vector<image::Image8> pictures{
      {3, 1, 1, {1, 2, 3}}, {1, 1, 1, {4}}, {1, 3, 1, {5, 6, 7}}};
  const image::Image8 all = montage(pictures, 2);
  EXPECT_EQ(all.width, 6);
  EXPECT_EQ(all.height, 6);
  EXPECT_EQ(all.pixels, (std::vector<uint8_t>{0, 0, 0, 0, 0, 0,  //
                                              1, 2, 3, 0, 4, 0,  //
                                              0, 0, 0, 0, 0, 0,  //
                                              0, 5, 0, 0, 0, 0,  //
                                              0, 6, 0, 0, 0, 0,  //
                                              0, 7, 0, 0, 0, 0}));
}

}  // namespace
}  // namespace unirg::data
