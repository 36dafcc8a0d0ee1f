// SPDX-License-Identifier: Apache-2.0
#include "train/trainable.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>

#include "base/error.h"
#include "base/rng.h"
#include "model/checkpoint_tensors.h"

namespace unirg::train {
namespace fs = std::filesystem;
namespace {

bool matches(const std::string& pattern, const std::string& name) {
  return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

void check_patterns(const std::vector<std::string>& names,
                    const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns) {
    const bool hits = std::any_of(names.begin(), names.end(),
                                  [&](const auto& name) { return matches(pattern, name); });
    if (hits) continue;
    throw Error(Exit::config,
                fmt::format("--freeze '{}' fits no tensor of the model (hint: patterns of whole "
                            "names, like 'model.visual.*'; unirg-model info --list has them)",
                            pattern));
  }
}

}  // namespace

void add_trainable_options(cli::Table& table, TrainableOptions& o) {
  const char* const kGroup = "What is trained";
  table.push_back({.name = "freeze",
                   .target = &o.freeze,
                   .metavar = "PATTERN,...",
                   .help = "Tensors that stay as they are, by patterns of their names: "
                           "model.visual.* freezes the vision tower.",
                   .group = kGroup});
  table.push_back({.name = "lora-rank",
                   .target = &o.lora_rank,
                   .metavar = "R",
                   .help = "Trains a low-rank adapter (LoRA) of this rank and leaves the model as "
                           "it is; 0 trains the model itself.",
                   .min = 0,
                   .max = 65536,
                   .group = kGroup});
  table.push_back({.name = "lora-alpha",
                   .target = &o.lora_alpha,
                   .metavar = "A",
                   .help = "The adapter's change is multiplied by A / R.",
                   .min = 1e-6,
                   .max = 1e6,
                   .group = kGroup});
  table.push_back({.name = "lora-dropout",
                   .target = &o.lora_dropout,
                   .metavar = "P",
                   .help = "Share of the adapter's inputs dropped while training.",
                   .min = 0,
                   .max = 0.99,
                   .group = kGroup});
  table.push_back({.name = "lora-targets",
                   .target = &o.lora_targets,
                   .metavar = "NAME,...",
                   .help = "Linear layers that get an adapter: ends of their names, patterns of "
                           "whole names, or all-linear. The vision tower's end in qkv, attn.proj, "
                           "linear_fc1, linear_fc2.",
                   .group = kGroup});
  table.push_back({.name = "gradient-checkpointing",
                   .target = &o.recompute,
                   .help = "Keeps only each layer's input for the backward pass and computes the "
                           "rest again: less memory, about a third more time.",
                   .group = kGroup});
}

void check_trainable(const fs::path& checkpoint, const std::string& dtype,
                     const TrainableOptions& options, const fs::path& output) {
  const bool is_adapter = model::is_adapter(checkpoint);
  if (is_adapter && options.lora_rank > 0) {
    throw Error(Exit::config,
                fmt::format("'{}' is an adapter already, of rank {} (hint: without --lora-rank it "
                            "is trained on; unirg-model merge folds it into its base)",
                            checkpoint.string(), model::load_adapter_config(checkpoint).rank));
  }
  if (is_adapter || options.lora_rank > 0) return check_base_stays(checkpoint, output);
  const std::string held =
      dtype == "auto" ? model::load_config(checkpoint / "config.json").dtype : dtype;
  if (held == "float32" || held == "bfloat16") return;
  throw Error(Exit::config, fmt::format("weights held in {} cannot be trained (hint: --dtype "
                                        "bfloat16 or float32, or --lora-rank for an adapter)",
                                        held));
}

void check_base_stays(const fs::path& checkpoint, const fs::path& output) {
  const fs::path base = fs::weakly_canonical(model::base_folder(checkpoint));
  const fs::path replaced = fs::weakly_canonical(output);
  const auto ends = std::mismatch(replaced.begin(), replaced.end(), base.begin(), base.end());
  if (ends.first != replaced.end()) return;
  throw Error(Exit::config,
              fmt::format("'{}' would replace '{}', the base of the adapter (hint: another "
                          "--output)",
                          output.string(), base.string()));
}

void prepare_adapter(model::Qwen3VL& model, const TrainableOptions& options, const fs::path& base,
                     uint64_t seed) {
  if (model.adapter || options.lora_rank == 0) return;
  model::AdapterConfig adapter{.rank = options.lora_rank,
                               .alpha = options.lora_alpha,
                               .dropout = options.lora_dropout,
                               .targets = options.lora_targets,
                               .rank_stabilised = false,
                               .base = base};
  const auto device = model.text.embed.device();
  for (auto& [name, tensor] : model::new_adapter(model.config, adapter, seed))
    model.parameters[name] = tensor.to(device);
  model = model::bind_model(model.config, std::move(model.parameters), std::move(adapter));
}

bool is_frozen(const TrainableOptions& options, const std::string& name) {
  return std::any_of(options.freeze.begin(), options.freeze.end(),
                     [&](const std::string& pattern) { return matches(pattern, name); });
}

std::vector<std::string> trained_names(const std::vector<std::string>& all,
                                       const TrainableOptions& options, bool vision_only) {
  check_patterns(all, options.freeze);
  const bool adapter = std::any_of(all.begin(), all.end(), model::is_adapter_tensor);
  std::vector<std::string> names;
  for (const std::string& name : all) {
    if (adapter && !model::is_adapter_tensor(name)) continue;
    if (vision_only && !name.starts_with(model::kVisionRoot)) continue;
    if (!is_frozen(options, name)) names.push_back(name);
  }
  if (names.empty()) {
    throw Error(Exit::config,
                fmt::format("nothing is left to train{} (hint: --freeze, --lora-targets)",
                            vision_only ? " of the vision tower" : ""));
  }
  return names;
}

std::vector<std::string> trained_names(const model::Qwen3VL& model, const TrainableOptions& options,
                                       bool vision_only) {
  std::vector<std::string> all;
  for (const auto& [name, tensor] : model.parameters) all.push_back(name);
  return trained_names(all, options, vision_only);
}

std::vector<model::Tensor> make_leaves(model::Qwen3VL& model,
                                       const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const at::ScalarType type = model.parameters.at(name).scalar_type();
    if (type == at::kFloat || type == at::kBFloat16) continue;
    throw Error(
        Exit::config,
        fmt::format("'{}' is held as {} and has no gradient here (hint: --dtype bfloat16 or "
                    "float32)",
                    name, at::toString(type)));
  }
  // The bound weights go first: else every tensor would lie in memory twice until the end.
  model.vision = {};
  model.text = {};
  for (auto& [name, tensor] : model.parameters) tensor = tensor.detach();
  std::vector<model::Tensor> leaves;
  for (const std::string& name : names) {
    model::Tensor& tensor = model.parameters.at(name);
    tensor = tensor.clone().requires_grad_(true);
    leaves.push_back(tensor);
  }
  model = model::bind_model(model.config, std::move(model.parameters), std::move(model.adapter));
  return leaves;
}

void log_share(Logger& log, const model::Qwen3VL& model, const std::vector<std::string>& names) {
  int64_t trained = 0;
  for (const std::string& name : names) trained += model.parameters.at(name).numel();
  const int64_t all = model::count_values(model.parameters);
  log.info("trains {} of {} parameters ({:.4g}%)", trained, all,
           100.0 * static_cast<double>(trained) / static_cast<double>(all));
}

model::Pass training_pass(const model::Qwen3VL& model, const TrainableOptions& options,
                          uint64_t seed, const std::string& subject, int64_t index) {
  model::Pass pass{{}, options.recompute};
  if (!model.adapter || model.adapter->dropout == 0) return pass;
  Rng rng(seed, "dropout-pass", subject, static_cast<uint64_t>(index));
  const uint64_t high = rng.next_u32();
  pass.dropout = {model.adapter->dropout, high << 32 | rng.next_u32()};
  return pass;
}

}  // namespace unirg::train
