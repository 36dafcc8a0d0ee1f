// SPDX-License-Identifier: Apache-2.0
#include "image/phantom_canvas.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace unirg::image::phantom {
namespace {

TEST(PhantomCanvas, AnEllipseIsOneInsideHalfOnItsEdgeAndZeroOutside) {
  const int64_t n = 200;
  const Field field = fill(n, ellipse(n, {.5025, .5025}, .2, .3, .01));  // pixel 100's centre
  EXPECT_FLOAT_EQ(field.row(100)[100], 1.0F);
  EXPECT_NEAR(field.row(100)[140], .5, 1e-4);
  EXPECT_NEAR(field.row(160)[100], .5, 1e-4);
  EXPECT_EQ(field.row(100)[170], 0.0F);
  // The formula itself beside the edge: d = 42/40, sigmoid((1 - d) .2 / .01)
  EXPECT_NEAR(field.row(100)[142], 1 / (1 + std::exp(1.0)), 1e-4);
}

TEST(PhantomCanvas, ASpotIsAGaussianLeftOutUnderOneInTenThousand) {
  const int64_t n = 100;
  const Stamp stamp = spot(n, {.505, .505}, .04, .08);
  const Field field = fill(n, stamp);
  EXPECT_FLOAT_EQ(field.row(50)[50], 1.0F);
  EXPECT_NEAR(field.row(50)[54], std::exp(-.5), 1e-5);
  EXPECT_NEAR(field.row(42)[54], std::exp(-1.0), 1e-5);
  EXPECT_LT(stamp.width, 36);
}

TEST(PhantomCanvas, AStrokeFadesWithTheDistanceToItsSegmentAlsoBeyondItsEnds) {
  const int64_t n = 100;
  const Field field = fill(n, stroke(n, {.305, .505}, {.705, .505}, .02));
  EXPECT_FLOAT_EQ(field.row(50)[50], 1.0F);
  EXPECT_NEAR(field.row(52)[50], std::exp(-.5), 1e-4);
  EXPECT_NEAR(field.row(50)[72], std::exp(-.5), 1e-4);
  EXPECT_EQ(field.row(50)[85], 0.0F);
}

TEST(PhantomCanvas, ShapesBeyondTheBorderAreCutNotWrapped) {
  const int64_t n = 32;
  const Field field = fill(n, spot(n, {-.1, 1.2}, .1, .1));
  const double sum = std::accumulate(field.values.begin(), field.values.end(), 0.0);
  EXPECT_GT(sum, 0);
  EXPECT_EQ(field.row(0)[31], 0.0F);
  EXPECT_TRUE(spot(n, {5, 5}, .01, .01).values.empty());
}

TEST(PhantomCanvas, BlurKeepsAConstantAndSpreadsAPointByItsStandardDeviation) {
  Field flat(40, .7F);
  blur(flat, 3.0);
  for (const float value : flat.values) ASSERT_NEAR(value, .7, 1e-5);

  Field point(41);
  point.row(20)[20] = 1;
  blur(point, 2.0);
  double sum = 0;
  double square = 0;
  for (int64_t y = 0; y < 41; ++y) {
    for (int64_t x = 0; x < 41; ++x) {
      sum += point.row(y)[x];
      square += point.row(y)[x] * static_cast<double>((x - 20) * (x - 20));
    }
  }
  EXPECT_NEAR(sum, 1, 1e-5);
  EXPECT_NEAR(std::sqrt(square), 2.0, .05);  // weights end at three standard deviations
}

TEST(PhantomCanvas, NormalFieldHasTheMomentsAndTailsOfANormalDistribution) {
  Rng rng(1, "test");
  const Field field = normal_field(300, rng);
  double m1 = 0;
  double m2 = 0;
  double m4 = 0;
  int64_t beyond = 0;
  for (const double z : field.values) {
    m1 += z;
    m2 += z * z;
    m4 += z * z * z * z;
    beyond += std::abs(z) > 1.959964;
  }
  const auto n = static_cast<double>(field.values.size());
  EXPECT_NEAR(m1 / n, 0, .015);
  EXPECT_NEAR(m2 / n, 1, .02);
  EXPECT_NEAR(m4 / n, 3, .15);
  EXPECT_NEAR(static_cast<double>(beyond) / n, .05, .004);
}

}  // namespace
}  // namespace unirg::image::phantom
