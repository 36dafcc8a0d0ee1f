// SPDX-License-Identifier: Apache-2.0
#include "model/packed_linear.h"

#include <ATen/core/dispatch/Dispatcher.h>

#include <optional>
#include <string>

namespace unirg::model {
namespace {

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

}  // namespace

Tensor packed_weight(const Tensor& weight) {
  if (!weight.device().is_cpu() || weight.scalar_type() != at::kFloat || weight.dim() != 2)
    return {};
  if (!pack_operator() || !linear_operator()) return {};
  return call(*pack_operator(), {weight.contiguous(), c10::IValue()});
}

Tensor packed_linear(const Tensor& x, const Tensor& packed, const Tensor& bias) {
  return call(*linear_operator(), {x.contiguous(), packed, bias, std::string("none"),
                                   c10::List<std::optional<at::Scalar>>(), std::string()});
}

}  // namespace unirg::model
