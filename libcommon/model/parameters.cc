// SPDX-License-Identifier: Apache-2.0
#include "model/parameters.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

#include "base/error.h"
#include "base/rng.h"
#include "io/atomic_file.h"
#include "io/jsonl.h"
#include "io/safetensors.h"

namespace unirg::model {
namespace {

at::ScalarType scalar_type(io::Dtype dtype) {
  switch (dtype) {
    case io::Dtype::f64:
      return at::kDouble;
    case io::Dtype::f32:
      return at::kFloat;
    case io::Dtype::f16:
      return at::kHalf;
    case io::Dtype::bf16:
      return at::kBFloat16;
    case io::Dtype::i64:
      return at::kLong;
    case io::Dtype::i32:
      return at::kInt;
    case io::Dtype::u8:
      return at::kByte;
    case io::Dtype::boolean:
      return at::kBool;
  }
  UNIRG_ASSERT(false, "unknown dtype");
}

io::Dtype file_dtype(at::ScalarType type) {
  switch (type) {
    case at::kDouble:
      return io::Dtype::f64;
    case at::kFloat:
      return io::Dtype::f32;
    case at::kHalf:
      return io::Dtype::f16;
    case at::kBFloat16:
      return io::Dtype::bf16;
    case at::kLong:
      return io::Dtype::i64;
    case at::kInt:
      return io::Dtype::i32;
    case at::kByte:
      return io::Dtype::u8;
    case at::kBool:
      return io::Dtype::boolean;
    default:
      UNIRG_ASSERT(false, "dtype has no safetensors name");
  }
}

at::TensorOptions options_of(const io::TensorView& view) {
  return at::TensorOptions().dtype(scalar_type(view.dtype));
}

/// A tensor over mapped bytes; valid only while the file is mapped.
Tensor view_tensor(const io::TensorView& view) {
  // The map is private and writable, the views of it are const.
  return at::from_blob(const_cast<char*>(view.bytes.data()), view.shape, options_of(view));
}

/// The same, but the files stay mapped as long as the tensor lives.
Tensor mapped_tensor(const io::TensorView& view,
                     const std::shared_ptr<const io::SafetensorsFolder>& files) {
  return at::from_blob(
      const_cast<char*>(view.bytes.data()), view.shape, [files](void*) {}, options_of(view));
}

bool is_aligned(const io::TensorView& view) {
  return reinterpret_cast<uintptr_t>(view.bytes.data()) %
             static_cast<uintptr_t>(io::dtype_bytes(view.dtype)) ==
         0;
}

Tensor place(const io::TensorView& view, const Placement& placement,
             const std::shared_ptr<const io::SafetensorsFolder>& files) {
  const at::ScalarType dtype = placement.dtype.value_or(scalar_type(view.dtype));
  const bool as_it_is = dtype == scalar_type(view.dtype) && placement.device.is_cpu();
  if (placement.map && as_it_is && is_aligned(view)) return mapped_tensor(view, files);
  return view_tensor(view).to(at::TensorOptions().dtype(dtype).device(placement.device),
                              /*non_blocking=*/false, /*copy=*/true);
}

std::string joined(const std::vector<std::string>& names) {
  constexpr size_t kShown = 20;
  const std::vector<std::string> shown(
      names.begin(), names.begin() + static_cast<std::ptrdiff_t>(std::min(kShown, names.size())));
  const std::string more =
      names.size() > kShown ? fmt::format(" and {} more", names.size() - kShown) : "";
  return fmt::format("{}{}", fmt::join(shown, ", "), more);
}

/// Tensors in name order, a new shard whenever the next one would not fit.
std::vector<Parameters> cut_shards(const Parameters& parameters, int64_t max_bytes) {
  std::vector<Parameters> shards(1);
  int64_t bytes = 0;
  for (const auto& [name, tensor] : parameters) {
    const auto size = static_cast<int64_t>(tensor.nbytes());
    if (bytes > 0 && bytes + size > max_bytes) {
      shards.emplace_back();
      bytes = 0;
    }
    shards.back().emplace(name, tensor);
    bytes += size;
  }
  return shards;
}

}  // namespace

Parameters load_parameters(const std::filesystem::path& folder, const Shapes& expected,
                           const Naming& naming, const Placement& placement) {
  const auto files = std::make_shared<const io::SafetensorsFolder>(folder);
  Shapes missing = expected;
  Parameters parameters;
  std::vector<std::string> extra;
  std::vector<std::string> misshaped;
  for (const auto& [file_name, view] : files->tensors()) {
    const std::string name = naming(file_name);
    if (name.empty()) continue;
    const auto it = missing.find(name);
    if (it == missing.end()) {
      extra.push_back(file_name);
      continue;
    }
    if (it->second == view.shape) {
      parameters[name] = place(view, placement, files);
    } else {
      misshaped.push_back(fmt::format("{} [{}] instead of [{}]", name, fmt::join(view.shape, ","),
                                      fmt::join(it->second, ",")));
    }
    missing.erase(it);
  }
  std::string problems;
  std::vector<std::string> missing_names;
  for (const auto& [name, shape] : missing) missing_names.push_back(name);
  if (!missing_names.empty()) problems += "; missing tensors: " + joined(missing_names);
  if (!extra.empty()) problems += "; unknown tensors: " + joined(extra);
  if (!misshaped.empty()) problems += "; ill-shaped tensors: " + joined(misshaped);
  if (!problems.empty()) {
    throw Error(Exit::data, fmt::format("checkpoint '{}' does not fit its config.json{}",
                                        folder.string(), problems));
  }
  return parameters;
}

Parameters load_stored_tensors(const std::filesystem::path& folder) {
  const auto files = std::make_shared<const io::SafetensorsFolder>(folder);
  const Placement as_stored{std::nullopt, at::kCPU, /*map=*/true};
  Parameters parameters;
  for (const auto& [name, view] : files->tensors())
    parameters[name] = place(view, as_stored, files);
  return parameters;
}

Parameters random_parameters(const Shapes& shapes, uint64_t seed, double std) {
  Parameters parameters;
  for (const auto& [name, shape] : shapes) {
    const bool is_norm =
        (name.find("norm") != std::string::npos || name.find("Norm") != std::string::npos) &&
        name.ends_with(".weight");
    if (is_norm) {
      parameters[name] = at::full(shape, 1.0, at::kFloat);
      continue;
    }
    Tensor tensor = at::zeros(shape, at::kFloat);
    if (!name.ends_with(".bias")) {
      Rng rng(seed, "init", name);
      float* values = tensor.mutable_data_ptr<float>();
      for (int64_t i = 0; i < tensor.numel(); ++i)
        values[i] = static_cast<float>(rng.normal(0, std));
    }
    parameters[name] = tensor;
  }
  return parameters;
}

std::string save_tensors(const std::filesystem::path& file, const Parameters& tensors,
                         const std::map<std::string, std::string>& metadata) {
  std::map<std::string, io::TensorView> views;
  std::vector<Tensor> kept;  // contiguous CPU copies stay alive until written
  for (const auto& [name, tensor] : tensors) {
    kept.push_back(tensor.detach().to(at::kCPU).contiguous());
    const Tensor& t = kept.back();
    views[name] = {file_dtype(t.scalar_type()),
                   t.sizes().vec(),
                   {static_cast<const char*>(t.const_data_ptr()), static_cast<size_t>(t.nbytes())}};
  }
  return io::write_safetensors(file, views, metadata);
}

void save_parameters(const std::filesystem::path& folder, const Parameters& parameters,
                     int64_t max_shard_bytes) {
  const std::vector<Parameters> shards = cut_shards(parameters, max_shard_bytes);
  if (shards.size() == 1) {
    save_tensors(folder / "model.safetensors", parameters);
    return;
  }
  io::Json weight_map = io::Json::object();
  int64_t total = 0;
  for (size_t i = 0; i < shards.size(); ++i) {
    const std::string file = fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards.size());
    save_tensors(folder / file, shards[i]);
    for (const auto& [name, tensor] : shards[i]) {
      weight_map[name] = file;
      total += static_cast<int64_t>(tensor.nbytes());
    }
  }
  const io::Json index = {{"metadata", {{"total_size", total}}}, {"weight_map", weight_map}};
  io::write_file(folder / "model.safetensors.index.json", index.dump(2) + "\n");
}

Parameters load_tensors(const std::filesystem::path& file) {
  const io::SafetensorsFile mapped(file);
  Parameters tensors;
  for (const auto& [name, view] : mapped.tensors()) tensors[name] = view_tensor(view).clone();
  return tensors;
}

const Tensor& parameter(const Parameters& parameters, const std::string& name) {
  const auto it = parameters.find(name);
  if (it == parameters.end()) throw std::logic_error("unknown parameter " + name);
  return it->second;
}

int64_t count_values(const Parameters& parameters) {
  int64_t total = 0;
  for (const auto& [name, tensor] : parameters) total += tensor.numel();
  return total;
}

int64_t count_values(const Shapes& shapes) {
  int64_t total = 0;
  for (const auto& [name, shape] : shapes) {
    int64_t values = 1;
    for (const int64_t n : shape) values *= n;
    total += values;
  }
  return total;
}

}  // namespace unirg::model
