// Low-rank adapters (LoRA; Hu et al., arXiv:2106.09685) in the folder layout of Python's `peft`:
// adapter_config.json + adapter_model.safetensors, the base checkpoint elsewhere. In the parameter
// store an adapter's tensors stand beside what they change: NAME.lora_A.weight [rank, in] and
// NAME.lora_B.weight [out, rank] for the linear layer NAME. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "model/config.h"
#include "model/parameters.h"

namespace unirg::model {

struct AdapterConfig {
  int64_t rank = 16;
  double alpha = 32;
  double dropout = 0;  ///< on the adapter's input while training, 0 <= p < 1
  /// Linear layers that get an adapter: their last name parts ("q_proj", "attn.proj"), patterns of
  /// the whole name with * and ?, or "all-linear".
  std::vector<std::string> targets = {};
  bool rank_stabilised = false;  ///< peft's use_rslora: scale alpha / sqrt(rank) (arXiv:2312.03732)
  std::filesystem::path base = {};  ///< the checkpoint it changes, as adapter_config.json names it

  [[nodiscard]] double scale() const;
};

/// Whether `folder` holds an adapter: it has an adapter_config.json. Weights beside it are not
/// read.
bool is_adapter(const std::filesystem::path& folder);
/// The folder whose weights are read: `folder` itself, or an adapter's base, found from the
/// adapter's folder when its path is relative. \throws Error(Exit::no_input) if the base is not
/// there
std::filesystem::path base_folder(const std::filesystem::path& folder);

/// \throws Error(Exit::data) naming the field of what is not supported: other kinds than LoRA,
/// DoRA, trained biases, whole modules saved, ranks or alphas per layer
AdapterConfig load_adapter_config(const std::filesystem::path& folder);

/// Names of the linear layers that `targets` choose, in order. \throws Error(Exit::config) for a
/// target that chooses none
std::vector<std::string> adapted_layers(const ModelConfig& config,
                                        const std::vector<std::string>& targets);

/// Names and shapes of an adapter's tensors.
Shapes adapter_shapes(const ModelConfig& config, const AdapterConfig& adapter);
/// Tensors of a fresh adapter, float32: A uniform in +-1/sqrt(in) as peft draws it, B zero, so that
/// it changes nothing yet. Each tensor depends on (seed, name) alone.
Parameters new_adapter(const ModelConfig& config, const AdapterConfig& adapter, uint64_t seed);
/// \throws Error(Exit::data) naming tensors that do not fit the architecture or the rank
Parameters load_adapter(const std::filesystem::path& folder, const ModelConfig& config,
                        const AdapterConfig& adapter);
/// Writes the two files of an adapter; `parameters` may hold the base's tensors too, they are left
/// out. adapter_config.json names the base as `adapter.base` does.
void save_adapter(const std::filesystem::path& folder, const ModelConfig& config,
                  const AdapterConfig& adapter, const Parameters& parameters);

bool is_adapter_tensor(const std::string& name);
/// The base with its adapter folded in: W + scale B A, computed in float32, W's dtype kept.
Parameters merged(const Parameters& parameters, const AdapterConfig& adapter);

}  // namespace unirg::model
