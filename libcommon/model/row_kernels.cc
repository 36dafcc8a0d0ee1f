// SPDX-License-Identifier: Apache-2.0
#include "model/row_kernels.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <utility>
#include <vector>

#include "model/lane_sum.h"

namespace unirg::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

bool needs_graph(const Tensor& x, const Tensor& other) {
  return at::GradMode::is_enabled() && (x.requires_grad() || other.requires_grad());
}

/// A tensor's rows: [count, width], contiguous.
struct Rows {
  explicit Rows(const Tensor& t) : width(t.size(-1)), count(t.numel() / t.size(-1)) {}
  int64_t width, count;
};

/// \returns the normed rows and, for the backward pass, 1 / sqrt(mean(x^2) + eps) of each row
std::pair<Tensor, Tensor> norm_forward(const Tensor& x, const Tensor& weight, double eps) {
  const Rows rows(x);
  const int64_t n = rows.width;
  Tensor y = at::empty_like(x);
  Tensor scales = at::empty({rows.count}, x.options());
  const float* in = x.const_data_ptr<float>();
  const float* w = weight.const_data_ptr<float>();
  float* out = y.mutable_data_ptr<float>();
  float* scale = scales.mutable_data_ptr<float>();
  for (int64_t r = 0; r < rows.count; ++r, in += n, out += n) {
    const float squares = lane_sum(n, [&](int64_t i) { return in[i] * in[i]; });
    const float s = 1.0F / std::sqrt(squares / static_cast<float>(n) + static_cast<float>(eps));
    scale[r] = s;
    for (int64_t i = 0; i < n; ++i) out[i] = in[i] * s * w[i];
  }
  return {y, scales};
}

/// With s = scale and g w the gradient before the weight:
/// dx = s (g w - x s^2 mean(g w x)), dw = sum over rows of g x s.
std::pair<Tensor, Tensor> norm_backward(const Tensor& gradient, const Tensor& x,
                                        const Tensor& weight, const Tensor& scales) {
  const Rows rows(x);
  const int64_t n = rows.width;
  Tensor to_x = at::empty_like(x);
  Tensor to_weight = at::empty_like(weight);
  std::vector<double> sums(static_cast<size_t>(n));
  const float* g = gradient.const_data_ptr<float>();
  const float* in = x.const_data_ptr<float>();
  const float* w = weight.const_data_ptr<float>();
  const float* scale = scales.const_data_ptr<float>();
  float* out = to_x.mutable_data_ptr<float>();
  double* sum = sums.data();
  for (int64_t r = 0; r < rows.count; ++r, g += n, in += n, out += n) {
    const float s = scale[r];
    const float dot = lane_sum(n, [&](int64_t i) { return g[i] * w[i] * in[i]; });
    const float pull = s * s * dot / static_cast<float>(n);
    for (int64_t i = 0; i < n; ++i) {
      out[i] = s * (g[i] * w[i] - in[i] * pull);
      sum[i] += static_cast<double>(g[i] * in[i] * s);
    }
  }
  float* to_w = to_weight.mutable_data_ptr<float>();
  for (int64_t i = 0; i < n; ++i) to_w[i] = static_cast<float>(sum[i]);
  return {to_x, to_weight};
}

struct Norm : torch::autograd::Function<Norm> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight,
                        double eps) {
    auto [y, scales] = norm_forward(x, weight, eps);
    context->save_for_backward({x, weight, scales});
    return y;
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    auto [to_x, to_weight] = norm_backward(gradients[0].contiguous(), saved[0], saved[1], saved[2]);
    return {to_x, to_weight, Tensor()};
  }
};

/// Walks the rows of a tensor that was expanded: where each begins, in floats.
class RowPlaces {
 public:
  explicit RowPlaces(const Tensor& t)
      : sizes_(t.sizes().slice(0, static_cast<size_t>(t.dim() - 1)).vec()),
        strides_(t.strides().slice(0, sizes_.size()).vec()),
        index_(sizes_.size(), 0) {}

  [[nodiscard]] int64_t place() const { return place_; }
  void next() {
    for (size_t d = sizes_.size(); d-- > 0;) {
      place_ += strides_[d];
      if (++index_[d] < sizes_[d]) return;
      place_ -= strides_[d] * sizes_[d];
      index_[d] = 0;
    }
  }

 private:
  std::vector<int64_t> sizes_, strides_, index_;
  int64_t place_ = 0;
};

/// \param direction 1: the rotation, -1: its transpose, which takes gradients back
Tensor turned(const Tensor& x, const Tensor& cos, const Tensor& sin, float direction) {
  const Rows rows(x);
  const int64_t half = rows.width / 2;
  Tensor y = at::empty_like(x);
  const float* in = x.const_data_ptr<float>();
  float* out = y.mutable_data_ptr<float>();
  RowPlaces cos_rows(cos.expand(x.sizes()));
  RowPlaces sin_rows(sin.expand(x.sizes()));
  for (int64_t r = 0; r < rows.count; ++r, in += rows.width, out += rows.width) {
    const float* c = cos.const_data_ptr<float>() + cos_rows.place();
    const float* s = sin.const_data_ptr<float>() + sin_rows.place();
    // Transposed, each half meets the sine of the other.
    const float* low = direction > 0 ? s : s + half;
    const float* high = direction > 0 ? s + half : s;
    for (int64_t i = 0; i < half; ++i) {
      const float a = in[i];
      const float b = in[half + i];
      out[i] = a * c[i] - direction * b * low[i];
      out[half + i] = b * c[half + i] + direction * a * high[i];
    }
    cos_rows.next();
    sin_rows.next();
  }
  return y;
}

struct Turn : torch::autograd::Function<Turn> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& cos,
                        const Tensor& sin) {
    context->save_for_backward({cos, sin});
    return turned(x, cos, sin, 1);
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    return {turned(gradients[0].contiguous(), saved[0], saved[1], -1), Tensor(), Tensor()};
  }
};

}  // namespace

bool have_row_kernels(const Tensor& x, const Tensor& other) {
  const auto fits = [](const Tensor& t) {
    return t.device().is_cpu() && t.scalar_type() == at::kFloat && t.numel() > 0;
  };
  return fits(x) && fits(other);
}

Tensor rms_norm_rows(const Tensor& x, const Tensor& weight, double eps) {
  const Tensor rows = x.contiguous();
  if (needs_graph(x, weight)) return Norm::apply(rows, weight, eps);
  return norm_forward(rows, weight, eps).first;
}

Tensor rotate_rows(const Tensor& x, const Tensor& cos, const Tensor& sin) {
  const Tensor rows = x.contiguous();
  if (needs_graph(x, x)) return Turn::apply(rows, cos, sin);
  return turned(rows, cos, sin, 1);
}

}  // namespace unirg::model
