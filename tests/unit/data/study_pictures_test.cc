// SPDX-License-Identifier: Apache-2.0
#include "data/study_pictures.h"

#include <gtest/gtest.h>

#include "image/dicom_builder.h"
#include "image/image.h"
#include "io/atomic_file.h"
#include "temp_folder.h"

namespace unirg::data {
namespace {

namespace fs = std::filesystem;

class OfDraft : public ::testing::Test {
 protected:
  OfDraft() { image::test_codecs(); }
  void add(const std::string& name) {
    draft_.pictures.push_back({name, folder_.path() / name, "", false});
  }
  void png(const std::string& name) {
    fs::create_directories((folder_.path() / name).parent_path());
    image::Image8 picture{4, 2, 1, {1, 2, 3, 4, 5, 6, 7, 8}};
    io::write_file(folder_.path() / name, image::encode_png(picture));
    add(name);
  }
  /// A slice of 4 x 4 at height z whose stored values are 1000 + z and, in a corner, 1000 - z.
  void ct(const std::string& name, int z, const char* type = "ORIGINAL\\PRIMARY\\AXIAL",
          bool is_placed = true, const char* series = "1.2.1") {
    image::FileBuilder file;
    std::vector<uint16_t> values(16, static_cast<uint16_t>(1000 + z));
    values[0] = static_cast<uint16_t>(1000 - z);
    file.layout(4, 4, 16, 12).words(DcmTag(DCM_PixelData, EVR_OW), values);
    file.root()
        .text(DCM_Modality, "CT")
        .text(DCM_ImageType, type)
        .text(DCM_SeriesInstanceUID, series)
        .text(DCM_RescaleSlope, "1")
        .text(DCM_RescaleIntercept, "-1000")
        .text(DCM_WindowCenter, "0")
        .text(DCM_WindowWidth, "200");
    if (is_placed)
      file.root()
          .text(DCM_ImagePositionPatient, "0\\0\\" + std::to_string(z))
          .text(DCM_ImageOrientationPatient, "1\\0\\0\\0\\1\\0");
    file.save(folder_.path() / name);
    add(name);
  }
  Decoded decode() { return decode_draft(options_, {nullptr, &names_, nullptr}, draft_); }
  static std::string ids(const Decoded& decoded) {
    std::string text;
    for (const Picture& picture : decoded.pictures) text += picture.image.id + " ";
    return text;
  }
  static std::string used(const Decoded& decoded) {
    std::string text;
    for (const UsedFile& file : decoded.used) text += file.name + "<" + file.source + " ";
    return text;
  }
  static std::string refused(const Decoded& decoded) {
    std::string text;
    for (const Refusal& refusal : decoded.refusals)
      text += refusal.file + ": " + refusal.reason + "\n";
    return text;
  }

