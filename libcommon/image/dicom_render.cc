// The grey-scale pipeline of PS3.3 C.11. A stored value has at most 2^16 values in nearly every
// file, so grey levels are computed once per value that can occur and then looked up.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "image/dicom.h"

namespace unirg::image {
namespace {

uint8_t to_level(double y) {
  return static_cast<uint8_t>(std::floor(255.0 * std::clamp(y, 0.0, 1.0) + 0.5));
}

uint16_t look_up(const LookupTable& table, double value) {
  const double index = std::clamp(std::floor(value) - table.first, 0.0,
                                  static_cast<double>(table.values.size() - 1));
  return table.values[static_cast<size_t>(index)];
}

double modality_value(const DicomImage& image, int32_t stored) {
  if (image.modality_lut) return look_up(*image.modality_lut, stored);
  return stored * image.rescale_slope + image.rescale_intercept;
}

struct Range {
  double low = 0.0;
  double high = 0.0;
};

/// 0..1 before inversion. `range` is that of the modality values present.
double voi_value(const DicomImage& image, VoiSource source, const Range& range, double value) {
  switch (source) {
    case VoiSource::lut:
      return look_up(*image.voi_lut, value) /
             static_cast<double>((int64_t{1} << image.voi_lut->bits) - 1);
    case VoiSource::window:
      return apply_window(*image.window, value);
    case VoiSource::full_range:
    case VoiSource::color:
      return (value - range.low) / (range.high - range.low);
  }
  return 0.0;
}

bool is_padding(const DicomImage& image, int32_t stored) {
  return image.padding && stored >= (*image.padding)[0] && stored <= (*image.padding)[1];
}

struct StoredRange {
  int32_t low = INT32_MAX;
  int32_t high = INT32_MIN;
};

StoredRange stored_range(const DicomImage& image, size_t count) {
  StoredRange range;
  if (!image.padding) {
    for (size_t i = 0; i < count; ++i) {
      range.low = std::min(range.low, image.pixels[i]);
      range.high = std::max(range.high, image.pixels[i]);
    }
    return range;
  }
  for (size_t i = 0; i < count; ++i) {
    if (is_padding(image, image.pixels[i])) continue;
    range.low = std::min(range.low, image.pixels[i]);
    range.high = std::max(range.high, image.pixels[i]);
  }
  return range;
}

/// Without a table the modality step is monotonic; with one, every value present counts.
Range modality_range(const DicomImage& image, size_t count, const StoredRange& stored) {
  Range range{modality_value(image, stored.low), modality_value(image, stored.high)};
  if (range.low > range.high) std::swap(range.low, range.high);
  if (!image.modality_lut) return range;
  for (size_t i = 0; i < count; ++i) {
    if (is_padding(image, image.pixels[i])) continue;
    range.low = std::min(range.low, modality_value(image, image.pixels[i]));
    range.high = std::max(range.high, modality_value(image, image.pixels[i]));
  }
  return range;
}

/// Applies `level` to every pixel, through a table where the values span no more than 16 bits.
template <typename Level>
std::vector<uint8_t> map_levels(const DicomImage& image, size_t count, const StoredRange& stored,
                                const Level& level) {
  std::vector<uint8_t> out(count);
  const int64_t values = int64_t{stored.high} - stored.low + 1;
  if (values > 65536) {
    for (size_t i = 0; i < count; ++i) out[i] = level(image.pixels[i]);
    return out;
  }
  std::vector<uint8_t> levels(static_cast<size_t>(values));
  for (int64_t v = 0; v < values; ++v) {
    levels[static_cast<size_t>(v)] = level(static_cast<int32_t>(stored.low + v));
  }
  for (size_t i = 0; i < count; ++i) {
    const auto at = static_cast<uint64_t>(int64_t{image.pixels[i]} - stored.low);
    out[i] = at < levels.size() ? levels[at] : uint8_t{0};  // outside is padding, hence black
  }
  return out;
}

bool is_constant(const std::vector<uint8_t>& pixels) {
  return std::all_of(pixels.begin(), pixels.end(),
                     [&](uint8_t level) { return level == pixels.front(); });
}

Result<Image8> render_monochrome(const DicomImage& image) {
  const auto count = static_cast<size_t>(image.rows * image.columns);
  const StoredRange stored = stored_range(image, count);
  if (stored.low >= stored.high) return bad_record("every pixel of the image has one value");
  const Range range = modality_range(image, count, stored);
  if (range.low == range.high) {
    return bad_record("every pixel of the image has one value after the modality step");
  }
  const VoiSource source = voi_source(image);
  const auto level = [&](int32_t value) -> uint8_t {
    if (is_padding(image, value)) return 0;
    const double y = voi_value(image, source, range, modality_value(image, value));
    return to_level(image.is_inverse ? 1.0 - y : y);
  };
  Image8 out{image.columns, image.rows, 1, map_levels(image, count, stored, level)};
  if (is_constant(out.pixels)) {
    return bad_record(fmt::format("the image has one grey level after its {}",
                                  source == VoiSource::lut ? "VOI LUT" : "window"));
  }
  return out;
}

/// Grey of one colour pixel in 0..1.
double color_value(const DicomImage& image, const int32_t* p) {
  const auto top = static_cast<double>((int64_t{1} << image.bits_stored) - 1);
  if (image.photometric == "RGB") {
    return (0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2]) / top;
  }
  if (image.photometric.starts_with("YBR_PARTIAL")) {
    const auto unit = static_cast<double>(int64_t{1} << (image.bits_stored - 8));
    return (p[0] - 16.0 * unit) / (219.0 * unit);  // C.7.6.3.1.2: black 16, white 235 of 8 bits
  }
  return p[0] / top;  // YBR_FULL: Y is the BT.601 luma
}

double palette_value(const DicomImage& image, int32_t stored) {
  constexpr std::array<double, 3> kLuma{0.299, 0.587, 0.114};
  double y = 0.0;
  for (size_t c = 0; c < 3; ++c) {
    const LookupTable& table = (*image.palette)[c];
    y += kLuma[c] * look_up(table, stored) / static_cast<double>((1 << table.bits) - 1);
  }
  return y;
}

Result<Image8> render_color(const DicomImage& image) {
  const bool is_palette = image.photometric == "PALETTE COLOR";
  if (is_palette && (!image.palette || image.samples != 1)) {
    return bad_record("palette colour image without a usable palette");
  }
  if (!is_palette && (image.samples != 3 || image.bits_stored < 8)) {
    return bad_record("colour image without three samples of 8 bits or more");
  }
  const auto count = static_cast<size_t>(image.rows * image.columns);
  Image8 out{image.columns, image.rows, 1, std::vector<uint8_t>(count)};
  for (size_t i = 0; i < count; ++i) {
    const double y = is_palette ? palette_value(image, image.pixels[i])
                                : color_value(image, image.pixels.data() + 3 * i);
    out.pixels[i] = to_level(y);
  }
  if (is_constant(out.pixels)) return bad_record("every pixel of the image has one value");
  return out;
}

bool is_monochrome(const DicomImage& image) {
  return image.photometric == "MONOCHROME1" || image.photometric == "MONOCHROME2";
}

}  // namespace

