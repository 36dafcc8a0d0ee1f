// Parity with Qwen2VLImageProcessor (goldens image, qwen3_vl_tiny_tied, made by make_golden.py)
// and small cases by hand. SPDX-License-Identifier: Apache-2.0
#include "policy/image_processor.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "golden.h"
#include "io/atomic_file.h"
#include "model/parameters.h"
#include "temp_folder.h"

namespace unirg::policy {
namespace {

namespace fs = std::filesystem;

double worst(const Tensor& a, const Tensor& b) { return (a - b).abs().max().item<double>(); }

std::vector<float> values(const Tensor& row) {
  const Tensor flat = row.contiguous();
  return {flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel()};
}

/// Levels come out as they are: x = ((v / 255) - 0) / (1 / 255).
ImageProcessor plain_processor(int64_t patch, int64_t merge, int64_t temporal) {
  return {.patch_size = patch,
          .temporal_patch_size = temporal,
          .merge_size = merge,
          .min_pixels = 1,
          .max_pixels = 1000,
          .mean = {0, 0, 0},
          .std = {1.0 / 255, 1.0 / 255, 1.0 / 255}};
}

TEST(PatchRows, rows_come_block_by_block_and_frames_repeat) {
  // Patches of one pixel, merged 2 x 2. Levels 0 1 2 3 above 4 5 6 7: blocks (0 1 4 5), (2 3 6 7).
  const SizedImage sized{{4, 2, 1, {0, 1, 2, 3, 4, 5, 6, 7}}, {2, 4}};
  const Tensor rows = patch_rows(plain_processor(1, 2, 2), sized);
  ASSERT_EQ(rows.sizes().vec(), (std::vector<int64_t>{8, 6}))
      << "patches x (3 channels, 2 frames, 1, 1)";
  const std::vector<float> order{0, 1, 4, 5, 2, 3, 6, 7};
  for (int64_t row = 0; row < 8; ++row) {
    for (const float value : values(rows[row]))
      EXPECT_NEAR(value, order[static_cast<size_t>(row)], 1e-5) << row;
  }
}

TEST(PatchRows, a_row_is_channel_then_frame_then_line_then_column) {
  // One RGB patch of 2 x 2 pixels, each (R, G, B) = (10, 20, 30) + position 0..3; two frames, both
  // the same.
  const SizedImage sized{{2, 2, 3, {10, 20, 30, 11, 21, 31, 12, 22, 32, 13, 23, 33}}, {1, 1}};
  const std::vector<float> got = values(patch_rows(plain_processor(2, 1, 2), sized));
  const std::vector<float> want{10, 11, 12, 13, 10, 11, 12, 13, 20, 21, 22, 23,
                                20, 21, 22, 23, 30, 31, 32, 33, 30, 31, 32, 33};
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-5) << i;
}

TEST(PatchRows, rescale_brightness_and_normalisation_are_worked_by_hand) {
  ImageProcessor p = plain_processor(1, 1, 1);
  p.mean = {0.5, 0.2, 0.0};
  p.std = {0.5, 0.1, 1.0};
  const SizedImage sized{{1, 1, 1, {51}}, {1, 1}};  // 51 / 255 = 0.2
  const std::vector<float> plain = values(patch_rows(p, sized));
  EXPECT_NEAR(plain[0], -0.6, 1e-6);  // (0.2 - 0.5) / 0.5
  EXPECT_NEAR(plain[1], 0.0, 1e-6);   // (0.2 - 0.2) / 0.1
  EXPECT_NEAR(plain[2], 0.2, 1e-6);
  const std::vector<float> bright =
      values(patch_rows(p, sized, {.gain = 2, .offset = 0.1}));  // 0.2 -> 0.5
  EXPECT_NEAR(bright[0], 0.0, 1e-6);
  EXPECT_NEAR(bright[1], 3.0, 1e-5);
  EXPECT_NEAR(bright[2], 0.5, 1e-6);
}

TEST(SizeImage, is_a_whole_number_of_merged_patches_within_the_pixel_limits) {
  const ImageProcessor p{.patch_size = 16, .merge_size = 2, .min_pixels = 1024, .max_pixels = 4096};
  const auto sized = size_image(p, {200, 100, 1, std::vector<uint8_t>(20000, 9)});
  ASSERT_TRUE(sized.has_value());
  // sqrt(200 x 100 / 4096) = 2.21; 200 / 2.21 = 90.5 -> 64, 100 / 2.21 = 45.3 -> 32 (down to
  // multiples of 32)
  EXPECT_EQ(sized->grid, (model::Grid{2, 4}));
  EXPECT_EQ(sized->pixels.width, 64);
  EXPECT_EQ(sized->pixels.height, 32);
  EXPECT_EQ(sized->pixels.pixels, std::vector<uint8_t>(64 * 32, 9)) << "an even picture stays even";
  EXPECT_FALSE(size_image(p, {1, 201, 1, std::vector<uint8_t>(201)}).has_value()) << "a needle";
}

TEST(LoadImageProcessor, reads_what_was_written) {
  testing::TempFolder folder;
  const ImageProcessor p{.patch_size = 8,
                         .temporal_patch_size = 1,
                         .merge_size = 4,
                         .min_pixels = 100,
                         .max_pixels = 2000,
                         .mean = {0.1, 0.2, 0.3},
                         .std = {0.4, 0.5, 0.6}};
  io::write_file(folder.path() / "preprocessor_config.json", to_json(p).dump());
  EXPECT_EQ(to_json(load_image_processor(folder.path())).dump(), to_json(p).dump());
}

TEST(LoadImageProcessor, reads_the_newer_file_and_the_older_pixel_limits) {
  testing::TempFolder folder;
  io::write_file(folder.path() / "processor_config.json",
                 R"({"image_processor": {"patch_size": 14, "min_pixels": 50, "max_pixels": 60}})");
  const ImageProcessor p = load_image_processor(folder.path());
  EXPECT_EQ(p.patch_size, 14);
  EXPECT_EQ(p.min_pixels, 50);
  EXPECT_EQ(p.max_pixels, 60);
}

TEST(LoadImageProcessor, names_the_file_and_what_is_wrong) {
  testing::TempFolder folder;
  const auto failure = [&](const char* text) {
    io::write_file(folder.path() / "preprocessor_config.json", text);
    try {
      (void)load_image_processor(folder.path());
    } catch (const Error& e) {
      EXPECT_EQ(e.exit(), Exit::data);
      return std::string(e.what());
    }
    return std::string("read without complaint");
  };
  EXPECT_NE(failure("[]").find("preprocessor_config.json: not a JSON object"), std::string::npos);
  EXPECT_NE(failure(R"({"patch_size": "16"})").find("'patch_size'"), std::string::npos);
  EXPECT_NE(failure(R"({"image_mean": [0.5, 0.5]})").find("'image_mean': expected three numbers"),
            std::string::npos);
  EXPECT_NE(failure(R"({"size": {"shortest_edge": 9, "longest_edge": 4}})").find("out of range"),
            std::string::npos);
  EXPECT_NE(failure(R"({"temporal_patch_size": 0})").find("out of range"), std::string::npos);
  EXPECT_NE(failure(R"({"image_std": [0.5, 0, 0.5]})").find("out of range"), std::string::npos);
}

TEST(LoadImageProcessor, without_a_file_is_no_input) {
  testing::TempFolder folder;
  try {
    (void)load_image_processor(folder.path());
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::no_input);
  }
}

