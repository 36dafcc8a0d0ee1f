// The named parameter store: every weight of a checkpoint under its Hugging Face name. Models are
// functions over it; there is no module tree to keep in step. Depends on io (safetensors) and
// LibTorch. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "model/config.h"

namespace unirg::model {

using at::Tensor;
using Parameters = std::map<std::string, Tensor>;

/// Name and shape of every tensor a checkpoint of this architecture has, in name order.
std::map<std::string, std::vector<int64_t>> expected_parameters(const ModelConfig& config);

/// Loads weights, old name prefixes accepted, cast to `dtype` on `device`.
/// \throws Error(Exit::data) listing missing, extra or ill-shaped tensors by name;
/// Error(Exit::no_input) without a file
Parameters load_parameters(const std::filesystem::path& folder, const ModelConfig& config,
                           at::ScalarType dtype, const at::Device& device);

/// Random weights: normal with std 0.02 (Hugging Face's initializer_range); norms 1, biases 0.
/// Each tensor's numbers depend on (seed, tensor name) alone.
Parameters random_parameters(const ModelConfig& config, uint64_t seed, double std = 0.02);

/// Writes model.safetensors into `folder`; tensors are copied to the CPU. \returns the file's
/// SHA-256
std::string save_parameters(const std::filesystem::path& folder, const Parameters& parameters);
/// Any named tensors to one safetensors file, and back (training state).
std::string save_tensors(const std::filesystem::path& file, const Parameters& tensors);
Parameters load_tensors(const std::filesystem::path& file);

/// \throws std::logic_error (our bug) if the name is unknown; load_parameters has checked the names
const Tensor& parameter(const Parameters& parameters, const std::string& name);

int64_t count_values(const Parameters& parameters);

}  // namespace unirg::model
