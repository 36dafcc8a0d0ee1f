// SPDX-License-Identifier: Apache-2.0
#include "train/plan.h"

#include <algorithm>

#include "model/checkpoint_tensors.h"
#include "train/losses.h"

namespace unirg::train {
namespace {

constexpr int64_t kFloat = 4;  // bytes; what is trained is float32

/// A heap grows beyond the bytes alive in a unit, for the holes between tensors of different sizes:
/// to about this many times them after thousands of units, less after dozens. Measured on the
/// demo's models with glibc 2.36, whose bytes alive are as predicted to 3% (every tensor mapped by
/// itself); with tcmalloc the demo's SFT came to 6% above its prediction.
constexpr double kOldHeap = 1.6;
constexpr double kFreshHeap = 1.2;

int64_t on_heap(const TrainingWork& work, int64_t bytes) {
  return static_cast<int64_t>((work.brief ? kFreshHeap : kOldHeap) * static_cast<double>(bytes));
}

int64_t trained_values(const std::filesystem::path& checkpoint, const model::ModelConfig& config,
                       const TrainableOptions& options, bool vision_only) {
  model::Shapes shapes = model::expected_parameters(config);
  if (model::is_adapter(checkpoint)) {
    const auto adapter =
        model::load_adapter(checkpoint, config, model::load_adapter_config(checkpoint));
    for (const auto& [name, tensor] : adapter) shapes[name] = tensor.sizes().vec();
  } else if (options.lora_rank > 0) {
    const model::AdapterConfig adapter{.rank = options.lora_rank, .targets = options.lora_targets};
    shapes.merge(model::adapter_shapes(config, adapter));
  }
  std::vector<std::string> all;
  for (const auto& [name, shape] : shapes) all.push_back(name);
  int64_t values = 0;
  for (const std::string& name : trained_names(all, options, vision_only))
    values += model::count_values(model::Shapes{{name, shapes.at(name)}});
  return values;
}

}  // namespace

policy::Plan training_plan(const std::filesystem::path& checkpoint, const std::string& dtype,
                           const TrainableOptions& options, const TrainingWork& work) {
  const model::ModelConfig config =
      model::load_config(model::base_folder(checkpoint) / "config.json");
  const bool bfloat16 = dtype == "bfloat16" || (dtype == "auto" && config.dtype == "bfloat16");
  const int64_t trained = kFloat * trained_values(checkpoint, config, options, work.vision_only);
  const int64_t weights = policy::weight_bytes(checkpoint, dtype);
  const int64_t item = bfloat16 ? 2 : kFloat;
  const int64_t head =
      work.vision_only ? 0 : model::head_bytes(config, work.unit, ScoreOptions{}.chunk_values);
  const int64_t activations =
      model::activation_bytes(config, work.unit, item, options.recompute) + head;
  const bool adapter = options.lora_rank > 0 || model::is_adapter(checkpoint);
  policy::Plan plan;
  plan.memory = {
      {"process", policy::resident_bytes_at_work(/*trains=*/true)},
      {"pictures", work.picture_bytes},
      {"weights", weights + (adapter ? trained : 0)},
      {"reference", work.reference_bytes},
      {"gradients", trained},
      {"moments", 2 * trained},
      {"masters", bfloat16 && !adapter ? trained : 0},
      // A unit gives up its activations while its gradients come.
      {"units", on_heap(work, work.units_at_once * std::max(activations, trained))},
      {"validation",
       on_heap(work, work.validating * (model::layer_bytes(config, work.unit, item) + head))},
  };
  plan.flops = (options.recompute ? 4.0 : 3.0) * work.forward_flops +
               (work.reference ? work.forward_flops : 0);
  return plan;
}

}  // namespace unirg::train
