// SPDX-License-Identifier: Apache-2.0
#include "image/resize.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace unirg::image {
namespace {

constexpr int kPrecisionBits = 22;  // 32 - 8 bits of the pixel - 2 bits for overshoot, as in Pillow
constexpr int32_t kHalf = int32_t{1} << (kPrecisionBits - 1);

/// Keys' cubic convolution kernel with a = -0.5.
double cubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

/// For output i: out = sum over k < count[i] of weights[i*taps + k] * in[first[i] + k].
struct Filter {
  int64_t taps = 0;  ///< a multiple of kLanes
  std::vector<int64_t> first;
  std::vector<int64_t> count;
  std::vector<int32_t> weights;  ///< 0 from count on
};

/// Weights as coarse * 2^kFineBits + fine, |fine| <= 2^(kFineBits-1): words of 16 bits, which every
/// x86-64 multiplies and adds eight at a time. |fine| <= |weight|, so that a sum of products with
/// pixels fits 32 bits wherever the plain one does.
struct SplitWeights {
  std::vector<int16_t> coarse, fine;
};
constexpr int kFineBits = 11;
constexpr int64_t kLanes = 8;

SplitWeights split(const std::vector<int32_t>& weights) {
  SplitWeights out;
  for (const int32_t w : weights) {
    const int32_t coarse = (w + (1 << (kFineBits - 1))) >> kFineBits;
    out.coarse.push_back(static_cast<int16_t>(coarse));
    out.fine.push_back(static_cast<int16_t>(w - coarse * (1 << kFineBits)));
  }
  return out;
}

Filter make_filter(int64_t from, int64_t to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double filter_scale = std::max(scale, 1.0);
  const double support = 2.0 * filter_scale;
  Filter filter;
  filter.taps = static_cast<int64_t>(std::ceil(support)) * 2 + 1;
  filter.taps = (filter.taps + kLanes - 1) / kLanes * kLanes;
  filter.weights.assign(static_cast<size_t>(filter.taps * to), 0);
  std::vector<double> real(static_cast<size_t>(filter.taps));
  for (int64_t i = 0; i < to; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const int64_t low = std::max<int64_t>(static_cast<int64_t>(center - support + 0.5), 0);
    const int64_t high = std::min<int64_t>(static_cast<int64_t>(center + support + 0.5), from);
    double sum = 0.0;
    for (int64_t k = 0; k < high - low; ++k) {
      const double w = cubic((static_cast<double>(k + low) - center + 0.5) * (1.0 / filter_scale));
      real[static_cast<size_t>(k)] = w;
      sum += w;
    }
    for (int64_t k = 0; k < high - low; ++k) {
      const double w = sum != 0.0 ? real[static_cast<size_t>(k)] / sum : 0.0;
      const double fixed = w * (int32_t{1} << kPrecisionBits);
      filter.weights[static_cast<size_t>(i * filter.taps + k)] =
          static_cast<int32_t>(w < 0 ? fixed - 0.5 : fixed + 0.5);
    }
    filter.first.push_back(low);
    filter.count.push_back(high - low);
  }
  return filter;
}

uint8_t clip(int32_t sum) {
  return static_cast<uint8_t>(std::clamp(sum >> kPrecisionBits, 0, 255));
}

/// One channel of a row, every `step`-th byte of `out`. \param in the row's pixels and `taps` zeros
void resize_row(const int16_t* in, uint8_t* out, int64_t step, const Filter& filter,
                const SplitWeights& weights) {
  for (size_t x = 0; x < filter.first.size(); ++x) {
    const int16_t* pixel = in + filter.first[x];
    const int16_t* coarse = weights.coarse.data() + static_cast<int64_t>(x) * filter.taps;
    const int16_t* fine = weights.fine.data() + static_cast<int64_t>(x) * filter.taps;
    int32_t coarse_sum = 0;
    int32_t fine_sum = 0;
    for (int64_t k = 0; k < filter.taps; ++k) {
      coarse_sum += coarse[k] * pixel[k];
      fine_sum += fine[k] * pixel[k];
    }
    // Modulo 2^32: the whole fits where its parts may not.
    const uint32_t sum = (static_cast<uint32_t>(coarse_sum) << kFineBits) +
                         static_cast<uint32_t>(fine_sum) + uint32_t{kHalf};
    out[static_cast<int64_t>(x) * step] = clip(static_cast<int32_t>(sum));
  }
}

Image8 resize_width(const Image8& image, int64_t width) {
  const Filter filter = make_filter(image.width, width);
  const SplitWeights weights = split(filter.weights);
  const int64_t channels = image.channels;
  Image8 out{width, image.height, channels, {}};
  out.pixels.resize(static_cast<size_t>(width * image.height * channels));
  std::vector<int16_t> row(static_cast<size_t>(image.width + filter.taps));
  for (int64_t y = 0; y < image.height; ++y) {
    const uint8_t* in = image.pixels.data() + y * image.width * channels;
    uint8_t* to = out.pixels.data() + y * width * channels;
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t x = 0; x < image.width; ++x) row[static_cast<size_t>(x)] = in[x * channels + c];
      resize_row(row.data(), to + c, channels, filter, weights);
    }
  }
  return out;
}

