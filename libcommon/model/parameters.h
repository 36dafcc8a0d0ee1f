// The named parameter store: every weight of a checkpoint under its Hugging Face name. Models are
// functions over it; there is no module tree to keep in step. Depends on io (safetensors) and
// LibTorch. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace unirg::model {

using at::Tensor;
using Parameters = std::map<std::string, Tensor>;
using Shapes = std::map<std::string, std::vector<int64_t>>;

/// Name in the store of a tensor as a file names it; "" for one that is to be left out (buffers,
/// copies).
using Naming = std::function<std::string(const std::string&)>;

/// Where weights go and as what.
struct Placement {
  std::optional<at::ScalarType> dtype = at::kFloat;  ///< nullopt: as each tensor is stored
  at::Device device = at::kCPU;
  /// Tensors that need no conversion stay views of the mapped file, shared between processes and
  /// paged in on use; a write changes a private page, not the file.
  bool map = false;
};

/// Loads the tensors of model.safetensors, or of its shards; they must be exactly those of
/// `expected`.
/// \throws Error(Exit::data) listing missing, extra or ill-shaped tensors by name;
/// Error(Exit::no_input) without a file
Parameters load_parameters(const std::filesystem::path& folder, const Shapes& expected,
                           const Naming& naming, const Placement& placement);

/// Every tensor of model.safetensors, or of its shards, as it is stored; mapped.
Parameters load_stored_tensors(const std::filesystem::path& folder);

/// Normal weights with the given std, norm weights 1, biases 0, whatever the architecture. Each
/// tensor's numbers depend on (seed, tensor name) alone.
Parameters random_parameters(const Shapes& shapes, uint64_t seed, double std = 0.02);

/// Hugging Face cuts files at this size unless told otherwise.
constexpr int64_t kShardBytes = 5'000'000'000;
/// Writes model.safetensors into `folder`, or, when it would hold more than `max_shard_bytes`,
/// model-0000i-of-0000n.safetensors and their index; tensors in name order, none is cut.
void save_parameters(const std::filesystem::path& folder, const Parameters& parameters,
                     int64_t max_shard_bytes = kShardBytes);
/// Any named tensors to one safetensors file, and back (training state, adapters). \returns the
/// file's SHA-256
std::string save_tensors(const std::filesystem::path& file, const Parameters& tensors,
                         const std::map<std::string, std::string>& metadata = {{"format", "pt"}});
Parameters load_tensors(const std::filesystem::path& file);

/// \throws std::logic_error (our bug) if the name is unknown; load_parameters has checked the names
const Tensor& parameter(const Parameters& parameters, const std::string& name);

int64_t count_values(const Parameters& parameters);
int64_t count_values(const Shapes& shapes);

}  // namespace unirg::model
