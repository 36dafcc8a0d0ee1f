// SPDX-License-Identifier: Apache-2.0
#include "policy/meter.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>

#include <algorithm>

namespace unirg::policy {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// FLOP/s of a square product on the device and in the number type of `like`: the best of three.
double gemm_rate(const at::Tensor& like) {
  const at::NoGradGuard no_grad;
  const int64_t n = like.is_cuda() ? 8192 : 1024;
  const at::Tensor a = at::ones({n, n}, like.options().requires_grad(false));
  const auto product = [&] { return at::mm(a, a)[0][0].item<double>(); };  // waits for a GPU
  (void)product();
  double least = 1e30;
  for (int i = 0; i < 3; ++i) {
    const auto begin = Clock::now();
    (void)product();
    least = std::min(least, seconds_since(begin));
  }
  const auto side = static_cast<double>(n);
  return 2.0 * side * side * side / least;
}

}  // namespace

void Meter::add(const model::PassShape& shape, double passes, int64_t tokens) {
  flops_ += passes * model::forward_flops(config_, shape);
  tokens_ += tokens;
}

io::Json Meter::note() const {
  const double seconds = std::max(seconds_since(begin_), 1e-9);
  const int units = weights_.is_cuda() ? 1 : threads_;
  const double peak = units * gemm_rate(weights_);
  return {{"tokens", tokens_},
          {"tokens_per_s", static_cast<double>(tokens_) / seconds},
          {"gflop_per_s", flops_ / seconds / 1e9},
          {"gemm_gflop_per_s", peak / 1e9},
          {"gemm_share", flops_ / seconds / peak}};
}

}  // namespace unirg::policy
