// SPDX-License-Identifier: Apache-2.0
#include "image/phantom_drawing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace unirg::image {
namespace {

PhantomScene quiet_scene() {
  PhantomScene scene;
  scene.look.noise = 0;
  scene.look.blur_px = 0;
  return scene;
}

PhantomImage draw(const PhantomScene& scene, int64_t side = 128) {
  return draw_phantom(scene, side, {7, "p", "s"});
}

/// Mean over pixels whose centres lie in [x0, x1) x [y0, y1).
double mean(const PhantomImage& image, double x0, double x1, double y0, double y1) {
  double sum = 0;
  int64_t count = 0;
  for (int64_t y = 0; y < image.side; ++y) {
    for (int64_t x = 0; x < image.side; ++x) {
      const double u = (static_cast<double>(x) + .5) / static_cast<double>(image.side);
      const double v = (static_cast<double>(y) + .5) / static_cast<double>(image.side);
      if (u < x0 || u >= x1 || v < y0 || v >= y1) continue;
      sum += image.pixels[static_cast<size_t>(y * image.side + x)];
      ++count;
    }
  }
  return sum / static_cast<double>(count);
}

TEST(PhantomDrawing, SameStreamsGiveTheSamePixelsAndOtherStreamsOthers) {
  PhantomScene scene;
  scene.findings.edema.grade = 2;
  const PhantomImage first = draw(scene);
  EXPECT_EQ(first.pixels, draw(scene).pixels);
  EXPECT_NE(first.pixels, draw_phantom(scene, 128, {7, "p", "t"}).pixels);
}

TEST(PhantomDrawing, PixelsStayBetweenZeroAndOneForEverySiteAndFinding) {
  PhantomScene scene;
  scene.anatomy.cardiothoracic_ratio = .72;
  PhantomMarks::for_each(scene.findings, [](PhantomMark& mark) { mark.grade = 3; });
  scene.look = {1.15, -.05, 1.2, .05, .4, 6};
  const PhantomImage image = draw(scene);
  const auto [low, high] = std::minmax_element(image.pixels.begin(), image.pixels.end());
  EXPECT_GE(*low, 0);
  EXPECT_LE(*high, 1);
  EXPECT_EQ(image.pixels[0], 0);             // border
  EXPECT_EQ(image.pixels[5 * 128 + 64], 0);  // six wide
  EXPECT_GT(image.pixels[64 * 128 + 64], 0);
}

TEST(PhantomDrawing, LungsAreDarkerThanSpineHeartAndAbdomen) {
  const PhantomImage image = draw(quiet_scene());
  const double lung = mean(image, .25, .33, .40, .50);
  EXPECT_LT(lung + .2, mean(image, .48, .52, .55, .62));
  EXPECT_LT(lung + .2, mean(image, .25, .33, .85, .90));
  EXPECT_LT(lung, mean(image, .67, .75, .60, .66) + .1);
}

TEST(PhantomDrawing, TheLookOfASideDoesNotDependOnTheNumberOfPixels) {
  PhantomScene scene = quiet_scene();
  scene.findings.pneumothorax[kLeft] = {3, 1};
  scene.findings.nodule[kRightUpper] = {1, 1};
  const PhantomImage small = draw(scene, 128);
  const PhantomImage large = draw(scene, 384);
  for (double x = .1; x < .85; x += .125) {
    for (double y = .1; y < .85; y += .125) {
      EXPECT_NEAR(mean(small, x, x + .125, y, y + .125), mean(large, x, x + .125, y, y + .125), .04)
          << x << " " << y;
    }
  }
}

struct Case {
  const char* name;
  std::function<void(PhantomMarks&)> mark;
  double x0, x1, y0, y1;  ///< where it shows
  int sign;               ///< +1 brighter, -1 darker
};

TEST(PhantomDrawing, EachFindingChangesThePictureWhereItLiesInItsDirectionAndWithItsAmplitude) {
  const std::vector<Case> cases{
      {"edema", [](PhantomMarks& m) { m.edema.grade = 3; }, .30, .42, .40, .60, 1},
      {"consolidation", [](PhantomMarks& m) { m.consolidation[kLeftLower].grade = 1; }, .64, .74,
       .51, .61, 1},
      {"nodule", [](PhantomMarks& m) { m.nodule[kRightUpper].grade = 1; }, .24, .38, .22, .36, 1},
      {"atelectasis", [](PhantomMarks& m) { m.atelectasis[kRight].grade = 1; }, .20, .36, .63, .71,
       1},
      {"effusion", [](PhantomMarks& m) { m.effusion[kLeft].grade = 3; }, .65, .80, .62, .70, 1},
      {"pneumothorax", [](PhantomMarks& m) { m.pneumothorax[kRight].grade = 3; }, .22, .30, .14,
       .25, -1},
      {"pacemaker", [](PhantomMarks& m) { m.pacemaker.grade = 1; }, .76, .84, .21, .28, 1},
      {"line", [](PhantomMarks& m) { m.line.grade = 1; }, .44, .475, .25, .45, 1},
      {"tube", [](PhantomMarks& m) { m.tube.grade = 1; }, .48, .52, .20, .28, 1},
  };
  const PhantomImage plain = draw(quiet_scene());
  for (const Case& c : cases) {
    const auto change = [&](double amplitude) {
      PhantomScene scene = quiet_scene();
      c.mark(scene.findings);
      PhantomMarks::for_each(scene.findings,
                             [&](PhantomMark& mark) { mark.amplitude = amplitude; });
      return c.sign *
             (mean(draw(scene), c.x0, c.x1, c.y0, c.y1) - mean(plain, c.x0, c.x1, c.y0, c.y1));
    };
    const double full = change(1);
    EXPECT_GT(full, .02) << c.name;
    const double faint = change(.25) / full;  // .25, but white cannot get whiter
    EXPECT_GT(faint, .15) << c.name;
    EXPECT_LT(faint, .5) << c.name;
  }
}

TEST(PhantomDrawing, ADecoyIsDrawnLikeAFinding) {
  PhantomScene finding = quiet_scene();
  PhantomScene decoy = quiet_scene();
  finding.findings.tube = decoy.decoys.tube = {1, .3};
  EXPECT_EQ(draw(finding).pixels, draw(decoy).pixels);
  EXPECT_NE(draw(finding).pixels, draw(quiet_scene()).pixels);
}

TEST(PhantomDrawing, AFractureIsAStepOfItsRib) {
  PhantomScene scene = quiet_scene();
  scene.findings.fracture[kLeft].grade = 1;
  const PhantomImage broken = draw(scene);
  const PhantomImage plain = draw(quiet_scene());
  double largest = 0;
  for (size_t i = 0; i < plain.pixels.size(); ++i) {
    const double difference = std::abs(broken.pixels[i] - plain.pixels[i]);
    const double x = (static_cast<double>(i % 128) + .5) / 128;
    if (difference > .02) {
      EXPECT_NEAR(x, .80, .10);
    }
    largest = std::max(largest, difference);
  }
  EXPECT_GT(largest, .1);
}

TEST(PhantomDrawing, AWiderHeartIsBrighterAtItsLeftBorder) {
  PhantomScene normal = quiet_scene();
  PhantomScene severe = quiet_scene();
  normal.anatomy.cardiothoracic_ratio = .45;
  severe.anatomy.cardiothoracic_ratio = .68;
  EXPECT_GT(mean(draw(severe), .72, .76, .60, .66), mean(draw(normal), .72, .76, .60, .66) + .1);
}

TEST(PhantomDrawing, StoredValuesSpanTheBitsAndInvertForMonochrome1) {
  const PhantomImage image{2, {0.0F, 1.0F, .5F, .25F}};
  EXPECT_EQ(stored_values(image, 12, false), (std::vector<uint16_t>{0, 4095, 2048, 1024}));
  EXPECT_EQ(stored_values(image, 12, true), (std::vector<uint16_t>{4095, 0, 2047, 3071}));
  EXPECT_EQ(stored_values(image, 16, false)[1], 65535);
  EXPECT_EQ(stored_values(image, 8, false)[1], 255);
}

}  // namespace
}  // namespace unirg::image
