// Pictures to patch rows, as preprocessor_config.json says: smart_resize, Pillow's bicubic,
// rescale, normalise, patchify. Source: transformers Qwen2VLImageProcessor; parity in
// tests/unit/policy. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <filesystem>
#include <optional>

#include "base/result.h"
#include "image/image.h"
#include "io/jsonl.h"
#include "model/positions.h"

namespace unirg::policy {

using at::Tensor;

struct ImageProcessor {
  int64_t patch_size = 16;
  int64_t temporal_patch_size = 2;
  int64_t merge_size = 2;
  int64_t min_pixels = 65536;  ///< pixel counts, published as size.shortest_edge / longest_edge
  int64_t max_pixels = 16777216;
  std::array<double, 3> mean{0.5, 0.5, 0.5};
  std::array<double, 3> std{0.5, 0.5, 0.5};
};

/// preprocessor_config.json, or the "image_processor" object of processor_config.json.
/// \throws Error(Exit::no_input) if neither is there, Error(Exit::data) naming file and key
ImageProcessor load_image_processor(const std::filesystem::path& checkpoint);
/// What load_image_processor reads, in Hugging Face's layout.
io::Json to_json(const ImageProcessor& processor);

/// The picture at the size the model sees it, before normalisation: 8 bits, 1 or 3 channels.
struct SizedImage {
  image::Image8 pixels;
  model::Grid grid;
};
Result<SizedImage> size_image(const ImageProcessor& processor, const image::Image8& picture);

/// A change of brightness for training: grey value v in 0..1 becomes gain v + offset, before
/// normalisation.
struct Brightness {
  double gain = 1;
  double offset = 0;
};

/// Patch rows of a sized picture. \returns [grid.patches(), 3 * temporal * patch * patch] float32,
/// row layout (channel, time, row, column), rows in block order (merge x merge patches of one token
/// together)
Tensor patch_rows(const ImageProcessor& processor, const SizedImage& sized,
                  const Brightness& brightness = {});

}  // namespace unirg::policy
