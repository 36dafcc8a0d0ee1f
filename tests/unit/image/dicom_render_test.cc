// Values worked by hand from PS3.3 C.11.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "image/dicom.h"

namespace unirg::image {
namespace {

DicomImage monochrome(std::vector<int32_t> pixels) {
  DicomImage image;
  image.rows = 1;
  image.columns = static_cast<int64_t>(pixels.size());
  image.bits_stored = 12;
  image.frames_read = 1;
  image.photometric = "MONOCHROME2";
  image.pixels = std::move(pixels);
  return image;
}

std::vector<uint8_t> rendered(const DicomImage& image) {
  const auto result = render_grayscale(image);
  EXPECT_TRUE(result) << result.error().reason;
  return result ? result->pixels : std::vector<uint8_t>{};
}

// C.11.2.1.2.1, c = 2048, w = 4096: x <= 0 gives ymin, x > 4095 gives ymax, else ((x - 2047.5)/4095
// + 0.5).
TEST(Linear, FullTwelveBitWindowOfTheStandardsExample) {
  const VoiWindow window{2048, 4096, VoiFunction::linear};
  EXPECT_EQ(apply_window(window, -1), 0.0);
  EXPECT_EQ(apply_window(window, 0), 0.0);
  EXPECT_NEAR(apply_window(window, 1), 1.0 / 4095, 1e-15);
  EXPECT_NEAR(apply_window(window, 2047.5), 0.5, 1e-15);
  EXPECT_EQ(apply_window(window, 4095), 1.0);
  EXPECT_EQ(apply_window(window, 4096), 1.0);
}

// c = 2048, w = 1: x <= 2047.5 gives ymin, x > 2047.5 gives ymax.
TEST(Linear, WidthOneIsAThreshold) {
  const VoiWindow window{2048, 1, VoiFunction::linear};
  EXPECT_EQ(apply_window(window, 2047), 0.0);
  EXPECT_EQ(apply_window(window, 2047.5), 0.0);
  EXPECT_EQ(apply_window(window, 2048), 1.0);
}

// c = 0, w = 100: x <= -50 gives ymin, x > 49 gives ymax, else ((x + 0.5)/99 + 0.5).
TEST(Linear, SignedWindow) {
  const VoiWindow window{0, 100, VoiFunction::linear};
  EXPECT_EQ(apply_window(window, -50), 0.0);
  EXPECT_NEAR(apply_window(window, -49), 1.0 / 99, 1e-15);
  EXPECT_NEAR(apply_window(window, 48), 98.0 / 99, 1e-15);
  EXPECT_EQ(apply_window(window, 49.5), 1.0);
}

// C.11.2.1.3.2, c = 2048, w = 4096: x <= 0 gives ymin, x > 4096 gives ymax, else ((x - 2048)/4096 +
// 0.5).
TEST(LinearExact, DiffersFromLinearByTheHalfStep) {
  const VoiWindow window{2048, 4096, VoiFunction::linear_exact};
  EXPECT_EQ(apply_window(window, 0), 0.0);
  EXPECT_EQ(apply_window(window, 2048), 0.5);
  EXPECT_EQ(apply_window(window, 1024), 0.25);
  EXPECT_NEAR(apply_window(window, 4095), 4095.0 / 4096, 1e-15);
  EXPECT_EQ(apply_window(window, 4097), 1.0);
}

// C.11.2.1.3.1: 1 / (1 + exp(-4 (x - c)/w)); at x = c + w/4 the exponent is -1.
TEST(Sigmoid, PassesTheCenterAtOneHalf) {
  const VoiWindow window{100, 40, VoiFunction::sigmoid};
  EXPECT_EQ(apply_window(window, 100), 0.5);
  EXPECT_NEAR(apply_window(window, 110), 1.0 / (1.0 + std::exp(-1.0)), 1e-15);
  EXPECT_NEAR(apply_window(window, 90), 1.0 - apply_window(window, 110), 1e-15);
}

TEST(Window, ForbiddenWidthsAreNotUsable) {
  EXPECT_FALSE(usable_window({0, 0.5, VoiFunction::linear}));
  EXPECT_TRUE(usable_window({0, 0.5, VoiFunction::sigmoid}));
  EXPECT_FALSE(usable_window({0, 0, VoiFunction::linear_exact}));
  EXPECT_FALSE(usable_window({std::nan(""), 10, VoiFunction::linear}));
}

// y = (x - 19.5)/39 + 0.5 for 0 < x <= 39: 10 -> 0.2564 -> 65.38, 20 -> 0.5128 -> 130.77, 30 ->
// 196.15.
TEST(Render, WindowAndRounding) {
  DicomImage image = monochrome({0, 10, 20, 30, 39, 500});
  image.window = VoiWindow{20, 40, VoiFunction::linear};
  EXPECT_EQ(rendered(image), (std::vector<uint8_t>{0, 65, 131, 196, 255, 255}));
}

TEST(Render, RescaleComesBeforeTheWindow) {
  DicomImage image = monochrome({0, 5, 10, 15});
  image.rescale_slope = 2.0;
  image.rescale_intercept = -10.0;  // -10, 0, 10, 20
  image.window = VoiWindow{5, 30, VoiFunction::linear_exact};
  EXPECT_EQ(rendered(image), (std::vector<uint8_t>{0, 85, 170, 255}));
}

TEST(Render, WithoutWindowTheRangePresentIsUsed) {
  EXPECT_EQ(rendered(monochrome({100, 150, 200, 300})), (std::vector<uint8_t>{0, 64, 128, 255}));
}

TEST(Render, InverseTurnsLowValuesBright) {
  DicomImage image = monochrome({100, 150, 200, 300});
  image.photometric = "MONOCHROME1";
  image.is_inverse = true;
  EXPECT_EQ(rendered(image), (std::vector<uint8_t>{255, 191, 128, 0}));
}

TEST(Render, PaddingIsBlackAndDoesNotStretchTheRange) {
  DicomImage image = monochrome({-2000, -1999, 0, 50, 100});
  image.padding = std::array<int32_t, 2>{-2000, -1999};
  EXPECT_EQ(rendered(image), (std::vector<uint8_t>{0, 0, 0, 128, 255}));
  image.is_inverse = true;
  EXPECT_EQ(rendered(image), (std::vector<uint8_t>{0, 0, 255, 128, 0}));
}

TEST(Render, ModalityTableClampsAtItsEnds) {
  DicomImage image = monochrome({0, 10, 11, 12, 99});
  image.modality_lut = LookupTable{10, 8, {0, 40, 100}};  // 0, 0, 40, 100, 100
  EXPECT_EQ(rendered(image), (std::vector<uint8_t>{0, 0, 102, 255, 255}));
}

TEST(Render, VoiTableTakesPrecedenceOverTheWindow) {
  DicomImage image = monochrome({0, 1, 2, 3});
  image.window = VoiWindow{500, 10, VoiFunction::linear};
  image.voi_lut = LookupTable{0, 12, {4095, 0, 2048, 4095}};
  EXPECT_EQ(voi_source(image), VoiSource::lut);
  EXPECT_EQ(rendered(image), (std::vector<uint8_t>{255, 0, 128, 255}));
}

TEST(Render, OneValueEverywhereIsAReason) {
  EXPECT_EQ(render_grayscale(monochrome({7, 7, 7})).error().reason,
            "every pixel of the image has one value");
  DicomImage padded = monochrome({0, 7, 7});
  padded.padding = std::array<int32_t, 2>{0, 0};
  EXPECT_FALSE(render_grayscale(padded));
  DicomImage outside = monochrome({7, 8, 9});
  outside.window = VoiWindow{1000, 10, VoiFunction::linear};
  EXPECT_EQ(render_grayscale(outside).error().reason,
            "the image has one grey level after its window");
}

TEST(Render, WideValuesWithoutATableOfLevels) {
  EXPECT_EQ(rendered(monochrome({0, 100'000, 200'000})), (std::vector<uint8_t>{0, 128, 255}));
}

TEST(Render, ColourBecomesLuma) {
  DicomImage image = monochrome({255, 0, 0, 0, 255, 0});
  image.columns = 2;
  image.samples = 3;
  image.bits_stored = 8;
  image.photometric = "RGB";
  EXPECT_EQ(rendered(image), (std::vector<uint8_t>{76, 150}));
  image.photometric = "YBR_FULL";
  image.pixels = {17, 128, 128, 200, 1, 2};
  EXPECT_EQ(rendered(image), (std::vector<uint8_t>{17, 200}));
  image.photometric = "YBR_PARTIAL_422";
  image.pixels = {16, 128, 128, 235, 1, 2};
  EXPECT_EQ(rendered(image), (std::vector<uint8_t>{0, 255}));
}

TEST(Render, PaletteEntriesBecomeLuma) {
  DicomImage image = monochrome({0, 1, 2});
  image.photometric = "PALETTE COLOR";
  const LookupTable red{0, 16, {0, 65535, 65535}};
  const LookupTable other{0, 16, {0, 0, 65535}};
  image.palette = std::array<LookupTable, 3>{red, other, other};
  EXPECT_EQ(rendered(image), (std::vector<uint8_t>{0, 76, 255}));
}

TEST(Digest, IsOfLittleEndianContainers) {
  DicomImage image = monochrome({1, -1});
  image.is_signed = true;
  // printf '\x01\x00\xff\xff' | sha256sum
  EXPECT_EQ(stored_pixel_sha256(image),
            "16b8cb1fe734fbc60c6763c94c9e4cc55840ae966e7e508ba82f539d82702511");
}

}  // namespace
}  // namespace unirg::image
