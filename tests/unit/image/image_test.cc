// SPDX-License-Identifier: Apache-2.0
#include "image/image.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/hash.h"
#include "base/rng.h"
#include "io/atomic_file.h"

namespace unirg::image {
namespace {

const std::filesystem::path kGolden = UNIRG_SOURCE_DIR "/tests/parity/image";

Image8 noise(int64_t width, int64_t height, int64_t channels) {
  Rng rng(1, "image-test");
  Image8 image{width, height, channels, {}};
  for (int64_t i = 0; i < width * height * channels; ++i) {
    image.pixels.push_back(static_cast<uint8_t>(rng.below(256)));
  }
  return image;
}

std::string digest(const Image8& image) {
  return sha256_hex({reinterpret_cast<const char*>(image.pixels.data()), image.pixels.size()});
}

TEST(Png, RoundTripKeepsEveryPixel) {
  for (const int64_t channels : {1, 3}) {
    const Image8 image = noise(37, 21, channels);
    const auto back = decode_png(encode_png(image));
    ASSERT_TRUE(back) << back.error().reason;
    EXPECT_EQ(*back, image);
  }
}

TEST(Png, BytesAreTheSameEachTimeAndHoldNoAncillaryChunk) {
  const Image8 image = noise(300, 200, 1);
  const std::string bytes = encode_png(image);
  EXPECT_EQ(bytes, encode_png(image));
  EXPECT_EQ(bytes.find("tIME"), bytes.npos);
  EXPECT_EQ(bytes.find("tEXt"), bytes.npos);
}

TEST(Decode, EveryLayoutGivesThePixelsPillowGives) {
  std::ifstream table(kGolden / "decode.tsv");
  std::string line;
  std::getline(table, line);
  std::getline(table, line);
  int files = 0;
  for (std::string name, sha; std::getline(table, line); ++files) {
    std::istringstream fields(line);
    int64_t width = 0, height = 0, channels = 0;
    fields >> name >> width >> height >> channels >> sha;
    const auto image = decode_image(io::read_file(kGolden / name));
    ASSERT_TRUE(image) << name << ": " << image.error().reason;
    EXPECT_EQ(image->width, width) << name;
    EXPECT_EQ(image->height, height) << name;
    EXPECT_EQ(image->channels, channels) << name;
    EXPECT_EQ(digest(*image), sha) << name;
  }
  EXPECT_EQ(files, 7);
}

TEST(Decode, TruncatedFilesAreReasons) {
  for (const char* name : {"gray16.png", "palette.png", "gray.jpg", "rgb.jpg", "progressive.jpg"}) {
    const std::string bytes = io::read_file(kGolden / name);
    for (const size_t keep : {size_t{0}, size_t{4}, bytes.size() / 3, bytes.size() / 2,
                              bytes.size() - bytes.size() / 8}) {
      EXPECT_FALSE(decode_image(std::string_view(bytes).substr(0, keep))) << name << " " << keep;
    }
  }
}

TEST(Decode, ChangedBytesNeverCrash) {
  Rng rng(3, "image-test");
  int refused = 0;
  for (const char* name : {"gray16.png", "palette.png", "rgb.jpg", "progressive.jpg"}) {
    const std::string bytes = io::read_file(kGolden / name);
    for (int i = 0; i < 300; ++i) {
      std::string changed = bytes;
      for (int k = 0; k < 3; ++k)
        changed[rng.below(changed.size())] = static_cast<char>(rng.below(256));
      const auto image = decode_image(changed);
      if (!image) {
        ++refused;
        EXPECT_FALSE(image.error().reason.empty());
      }
    }
  }
  EXPECT_GT(refused, 100);
}

TEST(Decode, AHeaderThatClaimsTooManyPixelsIsRefusedBeforeMemoryIsAskedFor) {
  // A JPEG frame header of 65500 x 65500, then nothing.
  std::string jpeg = io::read_file(kGolden / "gray.jpg");
  const size_t frame = jpeg.find("\xff\xc0");
  ASSERT_NE(frame, jpeg.npos);
  jpeg.replace(frame + 5, 4, "\xff\xdc\xff\xdc");
  const auto image = decode_image(jpeg);
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().reason, "JPEG has too many pixels");
}

TEST(Decode, OtherBytesAreNamedAsNeither) {
  EXPECT_EQ(decode_image("GIF89a").error().reason, "image is neither PNG, JPEG nor TIFF");
  EXPECT_EQ(decode_image("").error().reason, "image is empty");
}

TEST(Luma, FollowsBt601) {
  const Image8 rgb{3, 1, 3, {255, 0, 0, 0, 255, 0, 10, 20, 30}};
  EXPECT_EQ(to_gray(rgb).pixels, (std::vector<uint8_t>{76, 150, 18}));  // 76.2, 149.7, 18.15
  const Image8 gray{2, 1, 1, {5, 9}};
  EXPECT_EQ(to_rgb(gray).pixels, (std::vector<uint8_t>{5, 5, 5, 9, 9, 9}));
  EXPECT_EQ(to_gray(to_rgb(gray)), gray);
}

}  // namespace
}  // namespace unirg::image