image::Image8 load_png(const fs::path& file) {
  return image::decode_png(io::read_file(file)).value();
}

TEST(Golden, sizes_bytes_and_patch_rows_equal_those_of_transformers) {
  const fs::path folder = testing::golden_folder("image");
  UNIRG_SKIP_WITHOUT(folder);
  const model::Parameters golden = model::load_tensors(folder / "golden.safetensors");
  const io::Json cases = io::Json::parse(io::read_file(folder / "golden.json")).at("cases");
  ASSERT_EQ(cases.size(), 7);
  for (const io::Json& c : cases) {
    const std::string name = c.at("name");
    ImageProcessor p{.patch_size = c.at("patch_size"),
                     .min_pixels = c.at("shortest_edge"),
                     .max_pixels = c.at("longest_edge")};
    if (c.at("clip_statistics").get<bool>()) {
      p.mean = {0.48145466, 0.4578275, 0.40821073};
      p.std = {0.26862954, 0.26130258, 0.27577711};
    }
    const auto sized = size_image(p, load_png(folder / (name + ".png")));
    ASSERT_TRUE(sized.has_value()) << name;
    EXPECT_EQ(sized->pixels.height, c.at("resized_hw")[0].get<int64_t>()) << name;
    EXPECT_EQ(sized->pixels.width, c.at("resized_hw")[1].get<int64_t>()) << name;
    const Tensor bytes = golden.at(name + ".resized_u8").contiguous();
    const image::Image8 rgb = image::to_rgb(sized->pixels);
    EXPECT_EQ(rgb.pixels, std::vector<uint8_t>(bytes.const_data_ptr<uint8_t>(),
                                               bytes.const_data_ptr<uint8_t>() + bytes.numel()))
        << name;
    const Tensor rows = patch_rows(p, *sized);
    const Tensor& expected = golden.at(name + ".pixel_values");
    ASSERT_EQ(rows.sizes().vec(), expected.sizes().vec()) << name;
    EXPECT_LT(worst(rows, expected), 1e-6) << name;
  }
}

TEST(Golden, pixel_values_of_the_tiny_checkpoint_equal_those_of_transformers) {
  const fs::path folder = testing::golden_folder("qwen3_vl_tiny_tied");
  const model::Parameters golden = model::load_tensors(folder / "golden.safetensors");
  const ImageProcessor p = load_image_processor(folder);
  std::vector<Tensor> rows;
  for (const char* name : {"image0.png", "image1.png"}) {
    const auto sized = size_image(p, load_png(folder / name));
    ASSERT_TRUE(sized.has_value());
    const Tensor& grid = golden.at("image_grid_thw");
    const auto i = static_cast<int64_t>(rows.size());
    EXPECT_EQ(sized->grid, (model::Grid{grid[i][1].item<int64_t>(), grid[i][2].item<int64_t>()}))
        << name;
    rows.push_back(patch_rows(p, *sized));
  }
  const Tensor levels = golden.at("pixel_levels").to(at::kFloat);  // see copy_golden.py
  EXPECT_LT(worst(at::cat(rows, 0), (levels / 255.0F - 0.5F) / 0.5F), 1e-6);
}

}  // namespace
}  // namespace unirg::policy
