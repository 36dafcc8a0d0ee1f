// SPDX-License-Identifier: Apache-2.0
#include "image/phantom_canvas.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace unirg::image::phantom {
namespace {

constexpr float kSigmoidReach = 9.21F;  // sigmoid(9.21) = 1 - 1e-4
constexpr double kGaussReach = 4.292;   // exp(-4.292^2 / 2) = 1e-4

/// An empty stamp over the pixels whose centres lie within the given limits.
Stamp box(int64_t side, Point low, Point high) {
  const auto first = [&](double u) {
    return std::clamp<int64_t>(static_cast<int64_t>(std::ceil(u * static_cast<double>(side) - .5)),
                               0, side);
  };
  const auto end = [&](double u) {
    return std::clamp<int64_t>(
        static_cast<int64_t>(std::floor(u * static_cast<double>(side) - .5)) + 1, 0, side);
  };
  Stamp stamp;
  stamp.x0 = first(low.x);
  stamp.y0 = first(low.y);
  stamp.width = std::max<int64_t>(end(high.x) - stamp.x0, 0);
  stamp.height = std::max<int64_t>(end(high.y) - stamp.y0, 0);
  stamp.values.assign(static_cast<size_t>(stamp.width * stamp.height), 0.0F);
  return stamp;
}

float center_of(int64_t pixel, int64_t side) {
  return (static_cast<float>(pixel) + .5F) / static_cast<float>(side);
}

/// exp(-(u - center)^2 / 2 s^2) for `count` pixels from `first`.
std::vector<float> gauss_line(int64_t side, int64_t first, int64_t count, double center, double s) {
  std::vector<float> line(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    const double z = (center_of(first + i, side) - center) / s;
    line[static_cast<size_t>(i)] = static_cast<float>(std::exp(-.5 * z * z));
  }
  return line;
}

/// The standard normal quantiles of (i + .5) / 65536. The upper half by Newton's method, each from
/// the one before: there the distribution is concave, so the steps approach from below and cannot
/// overshoot.
std::vector<float> normal_quantiles() {
  constexpr int kCount = 65536;
  std::vector<float> table(kCount);
  double z = 0;
  for (int i = kCount / 2; i < kCount; ++i) {
    const double target = (i + .5) / kCount;
    for (int step = 0; step < 8; ++step) {
      const double below = .5 * std::erfc(-z / std::numbers::sqrt2);
      const double density = std::exp(-.5 * z * z) / std::sqrt(2 * std::numbers::pi);
      const double change = (target - below) / density;
      z += change;
      if (std::abs(change) < 1e-9) break;
    }
    table[static_cast<size_t>(i)] = static_cast<float>(z);
    table[static_cast<size_t>(kCount - 1 - i)] = -static_cast<float>(z);
  }
  return table;
}

}  // namespace

float sigmoid(float z) {
  if (z >= kSigmoidReach) return 1.0F;
  if (z <= -kSigmoidReach) return 0.0F;
  return 1.0F / (1.0F + std::exp(-z));
}

Stamp ellipse(int64_t side, Point center, double rx, double ry, double soft) {
  const auto steepness = static_cast<float>(std::min(rx, ry) / soft);
  const float outer = 1.0F + kSigmoidReach / steepness;
  const float inner = std::max(1.0F - kSigmoidReach / steepness, 0.0F);
  Stamp stamp = box(side, {center.x - rx * outer, center.y - ry * outer},
                    {center.x + rx * outer, center.y + ry * outer});
  for (int64_t y = stamp.y0; y < stamp.y0 + stamp.height; ++y) {
    const float dy = (center_of(y, side) - static_cast<float>(center.y)) / static_cast<float>(ry);
    float* out = stamp.row(y);
    for (int64_t i = 0; i < stamp.width; ++i) {
      const float dx =
          (center_of(stamp.x0 + i, side) - static_cast<float>(center.x)) / static_cast<float>(rx);
      const float d2 = dx * dx + dy * dy;
      if (d2 >= outer * outer) continue;
      out[i] = d2 < inner * inner ? 1.0F : sigmoid((1.0F - std::sqrt(d2)) * steepness);
    }
  }
  return stamp;
}

Stamp spot(int64_t side, Point center, double sx, double sy) {
  Stamp stamp = box(side, {center.x - kGaussReach * sx, center.y - kGaussReach * sy},
                    {center.x + kGaussReach * sx, center.y + kGaussReach * sy});
  const std::vector<float> across = gauss_line(side, stamp.x0, stamp.width, center.x, sx);
  const std::vector<float> down = gauss_line(side, stamp.y0, stamp.height, center.y, sy);
  for (int64_t j = 0; j < stamp.height; ++j) {
    float* out = stamp.row(stamp.y0 + j);
    for (int64_t i = 0; i < stamp.width; ++i) {
      out[i] = down[static_cast<size_t>(j)] * across[static_cast<size_t>(i)];
    }
  }
  return stamp;
}

