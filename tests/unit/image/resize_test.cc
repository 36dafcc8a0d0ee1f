// SPDX-License-Identifier: Apache-2.0
#include "image/resize.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/hash.h"
#include "io/atomic_file.h"

namespace unirg::image {
namespace {

const std::filesystem::path kGolden = UNIRG_SOURCE_DIR "/tests/parity/image";

TEST(ResizeBicubic, GivesTheBytesOfPillow) {
  std::ifstream table(kGolden / "resize.tsv");
  std::string line;
  std::getline(table, line);
  std::getline(table, line);
  int cases = 0;
  for (std::string name, sha; std::getline(table, line); ++cases) {
    std::istringstream fields(line);
    int64_t width = 0, height = 0;
    fields >> name >> width >> height >> sha;
    const auto image = decode_png(io::read_file(kGolden / (name + ".png")));
    ASSERT_TRUE(image) << name;
    const Image8 got = resize_bicubic(*image, width, height);
    EXPECT_EQ(got.width, width);
    EXPECT_EQ(got.height, height);
    EXPECT_EQ(sha256_hex({reinterpret_cast<const char*>(got.pixels.data()), got.pixels.size()}),
              sha)
        << name << " " << width << " x " << height;
  }
  EXPECT_EQ(cases, 19);
}

TEST(ResizeBicubic, SameSizeIsTheSameImage) {
  const Image8 image{2, 2, 1, {1, 2, 3, 4}};
  EXPECT_EQ(resize_bicubic(image, 2, 2), image);
}

TEST(SmartResize, AgreesWithThePublishedImplementation) {
  std::ifstream table(kGolden / "smart_resize.tsv");
  std::string line;
  std::getline(table, line);
  int cases = 0;
  for (; std::getline(table, line); ++cases) {
    std::istringstream fields(line);
    int64_t h = 0, w = 0, factor = 0, low = 0, high = 0, new_h = 0, new_w = 0;
    fields >> h >> w >> factor >> low >> high >> new_h >> new_w;
    const auto size = smart_resize(h, w, factor, low, high);
    ASSERT_TRUE(size) << line;
    EXPECT_EQ(*size, (ImageSize{new_h, new_w})) << line;
  }
  EXPECT_EQ(cases, 552);
}

TEST(SmartResize, RefusesNeedles) {
  EXPECT_TRUE(smart_resize(1, 200, 32, 1024, 65536));
  EXPECT_FALSE(smart_resize(1, 201, 32, 1024, 65536));
  EXPECT_FALSE(smart_resize(0, 10, 32, 1024, 65536));
}

}  // namespace
}  // namespace unirg::image