bool usable_window(const VoiWindow& window) {
  if (!std::isfinite(window.center) || !std::isfinite(window.width)) return false;
  return window.function == VoiFunction::linear ? window.width >= 1.0 : window.width > 0.0;
}

double apply_window(const VoiWindow& window, double value) {
  const double c = window.center;
  const double w = window.width;
  switch (window.function) {
    case VoiFunction::linear:
      if (value <= c - 0.5 - (w - 1.0) / 2.0) return 0.0;
      if (value > c - 0.5 + (w - 1.0) / 2.0) return 1.0;
      return (value - (c - 0.5)) / (w - 1.0) + 0.5;
    case VoiFunction::linear_exact:
      if (value <= c - w / 2.0) return 0.0;
      if (value > c + w / 2.0) return 1.0;
      return (value - c) / w + 0.5;
    case VoiFunction::sigmoid:
      return 1.0 / (1.0 + std::exp(-4.0 * (value - c) / w));
  }
  return 0.0;
}

VoiSource voi_source(const DicomImage& image) {
  if (!is_monochrome(image)) return VoiSource::color;
  if (image.voi_lut) return VoiSource::lut;
  if (image.window && usable_window(*image.window)) return VoiSource::window;
  return VoiSource::full_range;
}

Result<Image8> render_grayscale(const DicomImage& image) {
  UNIRG_ASSERT(
      static_cast<int64_t>(image.pixels.size()) >= image.rows * image.columns * image.samples,
      "the image has one frame at least");
  if (is_monochrome(image)) {
    if (image.samples != 1) return bad_record("monochrome image with several samples per pixel");
    return render_monochrome(image);
  }
  if (image.photometric == "RGB" || image.photometric == "PALETTE COLOR" ||
      image.photometric.starts_with("YBR_")) {
    return render_color(image);
  }
  return bad_record("unknown photometric interpretation");
}

}  // namespace unirg::image
