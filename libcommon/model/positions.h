// Where tokens and patches stand: 3-D positions of the text stream (M-RoPE) and the patch grids of
// images. Pure integer work, no LibTorch. Source: transformers qwen3_vl, get_rope_index; parity in
// tests/unit/model. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "model/config.h"

namespace unirg::model {

/// Patches of one still image: height x width patches (before merging).
struct Grid {
  int64_t height = 0;
  int64_t width = 0;
  bool operator==(const Grid&) const = default;
  [[nodiscard]] int64_t patches() const { return height * width; }
};

/// Positions of a token sequence.
struct Positions {
  std::vector<std::array<int64_t, 3>> ids;  ///< (time, height, width) of each token
  int64_t next = 0;  ///< position of the token after the last, on all three axes
};

/// \param tokens ids with image placeholders expanded (one per merged token)
/// \param grids  of the images, in order of appearance
/// \throws Error(Exit::data) if placeholders and grids do not match, or a video placeholder appears
Positions mrope_positions(const ModelConfig& config, const std::vector<int64_t>& tokens,
                          const std::vector<Grid>& grids);

}  // namespace unirg::model
