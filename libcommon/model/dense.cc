// SPDX-License-Identifier: Apache-2.0
#include "model/dense.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <sys/mman.h>
#include <torch/csrc/autograd/custom_function.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

namespace unirg::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Below it the layout of the weights costs more than the product.
constexpr int64_t kFewRows = 32;

/// oneDNN, and LibTorch's layer above it, keep a compiled product for each shape they met, by
/// default the last 1,024: hundreds of megabytes where lengths vary. These are the shapes of a unit
/// or two. They read the environment at their first product, long after this; what the user has
/// set stays.
[[maybe_unused]] const bool kFewKept = [] {
  return ::setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "128", /*overwrite=*/0) == 0 &&
         ::setenv("LRU_CACHE_CAPACITY", "64", /*overwrite=*/0) == 0;
}();

/// Operators that LibTorch has for its own compiler and no header for.
std::optional<c10::OperatorHandle> find_operator(const char* name) {
  return c10::Dispatcher::singleton().findSchema({name, ""});
}

Tensor call(const c10::OperatorHandle& op, torch::jit::Stack arguments) {
  op.callBoxed(&arguments);
  return arguments.front().toTensor();
}

const std::optional<c10::OperatorHandle>& pack_operator() {
  static const auto kOperator = find_operator("mkldnn::_reorder_linear_weight");
  return kOperator;
}
const std::optional<c10::OperatorHandle>& linear_operator() {
  static const auto kOperator = find_operator("mkldnn::_linear_pointwise");
  return kOperator;
}

bool is_plain(const Tensor& t) { return t.device().is_cpu() && t.scalar_type() == at::kFloat; }

/// x W^T + b for a weight of any layout, oneDNN's own included.
Tensor product(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  return call(*linear_operator(),
              {x.contiguous(), weight, bias.defined() ? c10::IValue(bias) : c10::IValue(),
               std::string("none"), c10::List<std::optional<at::Scalar>>(), std::string()});
}

/// A dense layer as one node of the graph.
struct Dense : torch::autograd::Function<Dense> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight,
                        const std::optional<Tensor>& bias) {
    context->save_for_backward({x, weight});
    context->saved_data["biased"] = bias.has_value();
    return product(x, weight, bias.value_or(Tensor()));
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1];
    const Tensor gradient = gradients[0].contiguous();
    const Tensor rows = gradient.view({-1, gradient.size(-1)});
    variable_list to(3);
    if (context->needs_input_grad(0)) to[0] = product(gradient, weight.t(), {});
    if (context->needs_input_grad(1)) to[1] = rows.t().mm(x.reshape({-1, x.size(-1)}));
    if (context->saved_data["biased"].toBool() && context->needs_input_grad(2)) to[2] = rows.sum(0);
    return to;
  }
};

}  // namespace

Tensor dense_linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const bool pays = is_plain(x) && is_plain(weight) && x.numel() / x.size(-1) >= kFewRows;
  if (!pays || !linear_operator()) return at::linear(x, weight, bias);
  const auto learns = [](const Tensor& t) { return t.defined() && t.requires_grad(); };
  const bool graph = at::GradMode::is_enabled() && (learns(x) || learns(weight) || learns(bias));
  if (!graph) return product(x, weight, bias);
  return Dense::apply(x, weight, bias.defined() ? std::optional(bias) : std::nullopt);
}

Tensor packed_weight(const Tensor& weight) {
  if (!is_plain(weight) || weight.dim() != 2) return {};
  if (!pack_operator() || !linear_operator()) return {};
  return call(*pack_operator(), {weight.contiguous(), c10::IValue()});
}

void let_go(const Tensor& tensor) {
  if (!tensor.device().is_cpu() || !tensor.is_contiguous()) return;
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<uintptr_t>(tensor.const_data_ptr());
  const uintptr_t first = (begin + page - 1) / page * page;
  const uintptr_t last = (begin + tensor.nbytes()) / page * page;
  if (first < last) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_PAGEOUT);
}

Tensor packed_linear(const Tensor& x, const Tensor& packed, const Tensor& bias) {
  return product(x, packed, bias);
}

}  // namespace unirg::model
