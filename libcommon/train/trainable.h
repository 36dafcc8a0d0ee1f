// What of a model is trained: all of it, what name patterns leave, or a low-rank adapter.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/log.h"
#include "cli/options.h"
#include "model/qwen3_vl.h"

namespace unirg::train {

struct TrainableOptions {
  std::vector<std::string> freeze =
      {};                 ///< patterns (* and ?) of tensor names that stay as they are
  int64_t lora_rank = 0;  ///< 0: no new adapter
  double lora_alpha = 32;
  double lora_dropout = 0;
  std::vector<std::string> lora_targets{"q_proj",    "k_proj",  "v_proj",   "o_proj",
                                        "gate_proj", "up_proj", "down_proj"};
  bool recompute = false;  ///< see model::Pass
};

/// Adds freeze, lora-rank, lora-alpha, lora-dropout, lora-targets and gradient-checkpointing; what
/// they point to must outlive the table.
void add_trainable_options(cli::Table& table, TrainableOptions& options);

/// Before anything is written. \throws Error(Exit::config) if a new adapter is asked for on one
/// that is there, if the output would replace an adapter's base, or if weights would be trained
/// that are held in float16: its range wants a loss scale, which is not done
void check_trainable(const std::filesystem::path& checkpoint, const std::string& dtype,
                     const TrainableOptions& options, const std::filesystem::path& output);
/// \throws Error(Exit::config) if `output` is, or holds, the folder whose weights are read
void check_base_stays(const std::filesystem::path& checkpoint, const std::filesystem::path& output);

/// Gives the model a fresh adapter when one is asked for and it has none.
void prepare_adapter(model::Qwen3VL& model, const TrainableOptions& options,
                     const std::filesystem::path& base, uint64_t seed);

/// Whether a pattern of --freeze fits the tensor's name.
bool is_frozen(const TrainableOptions& options, const std::string& name);

/// Names of what is trained, in their order: the adapter's tensors, or all that no pattern freezes.
/// \param vision_only of these the vision tower's (the labels objective)
/// \throws Error(Exit::config) for a pattern that fits nothing, or if nothing is left
std::vector<std::string> trained_names(const std::vector<std::string>& all,
                                       const TrainableOptions& options, bool vision_only);
std::vector<std::string> trained_names(const model::Qwen3VL& model, const TrainableOptions& options,
                                       bool vision_only = false);

/// Makes the named tensors leaves of their own memory (they may be views of a mapped file), the
/// others constants, and binds the model anew. \returns the leaves, in the order of `names`
/// \throws Error(Exit::config) if one is neither float32 nor bfloat16
std::vector<model::Tensor> make_leaves(model::Qwen3VL& model,
                                       const std::vector<std::string>& names);

/// "trains 1234 of 56789 parameters (2.17%)"
void log_share(Logger& log, const model::Qwen3VL& model, const std::vector<std::string>& names);

/// The pass of a training unit. \param subject, index name the unit: its dropout depends on them
/// and the seed alone
model::Pass training_pass(const model::Qwen3VL& model, const TrainableOptions& options,
                          uint64_t seed, const std::string& subject, int64_t index);

}  // namespace unirg::train
