// SPDX-License-Identifier: Apache-2.0
#include "model/positions.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace unirg::model {

Positions mrope_positions(const ModelConfig& config, const std::vector<int64_t>& tokens,
                          const std::vector<Grid>& grids) {
  Positions positions;
  positions.ids.reserve(tokens.size());
  const int64_t merge = config.vision.spatial_merge_size;
  size_t image = 0;
  size_t i = 0;
  while (i < tokens.size()) {
    if (tokens[i] == config.video_token_id)
      throw Error(Exit::data, "video placeholders are not supported");
    if (tokens[i] != config.image_token_id) {
      positions.ids.push_back({positions.next, positions.next, positions.next});
      ++positions.next;
      ++i;
      continue;
    }
    if (image == grids.size()) throw Error(Exit::data, "more image placeholders than images");
    const int64_t rows = grids[image].height / merge;
    const int64_t columns = grids[image].width / merge;
    for (int64_t k = 0; k < rows * columns; ++k, ++i) {
      if (i >= tokens.size() || tokens[i] != config.image_token_id) {
        throw Error(Exit::data, fmt::format("image {} has {} placeholders, its grid needs {}",
                                            image, k, rows * columns));
      }
      positions.ids.push_back(
          {positions.next, positions.next + k / columns, positions.next + k % columns});
    }
    positions.next += std::max(rows, columns);
    ++image;
  }
  if (image != grids.size())
    throw Error(Exit::data, fmt::format("{} images but placeholders for {}", grids.size(), image));
  return positions;
}

}  // namespace unirg::model
