// SPDX-License-Identifier: Apache-2.0
#include "image/slide_reader.h"

#include <fmt/format.h>
#include <openslide/openslide.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <memory>

#include "image/resize.h"
#include "image/tissue.h"

namespace unirg::image::internal {
namespace fs = std::filesystem;
namespace {

constexpr int64_t kThumbnailSide = 2048;
constexpr int64_t kMaxThumbnailSource = int64_t{1} << 30;  // pixels of the level it is made from
constexpr int64_t kMaxRegion = int64_t{1} << 26;           // pixels read at once
constexpr double kMaxEnlargement = 1.1;

struct CloseSlide {
  void operator()(openslide_t* slide) const { openslide_close(slide); }
};
using Slide = std::unique_ptr<openslide_t, CloseSlide>;

/// "" or what OpenSlide says is wrong, without the file's name.
std::string problem_of(openslide_t* slide, const fs::path& path) {
  const char* error = openslide_get_error(slide);
  if (error == nullptr) return "";
  std::string text = error;
  for (size_t at = text.find(path.string()); at != std::string::npos; at = text.find(path.string()))
    text.replace(at, path.string().size(), "the file");
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < 0x20 || c > 0x7E; }, '?');
  return text.substr(0, 200);
}

/// A positive number; 0 if there is none.
double property(openslide_t* slide, const char* name) {
  const char* text = openslide_get_property_value(slide, name);
  if (text == nullptr) return 0;
  double value = 0;
  const char* const end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, value);
  return error == std::errc() && stop == end && std::isfinite(value) && value > 0 ? value : 0;
}

struct Resolution {
  double x = 0, y = 0;  ///< microns of a pixel of level 0; 0: not known
};

Resolution resolution_of(openslide_t* slide) {
  const Resolution told{property(slide, OPENSLIDE_PROPERTY_NAME_MPP_X),
                        property(slide, OPENSLIDE_PROPERTY_NAME_MPP_Y)};
  if (told.x > 0 && told.y > 0) return told;
  const double power = property(slide, OPENSLIDE_PROPERTY_NAME_OBJECTIVE_POWER);
  if (power > 0) return {10 / power, 10 / power};
  // Of a TIFF without a maker's marks OpenSlide gives the tags alone.
  const char* unit = openslide_get_property_value(slide, "tiff.ResolutionUnit");
  const std::string_view name = unit == nullptr ? "" : unit;
  const double microns = name == "inch" ? 25400 : name == "centimeter" ? 10000 : 0;
  const double x = property(slide, "tiff.XResolution");
  const double y = property(slide, "tiff.YResolution");
  return x > 0 && y > 0 ? Resolution{microns / x, microns / y} : Resolution{};
}

/// An open slide and how tiles lie on it.
struct Plan {
  int64_t width = 0, height = 0;                ///< of level 0
  double scale_x = 1, scale_y = 1;              ///< pixels of level 0 for one of a tile
  int64_t tile_width = 0, tile_height = 0;      ///< in pixels of level 0
  int level = 0;                                ///< to read tiles from
  int64_t region_width = 0, region_height = 0;  ///< of a tile in pixels of that level
  double mpp = 0;
};

Result<Plan> plan_tiles(openslide_t* slide, const TileOptions& options) {
  Plan plan;
  openslide_get_level0_dimensions(slide, &plan.width, &plan.height);
  if (plan.width <= 0 || plan.height <= 0) return bad_record("damaged slide: it has no size");
  const Resolution told = resolution_of(slide);
  plan.mpp = told.x;
  if (options.mpp > 0) {
    if (told.x <= 0)
      return bad_record(
          "slide does not say how large its pixels are (hint: --slide-mpp 0 takes them as they "
          "are)");
    if (std::max(told.x, told.y) > options.mpp * kMaxEnlargement)
      return bad_record(fmt::format("slide has {:.4g} microns per pixel, too coarse for {:.4g}",
                                    std::max(told.x, told.y), options.mpp));
    plan.scale_x = options.mpp / told.x;
    plan.scale_y = options.mpp / told.y;
    plan.mpp = options.mpp;
  }
  const auto size = static_cast<double>(options.size);
  // A scale beyond the slide would not fit an integer.
  if (size * plan.scale_x > static_cast<double>(plan.width) ||
      size * plan.scale_y > static_cast<double>(plan.height))
    return bad_record("slide is smaller than a tile");
  plan.tile_width = std::llround(size * plan.scale_x);
  plan.tile_height = std::llround(size * plan.scale_y);
  if (plan.tile_width > plan.width || plan.tile_height > plan.height)
    return bad_record("slide is smaller than a tile");
  plan.level = openslide_get_best_level_for_downsample(slide, std::min(plan.scale_x, plan.scale_y));
  const double downsample = openslide_get_level_downsample(slide, plan.level);
  if (plan.level < 0 || !(downsample >= 1)) return bad_record("damaged slide: it has no levels");
  const auto of_level = [&](int64_t n) {
    return std::max<int64_t>(1, std::llround(static_cast<double>(n) / downsample));
  };
  plan.region_width = of_level(plan.tile_width);
  plan.region_height = of_level(plan.tile_height);
  if (plan.region_width > kMaxRegion / plan.region_height)
    return bad_record("slide has no level near the resolution of the tiles");
  return plan;
}

