// SPDX-License-Identifier: Apache-2.0
#include "data/picture_cache.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "image/dicom.h"
#include "image/dicom_write.h"
#include "image/image.h"
#include "image/tiff_builder.h"
#include "io/atomic_file.h"
#include "temp_folder.h"

namespace unirg::data {
namespace {

namespace fs = std::filesystem;

class OfPictures : public ::testing::Test {
 protected:
  void SetUp() override {
    image::Image8 picture{8, 6, 1, std::vector<uint8_t>(48, 7)};
    picture.pixels[5] = 90;
    io::write_file(file(), image::encode_png(picture));
    image::DicomWriteOptions options;
    options.study_instance_uid = "1.2.3.4.5", options.series_instance_uid = "1.2.3.4.6";
    options.sop_instance_uid = "1.2.3.4.7", options.patient_id = "MRN-4711";
    options.view_position = "PA";
    std::vector<uint16_t> pixels(48);
    for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint16_t>(i * 80);
    image::write_dicom(dicom(), 6, 8, pixels, options);
  }
  [[nodiscard]] fs::path file() const { return folder_.path() / "x.png"; }
  [[nodiscard]] fs::path dicom() const { return folder_.path() / "x.dcm"; }
  [[nodiscard]] fs::path cache() const { return folder_.path() / "cache"; }
  [[nodiscard]] std::vector<fs::path> entries() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::recursive_directory_iterator(cache())) {
      if (entry.is_regular_file()) found.push_back(entry.path());
    }
    return found;
  }
  static void expect_same(const Picture& a, const Picture& b) {
    Study one;
    Study two;
    one.study_id = two.study_id = "s";
    one.images.push_back(a.image);
    two.images.push_back(b.image);
    EXPECT_EQ(to_json(one), to_json(two));
    EXPECT_EQ(a.png, b.png);
    EXPECT_EQ(a.modality, b.modality);
  }

  image::DicomCodecs codecs_;
  testing::TempFolder folder_;
};

TEST_F(OfPictures, gives_what_decoding_gives_and_says_whether_it_was_there) {
  for (const fs::path& path : {file(), dicom()}) {
    const Picture plain = decode_file(path, PictureKind::any, {.longest_side = 4})->front();
    for (int round = 0; round < 2; ++round) {
      PictureCache pictures(cache(), {});
      const auto picture = pictures.decode(path, PictureKind::any, {.longest_side = 4});
      ASSERT_TRUE(picture) << picture.error().reason;
      expect_same(picture->front(), plain);
      EXPECT_EQ(pictures.made(), 1 - round);
      EXPECT_EQ(pictures.found(), round);
    }
  }
  EXPECT_EQ(entries().size(), 2U);
}

TEST_F(OfPictures, keys_by_content_and_settings_and_not_by_name) {
  PictureCache pictures(cache(), {});
  ASSERT_TRUE(pictures.decode(file(), PictureKind::picture, {.longest_side = 0}));
  ASSERT_TRUE(pictures.decode(file(), PictureKind::any, {.longest_side = 0}));
  EXPECT_EQ(pictures.found(), 1) << "of any kind it is a picture, too";
  fs::rename(file(), folder_.path() / "other");
  ASSERT_TRUE(pictures.decode(folder_.path() / "other", PictureKind::picture, {.longest_side = 0}));
  EXPECT_EQ(pictures.found(), 2);
  const auto small =
      pictures.decode(folder_.path() / "other", PictureKind::picture, {.longest_side = 4});
  ASSERT_TRUE(small);
  EXPECT_EQ(small->front().image.width, 4);
  EXPECT_EQ(pictures.made(), 2);
}

TEST_F(OfPictures, keeps_the_tiles_of_a_slide_by_what_makes_them) {
  image::TiffPage page{.width = 128, .height = 128, .bits = 8, .samples = 3};
  page.photometric = PHOTOMETRIC_RGB;
  page.compression = COMPRESSION_ADOBE_DEFLATE;
  page.tile = 32;
  page.sample = [](int64_t x, int64_t y, int c) {
    return static_cast<uint32_t>(x < 64 ? 240 : c == 0 ? 200 : 60 + y / 2);
  };
  image::TiffPage half = page;
  half.width = half.height = 64;
  half.is_reduced = true;
  half.sample = [&](int64_t x, int64_t y, int c) { return page.sample(2 * x, 2 * y, c); };
  const fs::path slide = folder_.path() / "slide.tif";
  image::write_tiff(slide, {page, half});
  const DecodeOptions options{.tiles = {.count = 4, .size = 32, .mpp = 0}};
  const auto plain = decode_file(slide, PictureKind::any, options);
  ASSERT_TRUE(plain) << plain.error().reason;
  ASSERT_EQ(plain->size(), 4U);  // two columns of four tiles have tissue
  EXPECT_EQ(id_suffix(plain->front().image), "-x96-y0");
  for (int round = 0; round < 2; ++round) {
    PictureCache pictures(cache(), {});
    const auto tiles = pictures.decode(slide, PictureKind::any, options);
    ASSERT_TRUE(tiles && tiles->size() == 4U);
    for (size_t i = 0; i < 4; ++i) expect_same((*tiles)[i], (*plain)[i]);
    EXPECT_EQ(pictures.found(), round);
  }
  PictureCache pictures(cache(), {});
  DecodeOptions other = options;
  other.longest_side = 8;  // tiles have the size that they have
  ASSERT_TRUE(pictures.decode(slide, PictureKind::any, other));
  EXPECT_EQ(pictures.found(), 1);
  for (const image::TileOptions& tiles :
       {image::TileOptions{5, 32, 0, 0.5}, image::TileOptions{4, 16, 0, 0.5},
        image::TileOptions{4, 32, 0, 1}})
    ASSERT_TRUE(pictures.decode(slide, PictureKind::any, {.tiles = tiles}));
  EXPECT_EQ(pictures.found(), 1);
  EXPECT_EQ(pictures.made(), 3);
}