  testing::TempFolder folder_;
  IngestOptions options_;
  Pseudonyms names_;
  Draft draft_;
};

TEST_F(OfDraft, pictures_have_ids_of_their_own_and_every_file_is_told_of) {
  options_.source.source = "images";
  png("a/x.png");
  png("b/x.png");
  io::write_file(folder_.path() / "bad.png", "text");
  add("bad.png");
  const Decoded decoded = decode();
  EXPECT_EQ(ids(decoded), "x x-2 ");
  EXPECT_EQ(used(decoded), "a/x.png<a/x.png b/x.png<b/x.png ");
  EXPECT_EQ(refused(decoded), "bad.png: image is neither PNG, JPEG nor TIFF\n");
}

TEST_F(OfDraft, key_slices_come_by_position_and_the_rest_is_left_out) {
  ct("e", 50), ct("a", 20), ct("d", 10), ct("c", 40), ct("b", 30);
  ct("scout", 99, "ORIGINAL\\PRIMARY\\LOCALIZER");
  ct("no-place", 60, "ORIGINAL\\PRIMARY\\AXIAL", false);
  options_.ct.slices = 2;  // of 10 .. 50: 20 and 40
  const Decoded decoded = decode();
  EXPECT_EQ(ids(decoded), "a c ");
  EXPECT_EQ(used(decoded), "a<a c<c ");
  EXPECT_EQ(decoded.left_out, (std::vector<std::string>{"scout", "e", "d", "b"}));
  EXPECT_EQ(decoded.localizers, 1);
  EXPECT_EQ(refused(decoded),
            "no-place: CT slice without Image Position (Patient) or Image Orientation (Patient)\n");
  EXPECT_EQ(decoded.pictures[1].image.extra.dump(),
            R"({"slice":{"stack":1,"position":40.0,"of":5}})");
}

TEST_F(OfDraft, all_slices_come_by_position_and_series_by_their_first_file) {
  ct("x", 50), ct("y", 7, "A\\B", true, "1.2.9"), ct("z", 20);
  png("p.png");
  options_.source.layout = "any.yaml";
  options_.ct.rule = CtRule::all;
  EXPECT_EQ(ids(decode()), "z x y p ");
}

TEST_F(OfDraft, a_montage_is_of_key_slices_row_by_row) {
  ct("e", 50), ct("a", 20), ct("d", 10), ct("c", 40), ct("b", 30);
  options_.ct = {CtRule::montage, 3};  // middles 16.7, 30, 43.3: 20, 30, 40
  const Decoded decoded = decode();
  EXPECT_EQ(ids(decoded), "a-montage ");
  EXPECT_EQ(used(decoded), "a<a b<a c<a ");
  const Picture& picture = decoded.pictures.front();
  EXPECT_EQ(picture.image.extra.dump(), R"({"montage":{"stack":1,"rows":2,"columns":2,)"
                                        R"("positions":[20.0,30.0,40.0],"of":5}})");
  const auto pixels = image::decode_png(picture.png);
  ASSERT_TRUE(pixels);
  EXPECT_EQ(pixels->width, 8);
  EXPECT_EQ(pixels->height, 8);
  // LINEAR of centre 0, width 200 (C.11.2.1.2.1): ((v + .5) / 199 + .5) 255, rounded.
  const auto at = [&](size_t x, size_t y) { return int{pixels->pixels[y * 8 + x]}; };
  EXPECT_EQ(at(1, 0), 154);  // 20
  EXPECT_EQ(at(0, 0), 103);  // -20
  EXPECT_EQ(at(5, 0), 167);  // 30
  EXPECT_EQ(at(1, 4), 179);  // 40
  EXPECT_EQ(at(5, 5), 0);    // an empty cell
  options_.decode.longest_side = 4;
  EXPECT_EQ(decode().pictures.front().image.width, 4);
}

TEST_F(OfDraft, a_montage_with_a_slice_that_does_not_decode_is_refused_whole) {
  ct("a", 20), ct("b", 30), ct("c", 40);
  fs::resize_file(folder_.path() / "b", fs::file_size(folder_.path() / "b") - 8);
  options_.ct = {CtRule::montage, 3};
  const Decoded decoded = decode();
  EXPECT_TRUE(decoded.pictures.empty());
  EXPECT_TRUE(decoded.used.empty());
  ASSERT_EQ(decoded.refusals.size(), 3U) << refused(decoded);
  EXPECT_EQ(decoded.refusals[0].reason, "another slice of its montage cannot be used");
  EXPECT_NE(decoded.refusals[1].reason, decoded.refusals[0].reason);
}

TEST_F(OfDraft, a_window_in_Hounsfield_units_takes_the_place_of_the_files) {
  ct("a", 100);
  options_.decode.ct_window = "bone";
  const Decoded decoded = decode();
  ASSERT_EQ(decoded.pictures.size(), 1U) << refused(decoded);
  EXPECT_EQ(decoded.pictures[0].image.extra.dump(), R"({"window":"bone"})");
  const auto pixels = image::decode_png(decoded.pictures[0].png);
  // ((v - 399.5) / 1799 + .5) 255, rounded, of 100 and -100.
  EXPECT_EQ(pixels->pixels[1], 85);
  EXPECT_EQ(pixels->pixels[0], 57);
  image::FileBuilder bare;
  bare.layout(2, 2, 16, 12).words(DcmTag(DCM_PixelData, EVR_OW), {1, 2, 3, 4});
  bare.root().text(DCM_Modality, "CT");
  bare.save(folder_.path() / "bare");
  draft_.pictures.clear();
  add("bare");
  EXPECT_EQ(refused(decode()).substr(0, 35), "bare: CT without Hounsfield units: ");
}

TEST_F(OfDraft, a_mammogram_has_its_view_by_name_or_code_and_its_side) {
  for (const auto& [name, view, code, side] : std::vector<std::array<const char*, 4>>{
           {"1", "MLO", "R-10242", "L"}, {"2", "", "R-10226", "R"}, {"3", "", "399162004", "U"}}) {
    image::FileBuilder file;
    file.layout(2, 2, 16, 12).words(DcmTag(DCM_PixelData, EVR_OW), {1, 2, 3, 4});
    file.root().text(DCM_Modality, "MG").text(DCM_ImageLaterality, side);
    if (*view != '\0') file.root().text(DCM_ViewPosition, view);
    file.root().code(DCM_ViewCodeSequence, code, "a view");
    file.save(folder_.path() / name);
    add(name);
  }
  const Decoded decoded = decode();
  ASSERT_EQ(decoded.pictures.size(), 3U) << refused(decoded);
  EXPECT_EQ(decoded.pictures[0].image.view, "MLO");
  EXPECT_EQ(decoded.pictures[0].image.extra.dump(), R"({"laterality":"L"})");
  EXPECT_EQ(decoded.pictures[1].image.view, "MLO");
  EXPECT_EQ(decoded.pictures[2].image.view, "CC");
  EXPECT_TRUE(decoded.pictures[2].image.extra.empty());
}

}  // namespace
}  // namespace unirg::data
