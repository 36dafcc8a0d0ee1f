// SPDX-License-Identifier: Apache-2.0
#include "model/layers.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/neg.h>
#include <ATen/ops/rms_norm.h>
#include <ATen/ops/rsqrt.h>

#include "base/rng.h"
#include "model/dense.h"
#include "model/random_words.h"
#include "model/row_kernels.h"

namespace unirg::model {
namespace {

/// The same bits whatever the device.
Tensor dropped(const Tensor& x, const Dropout& dropout, const std::string& name) {
  if (dropout.p == 0) return x;
  Rng rng(dropout.seed, "adapter-dropout", name);
  const auto threshold = static_cast<uint32_t>(dropout.p * 4294967296.0);
  const auto kept = static_cast<float>(1.0 / (1.0 - dropout.p));
  if (!x.is_cpu()) {
    const Tensor words = random_words(rng, x.numel(), x.device()).view(x.sizes());
    return x * ((words >= static_cast<int64_t>(threshold)).to(at::kFloat) * kept).to(x.options());
  }
  Tensor mask = at::empty(x.sizes(), at::kFloat);
  float* values = mask.mutable_data_ptr<float>();
  for (int64_t i = 0; i < mask.numel(); ++i) values[i] = rng.next_u32() < threshold ? 0.0F : kept;
  return x * mask.to(x.options());
}

}  // namespace

Linear bind_linear(const Parameters& parameters, const std::string& name, bool bias,
                   double lora_scale) {
  Linear layer{.weight = parameter(parameters, name + ".weight"),
               .bias = bias ? parameter(parameters, name + ".bias") : Tensor(),
               .lora_a = {},
               .lora_b = {}};
  if (const auto a = parameters.find(name + ".lora_A.weight"); a != parameters.end()) {
    layer.lora_a = a->second;
    layer.lora_b = parameter(parameters, name + ".lora_B.weight");
    layer.lora_scale = lora_scale;
    layer.name = name;
  }
  return layer;
}

Tensor apply(const Linear& layer, const Tensor& x, const Dropout& dropout) {
  const bool packed = layer.packed.defined() && x.numel() > 0;
  const Tensor base = packed ? packed_linear(x, layer.packed, layer.bias)
                             : dense_linear(x, layer.weight, layer.bias);
  if (!layer.lora_a.defined()) return base;
  const Tensor seen = dropped(x.to(layer.lora_a.scalar_type()), dropout, layer.name);
  const Tensor change = at::linear(at::linear(seen, layer.lora_a), layer.lora_b);
  return base + (change * layer.lora_scale).to(base.scalar_type());
}

Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps) {
  // One kernel each, not seven. CUDA's rounds once, after the weight.
  if (have_row_kernels(x, weight)) return rms_norm_rows(x, weight, eps);
  if (x.is_cuda()) return at::rms_norm(x, {x.size(-1)}, weight, eps);
  const Tensor wide = x.to(at::kFloat);
  const Tensor normed = wide * at::rsqrt(wide.square().mean(-1, /*keepdim=*/true) + eps);
  return normed.to(x.scalar_type()) * weight;
}

Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  return at::layer_norm(x, {x.size(-1)}, weight, bias, eps);
}

Tensor rotate(const Tensor& x, const Tensor& cos, const Tensor& sin) {
  if (have_row_kernels(x, cos)) return rotate_rows(x, cos, sin);
  const auto halves = x.chunk(2, -1);
  return x * cos + at::cat({-halves[1], halves[0]}, -1) * sin;
}

}  // namespace unirg::model