Image8 resize_height(const Image8& image, int64_t height) {
  const Filter filter = make_filter(image.height, height);
  const int64_t stride = image.width * image.channels;
  Image8 out{image.width, height, image.channels, {}};
  out.pixels.resize(static_cast<size_t>(stride * height));
  std::vector<int32_t> sums(static_cast<size_t>(stride));
  for (int64_t y = 0; y < height; ++y) {
    std::fill(sums.begin(), sums.end(), kHalf);
    for (int64_t k = 0; k < filter.count[static_cast<size_t>(y)]; ++k) {
      const int32_t weight = filter.weights[static_cast<size_t>(y * filter.taps + k)];
      const uint8_t* row =
          image.pixels.data() + (filter.first[static_cast<size_t>(y)] + k) * stride;
      for (int64_t x = 0; x < stride; ++x) sums[static_cast<size_t>(x)] += weight * row[x];
    }
    uint8_t* to = out.pixels.data() + y * stride;
    for (int64_t x = 0; x < stride; ++x) to[x] = clip(sums[static_cast<size_t>(x)]);
  }
  return out;
}

}  // namespace

Result<ImageSize> smart_resize(int64_t height, int64_t width, int64_t factor, int64_t min_pixels,
                               int64_t max_pixels) {
  if (height < 1 || width < 1) return bad_record("image has no pixels");
  const auto h = static_cast<double>(height);
  const auto w = static_cast<double>(width);
  const auto f = static_cast<double>(factor);
  if (std::max(h, w) / std::min(h, w) > 200.0) {
    return bad_record("one side of the image is over 200 times the other");
  }
  double new_h = std::nearbyint(h / f) * f;  // nearbyint: halves to even, as Python's round
  double new_w = std::nearbyint(w / f) * f;
  if (new_h * new_w > static_cast<double>(max_pixels)) {
    const double beta = std::sqrt(h * w / static_cast<double>(max_pixels));
    new_h = std::max(f, std::floor(h / beta / f) * f);
    new_w = std::max(f, std::floor(w / beta / f) * f);
  } else if (new_h * new_w < static_cast<double>(min_pixels)) {
    const double beta = std::sqrt(static_cast<double>(min_pixels) / (h * w));
    new_h = std::ceil(h * beta / f) * f;
    new_w = std::ceil(w * beta / f) * f;
  }
  return ImageSize{static_cast<int64_t>(new_h), static_cast<int64_t>(new_w)};
}

Image8 resize_bicubic(const Image8& image, int64_t width, int64_t height) {
  UNIRG_ASSERT(width >= 1 && height >= 1 && width <= 65535 && height <= 65535,
               "the new size is 1 to 65535 pixels a side");
  UNIRG_ASSERT(image.width >= 1 && image.height >= 1, "the image has pixels");
  if (width == image.width && height == image.height) return image;
  if (height == image.height) return resize_width(image, width);
  if (width == image.width) return resize_height(image, height);
  // Pillow 13 begins with the pass that makes the picture smaller if only the vertical one does.
  if (width > image.width && height < image.height)
    return resize_width(resize_height(image, height), width);
  return resize_height(resize_width(image, width), height);
}

}  // namespace unirg::image
