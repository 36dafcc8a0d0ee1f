// unirg-update: policy + rollouts + rewards -> next policy. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdlib>

#include "base/error.h"
#include "base/parallel.h"
#include "io/atomic_file.h"
#include "io/run_record.h"
#include "options.h"
#include "rl/update_plan.h"
#include "train/gradients.h"
#include "train/rank_sums.h"

namespace unirg {
namespace {

std::vector<policy::EncodedStudy> encode_groups(const UpdateToolOptions& o,
                                                const rl::RolloutBatch& batch,
                                                const policy::ReportWriter& writer) {
  const data::StudySet set(o.studies);
  std::vector<policy::EncodedStudy> encoded;
  ordered_parallel(
      static_cast<int>(o.common.threads), static_cast<int64_t>(batch.groups.size()),
      [&](int64_t i) {
        const std::string& id = batch.groups[static_cast<size_t>(i)].study_id;
        const data::Study* study = set.find(id);
        if (!study)
          throw Error(Exit::data, fmt::format("rollout of study '{}', which '{}' does not have", id,
                                              o.studies.string()));
        return writer.encode(*study, set);
      },
      [&](int64_t, policy::EncodedStudy study) {
        encoded.push_back(std::move(study));
        return true;
      });
  return encoded;
}

void print_plan(const UpdateToolOptions& o, const policy::ReportWriter& writer) {
  const rl::UpdateJob& job = o.job;
  const train::Place place = train::place_of(o.machine, job.options.ranks, o.common);
  train::TrainingWork work = rl::update_work(job, writer.config(), place);
  work.process.studies = o.machine.studies;
  policy::print_plan(
      train::training_plan(job.policy, job.dtype, job.options.trainable, work, place),
      place.machine, o.machine.format);
}

/// What is added to the policy term.
void settle_additions(UpdateToolOptions& o) {
  rl::UpdateOptions& u = o.job.options;
  u.kl_in_reward = o.kl_in == "reward";
  if ((u.kl_in_reward || u.kl_target > 0) && u.loss.kl_coefficient == 0)
    throw Error(Exit::config, "--kl-in reward and --kl-target need --kl above 0");
  if (u.kl_in_reward && u.groups.advantage == rl::AdvantageKind::gdpo)
    throw Error(Exit::config, "--kl-in reward has no term of its own for --advantage gdpo");
  if (u.cross_entropy > 0 && u.temperature != 1)
    throw Error(Exit::config, "--cross-entropy is of the policy at --temperature 1");
}

/// Names become kinds, and what does not go together is refused.
void settle_objective(UpdateToolOptions& o) {
  rl::UpdateOptions& u = o.job.options;
  u.groups.advantage = rl::parse_advantage(o.advantage);
  u.loss.ratio = rl::parse_ratio(o.ratio);
  u.loss.kl = rl::parse_kl(o.kl_estimator);
  u.aggregation = rl::parse_aggregation(o.aggregation);
  if ((u.groups.advantage == rl::AdvantageKind::greedy) != !o.greedy_rewards.empty())
    throw Error(Exit::config, "--advantage greedy and --greedy-rewards need each other");
  if (u.aggregation == rl::Aggregation::constant && u.max_tokens == 0)
    throw Error(Exit::config, "--aggregation constant needs --max-tokens");
  if (u.groups.overlong_limit > 0 &&
      (u.groups.overlong_buffer == 0 || u.groups.overlong_buffer > u.groups.overlong_limit))
    throw Error(Exit::config,
                "--overlong-limit needs an --overlong-buffer above 0 and not above the limit");
  if (u.loss.dual_clip != 0 && u.loss.dual_clip <= 1)
    throw Error(Exit::config, "--dual-clip is above 1, or 0 for none");
  settle_additions(o);
}

/// What does not go together beyond the objective.
void check_options(const UpdateToolOptions& o, const distributed::World& world) {
  const rl::UpdateJob& job = o.job;
  const bool has_adapter = job.options.trainable.lora_rank > 0 || model::is_adapter(job.policy);
  if (job.options.loss.kl_coefficient > 0 && job.reference.empty() && !has_adapter)
    throw Error(Exit::config,
                "--kl needs --reference (an adapter needs none: its base is the reference)");
  if (job.options.schedule.shape == "cosine" && job.options.schedule.total_steps == 0) {
    throw Error(Exit::config, "--schedule cosine needs --total-steps");
  }
  if (io::is_stream(o.rollouts) && io::is_stream(o.rewards)) {
    throw Error(Exit::usage, "rollouts and --rewards cannot both be standard input");
  }
  if (!world.alone() && (io::is_stream(o.rollouts) || io::is_stream(o.rewards)))
    throw Error(Exit::usage, "several ranks cannot share standard input (hint: name a file)");
}

Exit run(UpdateToolOptions& o, distributed::World& world, cli::Context& context) {
  train::join_ranks(world, std::getenv, o.common, context.log);
  rl::UpdateJob& job = o.job;
  settle_objective(o);
  check_options(o, world);
  train::check_trainable(job.policy, o.common.dtype, job.options.trainable, job.output);
  train::use_one_intra_op_thread();
  job.output = io::folder_name(job.output);
  job.threads = static_cast<int>(o.common.threads);
  job.device = train::device_of_rank(world, o.common.device, std::getenv);
  job.dtype = o.common.dtype;
  job.seed = static_cast<uint64_t>(o.common.seed);
  const policy::ReportWriter writer(job.policy, o.prompt);
  const std::string digest = model::policy_digest(job.policy);
  std::vector<data::Reward> greedy;
  if (!o.greedy_rewards.empty()) greedy = data::read_rewards(o.greedy_rewards).records;
  job.batch =
      rl::join_rollouts(data::read_generations(o.rollouts).records,
                        data::read_rewards(o.rewards).records, digest, job.options.groups, greedy);
  if (o.on_collapse == "stop") rl::check_collapse(job.batch);
  job.studies = encode_groups(o, job.batch, writer);
  if (o.common.dry_run) {
    if (!world.first()) return Exit::ok;
    policy::warn_of_missing_weights(context.log, job.policy);
    print_plan(o, writer);
    return Exit::ok;
  }
  model::add_policy_input(context.record, job.policy, digest);
  if (!job.reference.empty())
    model::add_policy_input(context.record, job.reference, model::policy_digest(job.reference));
  for (const auto& file : {o.studies, o.rewards, o.rollouts}) context.record.add_input(file);
  if (!o.greedy_rewards.empty()) context.record.add_input(o.greedy_rewards);
  train::check_same_run(world, context.record);
  return rl::run_update(job, writer, world, context);
}

}  // namespace
}  // namespace unirg

int main(int argc, char** argv) {
  unirg::UpdateToolOptions options;
  unirg::distributed::World world;
  return world.leave(unirg::cli::run_main(
      {.name = "unirg-update",
       .summary = "One GRPO update of a policy from its rollouts and their rewards.",
       .synopsis = "[options] --policy DIR --rewards FILE --studies FILE --output DIR ROLLOUTS",
       .example = "unirg-update -m policy-0 --studies data/studies.jsonl --rewards rewards.jsonl "
                  "-o policy-1 rollouts.jsonl"},
      unirg::update_table(options), options.common, argc, argv,
      [&](unirg::cli::Context& context) { return unirg::run(options, world, context); }));
}
