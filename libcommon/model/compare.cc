// SPDX-License-Identifier: Apache-2.0
#include "model/compare.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/isfinite.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "model/adapter.h"
#include "model/qwen3_vl.h"

namespace unirg::model {
namespace {

TensorDifference compare(const std::string& name, const Tensor& a, const Tensor& b) {
  if (a.sizes() != b.sizes()) return {name, Verdict::shape};
  const bool same_bytes = a.scalar_type() == b.scalar_type() && a.is_contiguous() &&
                          b.is_contiguous() &&
                          std::memcmp(a.const_data_ptr(), b.const_data_ptr(), a.nbytes()) == 0;
  if (same_bytes) return {name, Verdict::same};  // also what is not a number
  const Tensor x = a.to(at::kDouble);
  const Tensor gap = x - b.to(at::kDouble);
  const double largest = gap.numel() == 0 ? 0 : gap.abs().max().item<double>();
  if (largest == 0) return {name, Verdict::same_values};
  const double norm = std::sqrt(x.square().sum().item<double>());
  const double distance = std::sqrt(gap.square().sum().item<double>());
  return {name, Verdict::values, largest, norm > 0 ? distance / norm : INFINITY};
}

}  // namespace

std::vector<TensorDifference> compare_parameters(const Parameters& a, const Parameters& b) {
  std::set<std::string> names;
  for (const Parameters* parameters : {&a, &b})
    for (const auto& [name, tensor] : *parameters) names.insert(name);
  std::vector<TensorDifference> all;
  for (const std::string& name : names) {
    if (!b.contains(name)) {
      all.push_back({name, Verdict::only_first});
    } else if (!a.contains(name)) {
      all.push_back({name, Verdict::only_second});
    } else {
      all.push_back(compare(name, a.at(name), b.at(name)));
    }
  }
  return all;
}

std::string first_not_finite(const Parameters& parameters) {
  for (const auto& [name, tensor] : parameters)
    if (!at::isfinite(tensor).all().item<bool>()) return name;
  return "";
}

Parameters cast(const Parameters& parameters, const std::string& dtype) {
  const auto type = parse_dtype(dtype);
  Parameters result;
  for (const auto& [name, tensor] : parameters) result[name] = type ? tensor.to(*type) : tensor;
  return result;
}

Parameters stored_parameters(const std::filesystem::path& folder) {
  if (is_adapter(folder)) return load_tensors(folder / "adapter_model.safetensors");
  return load_stored_tensors(folder);
}

}  // namespace unirg::model
