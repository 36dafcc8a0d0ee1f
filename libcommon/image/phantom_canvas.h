// The brushes of the phantom: soft ellipses, gaussian spots and strokes, blur, and fast normal
// noise, all as functions of pixel centres u = (x + .5) / side, v = (y + .5) / side. Values under
// 1e-4 are left out, so that a small shape costs only its own box. Depends on base/rng.h. Not for
// other modules.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/rng.h"

namespace unirg::image::phantom {

/// side * side floats, row by row.
struct Field {
  int64_t side = 0;
  std::vector<float> values;

  explicit Field(int64_t n, float value = 0.0F)
      : side(n), values(static_cast<size_t>(n * n), value) {}
  [[nodiscard]] float* row(int64_t y) { return values.data() + y * side; }
  [[nodiscard]] const float* row(int64_t y) const { return values.data() + y * side; }
};

/// A shape of height up to 1: values inside the box [x0, x0+width) x [y0, y0+height), zero outside.
struct Stamp {
  int64_t x0 = 0, y0 = 0, width = 0, height = 0;
  std::vector<float> values;
  [[nodiscard]] float* row(int64_t y) { return values.data() + (y - y0) * width; }
  [[nodiscard]] const float* row(int64_t y) const { return values.data() + (y - y0) * width; }
};

struct Point {
  double x = 0, y = 0;
};

/// 1 / (1 + exp(-z)); exactly 0 or 1 where within 1e-4 of it.
float sigmoid(float z);
/// sigmoid((1 - d) min(rx, ry) / soft), d the elliptic radius: an ellipse whose edge is `soft`
/// wide.
Stamp ellipse(int64_t side, Point center, double rx, double ry, double soft);
/// exp(-dx^2 / 2 sx^2 - dy^2 / 2 sy^2)
Stamp spot(int64_t side, Point center, double sx, double sy);
/// exp(-distance^2 / 2 w^2) to the segment from a to b.
Stamp stroke(int64_t side, Point a, Point b, double w);

/// field += amount * stamp * mask (nullptr: 1)
void add(Field& field, const Stamp& stamp, double amount, const Field* mask = nullptr);
/// The stamp on an empty field.
Field fill(int64_t side, const Stamp& stamp);
/// The larger of both, pixel by pixel.
Field larger(const Field& a, const Field& b);

/// Separable gaussian, edges repeated, weights out to 3 standard deviations. \param std_px 0:
/// unchanged
void blur(Field& field, double std_px);

/// Independent standard normal numbers: 16 random bits each through the inverse distribution (|z|
/// <= 4.3).
Field normal_field(int64_t side, Rng& rng);

}  // namespace unirg::image::phantom