TEST_F(OfPictures, keys_dicom_by_the_window_of_CT_and_pictures_not) {
  PictureCache pictures(cache(), {});
  for (const char* window : {"file", "lung", "lung", "bone"}) {
    ASSERT_TRUE(pictures.decode(dicom(), PictureKind::dicom, {.ct_window = window}));
    ASSERT_TRUE(pictures.decode(file(), PictureKind::picture, {.ct_window = window}));
  }
  EXPECT_EQ(pictures.made(), 3 + 1);
  EXPECT_EQ(pictures.found(), 1 + 3);
}

TEST_F(OfPictures, notices_a_damaged_entry_and_makes_it_again) {
  std::vector<std::string> warnings;
  const auto warn = [&](const std::string& text) { warnings.push_back(text); };
  const Picture plain = decode_file(dicom(), PictureKind::dicom, {.longest_side = 0})->front();
  (void)PictureCache(cache(), warn).decode(dicom(), PictureKind::dicom, {.longest_side = 0});
  const fs::path entry = entries().front();
  const std::string whole = io::read_file(entry);
  for (const std::string& bad : {std::string(), whole.substr(0, whole.size() / 2), whole + "x"}) {
    io::write_file(entry, bad);
    PictureCache pictures(cache(), warn);
    expect_same(pictures.decode(dicom(), PictureKind::dicom, {.longest_side = 0})->front(), plain);
    EXPECT_EQ(pictures.made(), 1);
    EXPECT_EQ(io::read_file(entry), whole);
  }
  EXPECT_EQ(warnings.size(), 3U);
}

TEST_F(OfPictures, keeps_nothing_of_what_cannot_be_decoded) {
  io::write_file(file(), "\x89PNG and no more");
  PictureCache pictures(cache(), {});
  EXPECT_FALSE(pictures.decode(file(), PictureKind::any, {.longest_side = 0}));
  io::write_file(file(), "a slide");
  EXPECT_FALSE(pictures.decode(file(), PictureKind::any, {.longest_side = 0}));
  EXPECT_TRUE(entries().empty());
  EXPECT_FALSE(pictures.decode(folder_.path() / "absent", PictureKind::dicom, {.longest_side = 0}))
      << "as without a cache";
}

TEST_F(OfPictures, holds_no_name_of_anybody) {
  (void)PictureCache(cache(), {}).decode(dicom(), PictureKind::dicom, {.longest_side = 0});
  for (const fs::path& entry : entries()) {
    const std::string bytes = io::read_file(entry);
    for (const char* name : {"4711", "1.2.3.4", "x.dcm"})
      EXPECT_EQ(bytes.find(name), std::string::npos) << name;
  }
}

TEST_F(OfPictures, may_be_shared_by_runs_at_once) {
  const Picture plain = decode_file(dicom(), PictureKind::dicom, {.longest_side = 0})->front();
  PictureCache one(cache(), {});
  PictureCache two(cache(), {});
  std::vector<std::jthread> threads;
  for (PictureCache* pictures : {&one, &two, &one, &two}) {
    threads.emplace_back([&, pictures] {
      for (int k = 0; k < 20; ++k)
        expect_same(pictures->decode(dicom(), PictureKind::dicom, {.longest_side = 0})->front(),
                    plain);
    });
  }
  threads.clear();
  EXPECT_EQ(one.found() + one.made() + two.found() + two.made(), 80);
  EXPECT_EQ(entries().size(), 1U);
}

TEST(DecoderVersion, names_sources_compiler_and_libraries) {
  const std::string version = decoder_version();
  EXPECT_EQ(version.find_first_not_of("0123456789abcdef"), 64U);
  for (const char* what :
       {"dcmtk 3", "gdcm 3", "libpng ", "zlib 1", "libjpeg-turbo ", "libtiff 4", "openslide 3"})
    EXPECT_NE(version.find(what), std::string::npos) << version;
}

}  // namespace
}  // namespace unirg::data
