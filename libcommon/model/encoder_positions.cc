// SPDX-License-Identifier: Apache-2.0
#include "model/encoder_positions.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/ceil.h>
#include <ATen/ops/clamp_max.h>
#include <ATen/ops/clamp_min.h>
#include <ATen/ops/cumsum.h>
#include <ATen/ops/log.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/sign.h>
#include <ATen/ops/where.h>

#include <cmath>

namespace unirg::model {

Tensor counted_positions(const Tensor& ids, int64_t pad_token_id) {
  const Tensor is_token = (ids != pad_token_id).to(at::kLong);
  return at::cumsum(is_token, 1) * is_token + pad_token_id;
}

Tensor distances(int64_t T, const at::Device& device) {
  const Tensor i = at::arange(T, at::TensorOptions().dtype(at::kLong).device(device));
  return i.unsqueeze(1) - i.unsqueeze(0);
}

Tensor mpnet_buckets(const Tensor& relative) {
  constexpr int64_t kSide = 16;  // buckets of either direction
  constexpr int64_t kExact = 8;  // of them for single distances
  constexpr double kFurthest = 128;
  const Tensor base = (relative > 0).to(at::kLong) * kSide;
  const Tensor n = relative.abs();
  // float32 throughout, as in the source: a rounding decides at the borders.
  const Tensor logarithm =
      at::log(n.to(at::kFloat) / kExact) / std::log(kFurthest / kExact) * (kSide - kExact);
  // Distance 0 gives -inf, which no integer can hold; its bucket is the exact one anyway.
  const Tensor large = at::clamp_max(kExact + at::clamp_min(logarithm, 0).to(at::kLong), kSide - 1);
  return base + at::where(n < kExact, n, large);
}

Tensor deberta_buckets(const Tensor& relative, int64_t buckets, int64_t max_position) {
  const int64_t middle = buckets / 2;
  // Inside the exact range the logarithm is not used; a legal stand-in keeps it finite.
  const Tensor n = at::where((relative < middle) & (relative > -middle),
                             at::scalar_tensor(middle - 1, relative.options()), relative.abs());
  // float32, as in the source, the divisor too: at |d| = max_position - 1 both logarithms are
  // equal.
  const Tensor range =
      at::log(at::scalar_tensor(static_cast<double>(max_position - 1) / static_cast<double>(middle),
                                relative.options().dtype(at::kFloat)));
  const Tensor logarithm =
      at::ceil(at::log(n.to(at::kFloat) / middle) / range * (middle - 1)) + middle;
  return at::where(n <= middle, relative.to(at::kFloat), logarithm * at::sign(relative))
      .to(at::kLong);
}

}  // namespace unirg::model
