// SPDX-License-Identifier: Apache-2.0
#include "train/plan.h"

#include <algorithm>

#include "model/checkpoint_tensors.h"
#include "train/losses.h"

namespace unirg::train {
namespace {

constexpr int64_t kFloat = 4;  // bytes

/// A heap grows beyond the bytes alive in a unit, for the holes between tensors of different sizes:
/// to about this many times them within some 50 units. Measured with tcmalloc and models of 9 and
/// 74 million parameters (scripts/plan-check); the demo's SFT of thousands of units came to 6%
/// above what the second predicts.
constexpr double kFreshHeap = 1.25;
constexpr double kOldHeap = 1.6;
constexpr int64_t kManyUnits = 50;

/// A unit's memory rises in its forward pass and falls in the backward pass, and threads do not
/// keep step: beside one unit at its peak the others count half.
constexpr double kOtherUnits = 0.5;

int64_t divided_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// What a plan is made of.
struct Sizes {
  model::ModelConfig config;
  int64_t values = 0;             ///< trained
  int64_t item = kFloat;          ///< bytes of a weight
  int64_t trained_item = kFloat;  ///< of one that is trained
  bool adapter = false;
  bool trains_vision = false;  ///< else its pass keeps nothing
};

void count_trained(const std::filesystem::path& checkpoint, const model::ModelConfig& config,
                   const TrainableOptions& options, bool vision_only, Sizes& sizes) {
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
  for (const std::string& name : trained_names(all, options, vision_only)) {
    sizes.values += model::count_values(model::Shapes{{name, shapes.at(name)}});
    sizes.trains_vision |= name.starts_with(model::kVisionRoot);
  }
}

Sizes sizes_of(const std::filesystem::path& checkpoint, const std::string& dtype,
               const TrainableOptions& options, bool vision_only) {
  Sizes sizes;
  sizes.config = model::load_config(model::base_folder(checkpoint) / "config.json");
  count_trained(checkpoint, sizes.config, options, vision_only, sizes);
  if (dtype == "bfloat16" || (dtype == "auto" && sizes.config.dtype == "bfloat16")) sizes.item = 2;
  sizes.adapter = options.lora_rank > 0 || model::is_adapter(checkpoint);
  sizes.trained_item = sizes.adapter ? kFloat : sizes.item;
  return sizes;
}

/// What units hold while they are worked on. A unit gives up its activations while its gradients
/// come; where the gradients are more, they count.
policy::Plan::Parts unit_parts(const Sizes& sizes, const TrainableOptions& options,
                               const TrainingWork& work, bool gpu) {
  model::Activations kept =
      model::activations(sizes.config, work.unit, sizes.item, options.recompute);
  if (!sizes.trains_vision) kept.vision = 0;
  const int64_t logits =
      work.vision_only ? 0
                       : model::head_bytes(sizes.config, work.unit, ScoreOptions{}.chunk_values);
  const int64_t gradients = sizes.trained_item * sizes.values;
  const bool few = work.steps * work.units_per_step < kManyUnits;
  const double heap = gpu ? 1.0 : few ? kFreshHeap : kOldHeap;
  const double peaks = 1 + kOtherUnits * static_cast<double>(work.units_at_once - 1);
  const auto held = [&](int64_t bytes) {
    return static_cast<int64_t>(heap * peaks * static_cast<double>(bytes));
  };
  const int64_t unit = std::max(gradients, kept.total() + logits);
  policy::Plan::Parts parts{{"activations-vision", held(kept.vision)},
                            {"activations-prompts", held(kept.prompts)},
                            {"activations-replies", held(kept.replies)},
                            {"activations-layer", held(kept.layer)},
                            {"logits", held(logits)},
                            {"unit-gradients", held(unit - kept.total() - logits)}};
  // The allocators give a validation what the units before it had.
  const int64_t layer = model::layer_bytes(sizes.config, work.unit, sizes.item);
  if (!gpu)
    parts.emplace_back("validation",
                       std::max<int64_t>(0, work.validating * (layer + logits) - held(unit)));
  return parts;
}

void cost_work(const Sizes& sizes, const TrainableOptions& options, const TrainingWork& work,
               const policy::Machine& machine, policy::Plan& plan) {
  plan.steps = work.steps;
  plan.step_bytes =
      policy::step_bytes(machine, sizes.values, sizes.trained_item, work.units_per_step);
  plan.run.flops = (options.recompute ? 4.0 : 3.0) * work.forward_flops +
                   (work.reference ? work.forward_flops : 0);
  plan.run.sent = static_cast<double>(work.steps) * plan.step_bytes;
  plan.run.units = work.units;
  plan.process = work.process;
  if (work.vision_only) return;
  plan.stages = policy::process_cost(
      work.process, {sizes.config, work.study, sizes.values, sizes.trained_item, options.recompute},
      machine);
}

}  // namespace

Place place_of(const policy::MachineOptions& options, const RankOptions& ranks,
               const cli::Common& common) {
  policy::Machine machine = policy::machine_of(options);
  machine.zero = ranks.zero;
  return {machine, policy::plans_gpu(common.device, machine), common.threads};
}

void share_units(const Place& place, int64_t units, TrainingWork& work) {
  work.units = units;
  work.units_per_step = divided_up(units, place.machine.ranks);
  work.units_at_once = place.gpu ? 1 : std::min(place.threads, work.units_per_step);
}

TrainingWork sft_work(const SftOptions& o, const model::ModelConfig& config,
                      const policy::Lengths& lengths, const SftStudies& studies,
                      const Place& place) {
  const int64_t per_step = std::min(studies.training, o.batch_size);
  TrainingWork work;
  work.unit = lengths.longest;
  work.study = lengths.mean;
  work.facts = {{"training-studies", studies.training},
                {"validation-studies", studies.validation},
                {"epochs", o.epochs}};
  work.unit.studies = std::min(per_step, o.micro_batch);
  work.vision_only = o.objective == "labels";
  if (work.vision_only) work.unit.prompt_tokens = work.unit.reply_tokens = 0;
  work.steps = o.epochs * divided_up(studies.training, o.batch_size);
  int64_t seen = o.epochs * studies.training;
  if (o.max_steps > 0 && o.max_steps < work.steps) {
    work.steps = o.max_steps;
    seen = std::min(seen, work.steps * o.batch_size);
  }
  work.forward_flops = static_cast<double>(seen) * model::forward_flops(config, lengths.mean);
  share_units(place, divided_up(per_step, o.micro_batch), work);
  if (place.threads > 1 && studies.validation > 0) work.validating = place.threads;
  work.picture_bytes = (studies.training + studies.validation) * lengths.picture_bytes;
  work.process.micro_batch = o.micro_batch;
  return work;
}

policy::Plan training_plan(const std::filesystem::path& checkpoint, const std::string& dtype,
                           const TrainableOptions& options, const TrainingWork& work,
                           const Place& place) {
  const bool gpu = place.gpu;
  const Sizes sizes = sizes_of(checkpoint, dtype, options, work.vision_only);
  const bool masters = sizes.item == 2 && !sizes.adapter;
  const policy::TrainingState state = policy::training_state(place.machine, sizes.values, masters);
  policy::Plan plan;
  plan.facts = work.facts;
  const policy::Plan::Parts study = policy::study_facts(work.study);
  plan.facts.insert(plan.facts.end(), study.begin(), study.end());
  const policy::Plan::Parts process{{"process", policy::resident_bytes_at_work(/*trains=*/true)},
                                    {"pictures", work.picture_bytes}};
  plan.memory = gpu ? policy::Plan::Parts{{"context", policy::kContextBytes}} : process;
  if (gpu) plan.host = process;
  const int64_t weights = policy::weight_bytes(checkpoint, dtype);
  plan.memory.insert(plan.memory.end(),
                     {{"weights", weights + (sizes.adapter ? kFloat * sizes.values : 0)},
                      {"reference", work.reference_bytes},
                      {"gradients", state.gradients},
                      {"moments", state.moments},
                      {"masters", state.masters}});
  const policy::Plan::Parts units = unit_parts(sizes, options, work, gpu);
  plan.memory.insert(plan.memory.end(), units.begin(), units.end());
  cost_work(sizes, options, work, place.machine, plan);
  return plan;
}

}  // namespace unirg::train
