// What OpenSlide does, in the process that calls it: slide.cc calls it in a child. Internal to this
// module. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "base/result.h"
#include "image/slide.h"

namespace unirg::image::internal {

/// Place and picture of each tile.
using TakeTile = std::function<void(const SlideTile&)>;

/// is_slide() of a file that may be one by its name or first bytes.
bool detect_slide(const std::filesystem::path& path);

/// read_tiles().
Result<int64_t> read_slide_tiles(const std::filesystem::path& path, const TileOptions& options,
                                 const TakeTile& take);

}  // namespace unirg::image::internal
