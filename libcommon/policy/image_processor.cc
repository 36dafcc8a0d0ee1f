// SPDX-License-Identifier: Apache-2.0
#include "policy/image_processor.h"

#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "image/resize.h"
#include "io/atomic_file.h"

namespace unirg::policy {
namespace {

using io::Json;

[[noreturn]] void fail(const std::string& file, const std::string& why) {
  throw Error(Exit::data, fmt::format("{}: {}", file, why));
}

void read_integer(const Json& object, const std::string& file, const char* key, int64_t& out) {
  const auto value = io::Fields(object).optional_integer(key);
  if (!value) fail(file, value.error().reason);
  if (*value) out = **value;
}

void read_triple(const Json& object, const std::string& file, const char* key,
                 std::array<double, 3>& out) {
  if (!object.contains(key)) return;
  const auto values = io::Fields(object).numbers(key);
  if (!values || values->size() != 3)
    fail(file, fmt::format("key '{}': expected three numbers", key));
  std::copy(values->begin(), values->end(), out.begin());
}

ImageProcessor from_json(const Json& object, const std::string& file) {
  ImageProcessor p;
  read_integer(object, file, "patch_size", p.patch_size);
  read_integer(object, file, "temporal_patch_size", p.temporal_patch_size);
  read_integer(object, file, "merge_size", p.merge_size);
  if (object.contains("size") && object["size"].is_object()) {
    read_integer(object["size"], file, "shortest_edge", p.min_pixels);
    read_integer(object["size"], file, "longest_edge", p.max_pixels);
  }
  read_integer(object, file, "min_pixels", p.min_pixels);
  read_integer(object, file, "max_pixels", p.max_pixels);
  read_triple(object, file, "image_mean", p.mean);
  read_triple(object, file, "image_std", p.std);
  const bool sized = p.patch_size >= 1 && p.merge_size >= 1 && p.temporal_patch_size >= 1;
  if (!sized || p.min_pixels < 1 || p.max_pixels < p.min_pixels) fail(file, "sizes out of range");
  if (std::any_of(p.std.begin(), p.std.end(), [](double s) { return s <= 0; }))
    fail(file, "key 'image_std': out of range");
  return p;
}

}  // namespace

ImageProcessor load_image_processor(const std::filesystem::path& checkpoint) {
  for (const char* name : {"preprocessor_config.json", "processor_config.json"}) {
    const std::filesystem::path file = checkpoint / name;
    if (!std::filesystem::exists(file)) continue;
    Json object = Json::parse(io::read_file(file), nullptr, /*allow_exceptions=*/false);
    if (object.is_discarded() || !object.is_object()) fail(file.string(), "not a JSON object");
    if (object.contains("image_processor")) object = Json(object["image_processor"]);
    return from_json(object, file.string());
  }
  throw Error(Exit::no_input,
              fmt::format("no preprocessor_config.json in '{}'", checkpoint.string()));
}

Json to_json(const ImageProcessor& p) {
  return {{"do_convert_rgb", true},
          {"do_normalize", true},
          {"do_rescale", true},
          {"do_resize", true},
          {"image_mean", p.mean},
          {"image_processor_type", "Qwen2VLImageProcessorFast"},
          {"image_std", p.std},
          {"merge_size", p.merge_size},
          {"patch_size", p.patch_size},
          {"resample", 3},
          {"rescale_factor", 1.0 / 255.0},
          {"size", {{"longest_edge", p.max_pixels}, {"shortest_edge", p.min_pixels}}},
          {"temporal_patch_size", p.temporal_patch_size}};
}

Result<SizedImage> size_image(const ImageProcessor& p, const image::Image8& picture) {
  const auto size = image::smart_resize(picture.height, picture.width, p.patch_size * p.merge_size,
                                        p.min_pixels, p.max_pixels);
  if (!size) return tl::unexpected(size.error());
  return SizedImage{image::resize_bicubic(picture, size->width, size->height),
                    {size->height / p.patch_size, size->width / p.patch_size}};
}

Tensor patch_rows(const ImageProcessor& p, const SizedImage& sized, const Brightness& brightness) {
  constexpr int64_t kChannels = 3;
  const image::Image8& picture = sized.pixels;
  const int64_t side = p.patch_size;
  const int64_t area = side * side;
  // value(level, channel), tabulated: rescale in double rounded to float32, then normalise in
  // float32.
  std::array<std::array<float, 256>, kChannels> table{};
  for (size_t c = 0; c < kChannels; ++c) {
    for (size_t level = 0; level < 256; ++level) {
      const auto scaled = static_cast<float>(
          static_cast<double>(level) * (1.0 / 255.0) * brightness.gain + brightness.offset);
      table[c][level] = (scaled - static_cast<float>(p.mean[c])) / static_cast<float>(p.std[c]);
    }
  }
  Tensor rows =
      at::empty({sized.grid.patches(), kChannels * p.temporal_patch_size * area}, at::kFloat);
  float* out = rows.mutable_data_ptr<float>();
  const auto write_patch = [&](int64_t row, int64_t column) {
    for (int64_t c = 0; c < kChannels; ++c) {
      const int64_t source_channel = picture.channels == 1 ? 0 : c;
      for (int64_t t = 0; t < p.temporal_patch_size; ++t) {  // a still image: every frame the same
        for (int64_t y = 0; y < side; ++y) {
          const uint8_t* line =
              picture.pixels.data() +
              ((row * side + y) * picture.width + column * side) * picture.channels +
              source_channel;
          for (int64_t x = 0; x < side; ++x)
            *out++ = table[static_cast<size_t>(c)][line[x * picture.channels]];
        }
      }
    }
  };
  for (int64_t block_row = 0; block_row < sized.grid.height; block_row += p.merge_size) {
    for (int64_t block_column = 0; block_column < sized.grid.width; block_column += p.merge_size) {
      for (int64_t r = 0; r < p.merge_size; ++r) {
        for (int64_t c = 0; c < p.merge_size; ++c) write_patch(block_row + r, block_column + c);
      }
    }
  }
  return rows;
}

}  // namespace unirg::policy
