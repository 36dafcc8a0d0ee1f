// SPDX-License-Identifier: Apache-2.0
#include "rl/update.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>

#include "base/error.h"
#include "io/atomic_file.h"
#include "policy/meter.h"
#include "policy/plan.h"
#include "train/checkpoint.h"

namespace unirg::rl {
namespace {

/// The moments of an earlier update go on if they are those of what is trained now; a new adapter,
/// or what was frozen before, begins anew with all the rest: one step count serves all.
bool fits(const train::AdamWState& state, const std::vector<std::string>& names) {
  return state.first.size() == names.size() &&
         std::all_of(names.begin(), names.end(),
                     [&](const auto& name) { return state.first.contains(name); });
}

/// The policy of the job with its optimiser, ready to be trained.
TrainedPolicy load_policy(const UpdateJob& job, Logger& log) {
  const UpdateOptions& o = job.options;
  TrainedPolicy policy;
  policy.model = model::load_model(job.policy, job.device, job.dtype);
  train::prepare_adapter(policy.model, o.trainable, model::base_folder(job.policy), job.seed);
  policy.names = train::trained_names(policy.model, o.trainable);
  policy.leaves = train::make_leaves(policy.model, policy.names);
  train::log_share(log, policy.model, policy.names);
  if (o.loss.kl_coefficient > 0) {
    policy.reference = job.reference.empty()
                           ? model::without_adapter(policy.model)
                           : model::load_model(job.reference, job.device, job.dtype);
  }
  policy.kl_coefficient = o.loss.kl_coefficient;
  auto state = train::load_training_state(job.policy);
  // Another stage's moments say nothing about this objective.
  const bool from_update = state && state->progress.value("stage", "") == "update" &&
                           fits(state->optimizer, policy.names);
  if (from_update) {
    policy.optimizer = std::move(state->optimizer);
    if (o.kl_target > 0)
      policy.kl_coefficient = state->progress.value("kl_coefficient", policy.kl_coefficient);
  }
  train::place_state(policy.optimizer, policy.model.parameters);
  log.info("optimiser {} at step {}", from_update ? "goes on" : "begins", policy.optimizer.step);
  return policy;
}

/// Tokens are the policy's, and prompts those of the rollouts.
void check_rollouts(const UpdateJob& job, int64_t vocabulary) {
  for (size_t i = 0; i < job.batch.groups.size(); ++i) {
    if (job.options.cross_entropy > 0 && job.studies[i].reply.empty())
      throw Error(
          Exit::data,
          fmt::format("study '{}' has no reference report (hint: --cross-entropy needs one)",
                      job.studies[i].study_id));
    const auto expected = static_cast<int64_t>(job.studies[i].prompt.size());
    for (const data::Generation& g : job.batch.groups[i].samples) {
      for (const int64_t token : g.tokens) {
        if (token >= 0 && token < vocabulary) continue;
        throw Error(Exit::data,
                    fmt::format("rollout '{} sample {}': token {} is not in the vocabulary of {}",
                                g.study_id, g.sample, token, vocabulary));
      }
      if (g.prompt_tokens == expected) continue;
      throw Error(Exit::data,
                  fmt::format("study '{}': its prompt has {} tokens here and had {} when the "
                              "rollouts were drawn (hint: same --prompt options and studies)",
                              g.study_id, expected, g.prompt_tokens));
    }
  }
}

/// Metrics first, so that a kill between the two leaves no policy without them.
void save(const UpdateJob& job, const TrainedPolicy& policy, train::AdamWState optimizer,
          const std::string& metrics, const io::RunRecord& record) {
  train::TrainingState state{std::move(optimizer), {{"stage", "update"}}};
  if (job.options.kl_target > 0) state.progress["kl_coefficient"] = policy.kl_coefficient;
  const std::filesystem::path file = job.output.string() + ".metrics.jsonl";
  io::write_file(file, metrics);
  try {
    train::save_checkpoint(job.output, job.policy, policy.model, record, state);
  } catch (const Error&) {
    std::filesystem::remove(file);
    throw;
  }
}

/// What the update did: samples are scored with gradient in each epoch, and without by the
/// reference or before the first step.
void add_work(const UpdateJob& job, const TrainedPolicy& policy, policy::Meter& meter) {
  const UpdateOptions& o = job.options;
  const auto epochs = static_cast<double>(o.epochs);
  const bool in_loss = policy.reference.has_value() && !o.kl_in_reward;
  const int before = (o.importance_cap > 0 || o.kl_in_reward ? 1 : 0) + (o.kl_in_reward ? 1 : 0);
  for (size_t g = 0; g < job.batch.groups.size(); ++g) {
    int64_t tokens = 0;
    for (const data::Generation& sample : job.batch.groups[g].samples)
      tokens += static_cast<int64_t>(sample.tokens.size());
    model::PassShape shape = policy::shape_of(job.studies[g]);
    shape.replies = static_cast<int64_t>(job.batch.groups[g].samples.size());
    shape.reply_tokens = tokens / shape.replies;
    meter.add(shape, epochs * (in_loss ? 4 : 3) + before, o.epochs * tokens);
  }
}

/// All epochs. \returns the lines of metrics, none if it was stopped: an update is short, it begins
/// again from its input
std::optional<std::string> train_epochs(const UpdateOptions& options, size_t total,
                                        PolicyTrainer& trainer, distributed::World& world,
                                        const cli::StopFlag& stop) {
  if (!trainer.prepare(stop)) return std::nullopt;
  std::string metrics;
  const size_t per_step =
      options.groups_per_step > 0 ? static_cast<size_t>(options.groups_per_step) : total;
  for (int64_t epoch = 0; epoch < options.epochs; ++epoch) {
    for (size_t begin = 0; begin < total; begin += per_step) {
      if (world.any(stop.requested())) return std::nullopt;
      std::vector<size_t> groups(std::min(per_step, total - begin));
      std::iota(groups.begin(), groups.end(), begin);
      if (const auto line = trainer.step(groups)) metrics += io::json_line(*line);
    }
  }
  trainer.finish();
  return metrics;
}

}  // namespace

Exit run_update(UpdateJob& job, const policy::ReportWriter& writer, distributed::World& world,
                cli::Context& context) {
  io::check_replaceable(job.output);
  check_rollouts(job, writer.config().text.vocab_size);
  TrainedPolicy policy = load_policy(job, context.log);
  PolicyTrainer trainer(job.options, writer, job.threads, job.batch, job.studies, policy, world);
  const RolloutBatch& b = job.batch;
  policy::Meter meter(policy.model, job.threads * world.size());
  const auto metrics = train_epochs(job.options, b.groups.size(), trainer, world, context.stop);
  if (!metrics) return Exit::interrupted;
  context.log.info("reward {:.4f} +- {:.4f}, length {:.1f}, {} of {} groups without spread",
                   b.rewards.at("reward").mean, b.rewards.at("reward").std, b.mean_length,
                   b.zero_variance_groups, b.groups.size());
  add_work(job, policy, meter);
  train::AdamWState optimizer = trainer.optimizer().whole(policy.optimizer);
  const io::Json ranks = trainer.optimizer().note(policy.optimizer);
  context.record.note("ranks", ranks);
  if (!world.alone()) context.log.info("{}", train::RankedOptimizer::told(ranks));
  if (world.first()) {
    context.record.note("speed", meter.note());
    save(job, policy, std::move(optimizer), *metrics, context.record);
  }
  world.barrier();  // nobody leaves before rank 0 has written
  return Exit::ok;
}

}  // namespace unirg::rl