/// Premultiplied ARGB over white. Reasons: OpenSlide's.
Result<Image8> read_region(openslide_t* slide, const fs::path& path, int64_t x, int64_t y,
                           int level, int64_t width, int64_t height) {
  const auto count = static_cast<size_t>(width * height);
  const auto argb = std::make_unique_for_overwrite<uint32_t[]>(count);
  openslide_read_region(slide, argb.get(), x, y, level, width, height);
  if (const std::string problem = problem_of(slide, path); !problem.empty())
    return bad_record(fmt::format("damaged slide: '{}'", problem));
  Image8 image{width, height, 3, std::vector<uint8_t>(3 * count)};
  for (size_t i = 0; i < count; ++i) {
    const uint32_t pixel = argb[i];
    const uint32_t white = 255 - (pixel >> 24);
    for (size_t c = 0; c < 3; ++c) {
      const uint32_t value = ((pixel >> (16 - 8 * c)) & 255) + white;
      image.pixels[3 * i + c] = static_cast<uint8_t>(std::min(value, 255U));
    }
  }
  return image;
}

/// Means of rectangles of a level, which is read a band of rows at a time.
Result<Image8> read_thumbnail(openslide_t* slide, const fs::path& path, const Plan& plan) {
  const double scale =
      std::max(1.0, static_cast<double>(std::max(plan.width, plan.height)) / kThumbnailSide);
  const int level = openslide_get_best_level_for_downsample(slide, scale);
  int64_t width = 0;
  int64_t height = 0;
  openslide_get_level_dimensions(slide, level, &width, &height);
  if (width <= 0 || height <= 0) return bad_record("damaged slide: a level has no size");
  if (width > kMaxThumbnailSource / height)
    return bad_record("slide has no level small enough to find tissue on (hint: a pyramid)");
  const double downsample = openslide_get_level_downsample(slide, level);
  const auto thumbnail_side = [&](int64_t full, int64_t of_level) {
    return std::clamp<int64_t>(std::llround(static_cast<double>(full) / scale), 1, of_level);
  };
  Image8 out{thumbnail_side(plan.width, width), thumbnail_side(plan.height, height), 3, {}};
  for (int64_t row = 0; row < out.height; ++row) {
    const int64_t top = row * height / out.height;
    const int64_t bottom = (row + 1) * height / out.height;
    if (width > kMaxRegion / (bottom - top))
      return bad_record("slide has no level small enough to find tissue on (hint: a pyramid)");
    const auto band =
        read_region(slide, path, 0, std::llround(static_cast<double>(top) * downsample), level,
                    width, bottom - top);
    if (!band) return tl::unexpected(band.error());
    for (int64_t column = 0; column < out.width; ++column) {
      const int64_t left = column * width / out.width;
      const int64_t right = (column + 1) * width / out.width;
      const int64_t count = (right - left) * (bottom - top);
      for (int64_t c = 0; c < 3; ++c) {
        int64_t sum = 0;
        for (int64_t y = 0; y < bottom - top; ++y) {
          for (int64_t x = left; x < right; ++x)
            sum += band->pixels[static_cast<size_t>((y * width + x) * 3 + c)];
        }
        out.pixels.push_back(static_cast<uint8_t>((sum + count / 2) / count));
      }
    }
  }
  return out;
}

}  // namespace

bool detect_slide(const fs::path& path) {
  const char* vendor = openslide_detect_vendor(path.c_str());
  if (vendor == nullptr) return false;
  if (std::string_view(vendor) != "generic-tiff") return true;
  const Slide slide(openslide_open(path.c_str()));
  if (!slide || openslide_get_error(slide.get()) != nullptr) return false;
  int64_t width = 0;
  int64_t height = 0;
  openslide_get_level0_dimensions(slide.get(), &width, &height);
  const bool is_large = width > 0 && height > kMaxPixels / width;
  return is_large || openslide_get_level_count(slide.get()) > 1;
}

Result<int64_t> read_slide_tiles(const fs::path& path, const TileOptions& options,
                                 const TakeTile& take) {
  const Slide slide(openslide_open(path.c_str()));
  if (!slide) return bad_record("no slide that OpenSlide reads");
  if (const std::string problem = problem_of(slide.get(), path); !problem.empty())
    return bad_record(fmt::format("damaged slide: '{}'", problem));
  const auto plan = plan_tiles(slide.get(), options);
  if (!plan) return tl::unexpected(plan.error());
  const auto thumbnail = read_thumbnail(slide.get(), path, *plan);
  if (!thumbnail) return tl::unexpected(thumbnail.error());
  const auto mask = find_tissue(*thumbnail);
  if (!mask) return bad_record("slide shows no tissue: its thumbnail has one saturation");
  const double cells_x = static_cast<double>(mask->width) / static_cast<double>(plan->width);
  const double cells_y = static_cast<double>(mask->height) / static_cast<double>(plan->height);
  const auto candidates =
      tissue_tiles(*mask, plan->width / plan->tile_width, plan->height / plan->tile_height,
                   static_cast<double>(plan->tile_width) * cells_x,
                   static_cast<double>(plan->tile_height) * cells_y, options.tissue);
  if (candidates.empty())
    return bad_record(fmt::format("slide has no tile with {:.4g} of tissue", options.tissue));
  for (const TilePlace& place : spread(candidates, options.count)) {
    SlideTile tile{{},
                   place.column * plan->tile_width,
                   place.row * plan->tile_height,
                   plan->tile_width,
                   plan->tile_height,
                   plan->level,
                   plan->mpp,
                   place.tissue};
    auto region = read_region(slide.get(), path, tile.x, tile.y, plan->level, plan->region_width,
                              plan->region_height);
    if (!region) return tl::unexpected(region.error());
    tile.image = resize_bicubic(*region, options.size, options.size);
    take(tile);
  }
  return static_cast<int64_t>(candidates.size());
}

}  // namespace unirg::image::internal
