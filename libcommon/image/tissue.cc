// SPDX-License-Identifier: Apache-2.0
#include "image/tissue.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace unirg::image {

uint8_t saturation(uint8_t red, uint8_t green, uint8_t blue) {
  const int high = std::max({red, green, blue});
  const int low = std::min({red, green, blue});
  return high == 0 ? uint8_t{0} : static_cast<uint8_t>(((high - low) * 510 + high) / (2 * high));
}

std::optional<int> otsu_threshold(const std::array<int64_t, 256>& histogram) {
  double total = 0;
  double sum = 0;
  for (size_t v = 0; v < histogram.size(); ++v) {
    total += static_cast<double>(histogram[v]);
    sum += static_cast<double>(histogram[v]) * static_cast<double>(v);
  }
  std::optional<int> best;
  double best_variance = 0;
  double below = 0;
  double sum_below = 0;
  for (size_t t = 0; t + 1 < histogram.size(); ++t) {
    below += static_cast<double>(histogram[t]);
    sum_below += static_cast<double>(histogram[t]) * static_cast<double>(t);
    const double above = total - below;
    if (below == 0 || above == 0) continue;
    const double distance = sum_below / below - (sum - sum_below) / above;
    const double variance = below * above * distance * distance;
    if (variance > best_variance) best = static_cast<int>(t), best_variance = variance;
  }
  return best;
}

std::optional<TissueMask> find_tissue(const Image8& thumbnail) {
  UNIRG_ASSERT(thumbnail.channels == 3, "a thumbnail has colours");
  TissueMask mask{thumbnail.width, thumbnail.height, 0, {}};
  mask.tissue.resize(thumbnail.pixels.size() / 3);
  std::array<int64_t, 256> histogram{};
  for (size_t i = 0; i < mask.tissue.size(); ++i) {
    const uint8_t* p = thumbnail.pixels.data() + 3 * i;
    mask.tissue[i] = saturation(p[0], p[1], p[2]);
    ++histogram[mask.tissue[i]];
  }
  const auto threshold = otsu_threshold(histogram);
  if (!threshold) return std::nullopt;
  mask.threshold = *threshold;
  for (uint8_t& cell : mask.tissue) cell = cell > *threshold ? 1 : 0;
  return mask;
}

namespace {

/// Cells whose centres lie in [k size, (k + 1) size), or else the one that holds the middle.
std::array<int64_t, 2> cells_of(int64_t k, double size, int64_t cells) {
  const double begin = static_cast<double>(k) * size;
  auto first = static_cast<int64_t>(std::ceil(begin - 0.5));
  auto last = static_cast<int64_t>(std::ceil(begin + size - 0.5));
  if (first >= last) {
    first = static_cast<int64_t>(std::floor(begin + size / 2));
    last = first + 1;
  }
  first = std::clamp<int64_t>(first, 0, cells - 1);
  return {first, std::clamp<int64_t>(last, first + 1, cells)};
}

}  // namespace

std::vector<TilePlace> tissue_tiles(const TissueMask& mask, int64_t columns, int64_t rows,
                                    double tile_width, double tile_height, double least) {
  std::vector<TilePlace> places;
  for (int64_t row = 0; row < rows; ++row) {
    const auto [top, bottom] = cells_of(row, tile_height, mask.height);
    for (int64_t column = 0; column < columns; ++column) {
      const auto [left, right] = cells_of(column, tile_width, mask.width);
      int64_t tissue = 0;
      for (int64_t y = top; y < bottom; ++y) {
        const uint8_t* line = mask.tissue.data() + y * mask.width;
        tissue += std::count(line + left, line + right, uint8_t{1});
      }
      const double share =
          static_cast<double>(tissue) / static_cast<double>((bottom - top) * (right - left));
      if (share >= least) places.push_back({column, row, share});
    }
  }
  return places;
}

std::vector<TilePlace> spread(const std::vector<TilePlace>& places, int64_t count) {
  const auto n = static_cast<int64_t>(places.size());
  if (n <= count) return places;
  std::vector<TilePlace> chosen;
  for (int64_t k = 0; k < count; ++k)
    chosen.push_back(places[static_cast<size_t>((2 * k + 1) * n / (2 * count))]);
  return chosen;
}

}  // namespace unirg::image