Stamp stroke(int64_t side, Point a, Point b, double w) {
  const double reach = kGaussReach * w;
  Stamp stamp = box(side, {std::min(a.x, b.x) - reach, std::min(a.y, b.y) - reach},
                    {std::max(a.x, b.x) + reach, std::max(a.y, b.y) + reach});
  const double length2 = std::max((b.x - a.x) * (b.x - a.x) + (b.y - a.y) * (b.y - a.y), 1e-12);
  for (int64_t y = stamp.y0; y < stamp.y0 + stamp.height; ++y) {
    float* out = stamp.row(y);
    const double py = center_of(y, side) - a.y;
    for (int64_t i = 0; i < stamp.width; ++i) {
      const double px = center_of(stamp.x0 + i, side) - a.x;
      const double t = std::clamp((px * (b.x - a.x) + py * (b.y - a.y)) / length2, 0.0, 1.0);
      const double dx = px - t * (b.x - a.x);
      const double dy = py - t * (b.y - a.y);
      const double d2 = dx * dx + dy * dy;
      if (d2 < reach * reach) out[i] = std::exp(static_cast<float>(-d2 / (2 * w * w)));
    }
  }
  return stamp;
}

void add(Field& field, const Stamp& stamp, double amount, const Field* mask) {
  const auto factor = static_cast<float>(amount);
  for (int64_t y = stamp.y0; y < stamp.y0 + stamp.height; ++y) {
    float* out = field.row(y) + stamp.x0;
    const float* in = stamp.row(y);
    if (mask == nullptr) {
      for (int64_t i = 0; i < stamp.width; ++i) out[i] += factor * in[i];
    } else {
      const float* keep = mask->row(y) + stamp.x0;
      for (int64_t i = 0; i < stamp.width; ++i) out[i] += factor * in[i] * keep[i];
    }
  }
}

Field fill(int64_t side, const Stamp& stamp) {
  Field field(side);
  add(field, stamp, 1.0);
  return field;
}

Field larger(const Field& a, const Field& b) {
  Field out(a.side);
  std::transform(a.values.begin(), a.values.end(), b.values.begin(), out.values.begin(),
                 [](float x, float y) { return std::max(x, y); });
  return out;
}

void blur(Field& field, double std_px) {
  if (std_px <= 0) return;
  const int64_t n = field.side;
  const auto reach = static_cast<int64_t>(std::ceil(3 * std_px));
  std::vector<float> weights(static_cast<size_t>(2 * reach + 1));
  double total = 0;
  for (int64_t k = -reach; k <= reach; ++k) {
    const double z = static_cast<double>(k) / std_px;
    total += weights[static_cast<size_t>(k + reach)] = static_cast<float>(std::exp(-.5 * z * z));
  }
  for (float& w : weights) w = static_cast<float>(w / total);

  Field across(n);
  std::vector<float> padded(static_cast<size_t>(n + 2 * reach));
  for (int64_t y = 0; y < n; ++y) {
    const float* in = field.row(y);
    std::fill_n(padded.begin(), reach, in[0]);
    std::copy_n(in, n, padded.begin() + reach);
    std::fill_n(padded.begin() + reach + n, reach, in[n - 1]);
    float* out = across.row(y);
    for (int64_t k = 0; k <= 2 * reach;
         ++k) {  // tap by tap, so that the inner loop is a vector loop
      const float w = weights[static_cast<size_t>(k)];
      const float* shifted = padded.data() + k;
      for (int64_t x = 0; x < n; ++x) out[x] += w * shifted[x];
    }
  }
  std::fill(field.values.begin(), field.values.end(), 0.0F);
  for (int64_t y = 0; y < n; ++y) {
    float* out = field.row(y);
    for (int64_t k = -reach; k <= reach; ++k) {
      const float w = weights[static_cast<size_t>(k + reach)];
      const float* in = across.row(std::clamp<int64_t>(y + k, 0, n - 1));
      for (int64_t x = 0; x < n; ++x) out[x] += w * in[x];
    }
  }
}

Field normal_field(int64_t side, Rng& rng) {
  static const std::vector<float> quantiles = normal_quantiles();
  Field field(side);
  for (size_t i = 0; i < field.values.size(); i += 2) {
    const uint32_t bits = rng.next_u32();
    field.values[i] = quantiles[bits & 0xFFFFU];
    if (i + 1 < field.values.size()) field.values[i + 1] = quantiles[bits >> 16];
  }
  return field;
}

}  // namespace unirg::image::phantom
