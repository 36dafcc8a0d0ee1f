// SPDX-License-Identifier: Apache-2.0
#include "rl/update.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <mutex>
#include <optional>

#include "base/error.h"
#include "io/atomic_file.h"
#include "train/checkpoint.h"
#include "train/gradients.h"
#include "train/losses.h"

namespace unirg::rl {
namespace {

using at::Tensor;

/// One group as flat tensors over its real (unpadded) tokens.
struct GroupTokens {
  std::vector<std::vector<int64_t>>
      streams;  ///< fed to the model: last prompt token, then the reply without its last
  Tensor rows;  ///< of the padded [G*L] output
  Tensor targets, old_logprobs, advantages;
  Tensor samples;  ///< which stream each token is of
  Tensor weights;  ///< in the loss; undefined where all are alike
};

/// The samples of a group that are trained on.
std::vector<size_t> trained_samples(const RolloutGroup& group) {
  std::vector<size_t> trained;
  for (size_t i = 0; i < group.samples.size(); ++i) {
    if (group.trained[i]) trained.push_back(i);
  }
  return trained;
}

/// \param weight of each token of a reply of some length; null: all alike
GroupTokens flatten(const RolloutGroup& group, int64_t last_prompt_token, const at::Device& device,
                    const std::function<double(double)>& weight) {
  const std::vector<size_t> trained = trained_samples(group);
  size_t longest = 0;
  for (const size_t i : trained) longest = std::max(longest, group.samples[i].tokens.size());
  GroupTokens flat;
  std::vector<int64_t> rows, targets, samples;
  std::vector<float> old_logprobs, advantages, weights;
  for (size_t s = 0; s < trained.size(); ++s) {
    const data::Generation& g = group.samples[trained[s]];
    std::vector<int64_t> stream{last_prompt_token};
    stream.insert(stream.end(), g.tokens.begin(), g.tokens.end() - 1);
    flat.streams.push_back(std::move(stream));
    const size_t length = g.tokens.size();
    for (size_t t = 0; t < length; ++t) {
      rows.push_back(static_cast<int64_t>(s * longest + t));
      targets.push_back(g.tokens[t]);
      old_logprobs.push_back(g.logprobs[t]);
    }
    samples.insert(samples.end(), length, static_cast<int64_t>(s));
    advantages.insert(advantages.end(), length,
                      static_cast<float>(group.advantage.advantages[trained[s]]));
    if (weight)
      weights.insert(weights.end(), length,
                     static_cast<float>(weight(static_cast<double>(length))));
  }
  flat.rows = at::tensor(rows, at::kLong).to(device);
  flat.targets = at::tensor(targets, at::kLong).to(device);
  flat.samples = at::tensor(samples, at::kLong).to(device);
  flat.old_logprobs = at::tensor(old_logprobs, at::kFloat).to(device);
  flat.advantages = at::tensor(advantages, at::kFloat).to(device);
  if (weight) flat.weights = at::tensor(weights, at::kFloat).to(device);
  return flat;
}

train::TokenScores score_group(const model::Qwen3VL& model, const model::PromptTokens& prompt,
                               const GroupTokens& flat, double temperature, bool with_entropy,
                               const model::Pass& pass = {}) {
  const Tensor hidden = model::forward_replies(model, {prompt}, {flat.streams}, pass)
                            .flatten(0, 2)
                            .index_select(0, flat.rows);
  return train::token_scores(hidden, model.text.head, flat.targets,
                             {.temperature = temperature, .entropy = with_entropy});
}

/// The moments of an earlier update go on if they are those of what is trained now; a new adapter,
/// or what was frozen before, begins anew with all the rest: one step count serves all.
bool fits(const train::AdamWState& state, const std::vector<std::string>& names) {
  return state.first.size() == names.size() &&
         std::all_of(names.begin(), names.end(),
                     [&](const auto& name) { return state.first.contains(name); });
}

class Update {
 public:
  Update(UpdateJob& job, const policy::ReportWriter& writer, cli::Context& context)
      : job_(job), writer_(writer), context_(context) {}
  Exit run();

 private:
  void load();
  void check_rollouts() const;
  void save();
  train::UnitLoss unit(size_t group, const StepTotals& totals);
  [[nodiscard]] StepTotals totals(const std::vector<size_t>& groups) const;
  void step(const std::vector<size_t>& groups, int64_t epoch);
  io::Json metrics(const train::StepGradients& result, double rate, double norm,
                   int64_t groups) const;
  void check_gap(bool first_step) const;

  UpdateJob& job_;
  const policy::ReportWriter& writer_;
  cli::Context& context_;
  model::Qwen3VL model_;
  std::optional<model::Qwen3VL> reference_;
  std::vector<std::string> names_;
  std::vector<Tensor> leaves_;
  train::TrainingState state_;
  std::string metrics_;
  std::mutex gap_mutex_;
  double gap_ = 0;  ///< largest |trainer - sampler| log-probability of the step in hand
};

void Update::load() {
  model_ = model::load_model(job_.policy, job_.device, job_.dtype);
  train::prepare_adapter(model_, job_.options.trainable, model::base_folder(job_.policy),
                         job_.seed);
  names_ = train::trained_names(model_, job_.options.trainable);
  leaves_ = train::make_leaves(model_, names_);
  train::log_share(context_.log, model_, names_);
  if (job_.options.loss.kl_coefficient > 0) {
    reference_ = job_.reference.empty()
                     ? model::without_adapter(model_)
                     : model::load_model(job_.reference, job_.device, job_.dtype);
  }
  auto state = train::load_training_state(job_.policy);
  const bool from_update =
      state && state->progress.value("stage", "") == "update" && fits(state->optimizer, names_);
  if (from_update)
    state_ = std::move(*state);  // another stage's moments say nothing about this objective
  train::place_moments(state_.optimizer, model_.parameters);
  context_.log.info("optimiser {} at step {}", from_update ? "goes on" : "begins",
                    state_.optimizer.step);
}

/// Tokens are the policy's, and prompts those of the rollouts.
void Update::check_rollouts() const {
  const int64_t vocabulary = writer_.config().text.vocab_size;
  for (size_t i = 0; i < job_.batch.groups.size(); ++i) {
    const auto expected = static_cast<int64_t>(job_.studies[i].prompt.size());
    for (const data::Generation& g : job_.batch.groups[i].samples) {
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

train::UnitLoss Update::unit(size_t index, const StepTotals& totals) {
  const RolloutGroup& group = job_.batch.groups[index];
  const bool learns = group.advantage.learns() || reference_.has_value();
  if (!learns || trained_samples(group).empty()) return {};  // the gradient is zero
  const policy::EncodedStudy& study = job_.studies[index];
  const model::PromptTokens prompt = writer_.materialise(study);
  // Alike tokens are weighed once, behind their sum.
  const Aggregation aggregation = job_.options.aggregation;
  const bool alike = aggregation == Aggregation::token;
  const double scale = alike ? token_weight(aggregation, 0, totals) : 1.0;
  const GroupTokens flat = flatten(
      group, study.prompt.back(), model_.text.embed.device(),
      alike ? std::function<double(double)>()
            : [&](double length) { return token_weight(aggregation, length, totals); });
  Tensor reference;
  if (reference_) {
    const at::NoGradGuard no_grad;
    reference = score_group(*reference_, prompt, flat, job_.options.temperature, false).logprobs;
  }
  const train::TokenScores scores =
      score_group(model_, prompt, flat, job_.options.temperature, /*with_entropy=*/true,
                  model::Pass{{}, job_.options.trainable.recompute});
  const PolicyLoss loss = policy_loss(
      job_.options.loss,
      {scores.logprobs, flat.old_logprobs, flat.advantages, reference, flat.samples, flat.weights});
  const double gap = (scores.logprobs.detach() - flat.old_logprobs).abs().max().item<double>();
  {
    const std::lock_guard lock(gap_mutex_);
    gap_ = std::max(gap_, gap);
  }
  return {loss.sum * scale,
          {{"loss", loss.sum.item<double>() * scale},
           {"ratio", loss.ratio_sum},
           {"clipped_low", loss.clipped_low},
           {"clipped_high", loss.clipped_high},
           {"kl", loss.kl_sum},
           {"entropy", scores.entropy.sum().item<double>()},
           {"scored", static_cast<double>(flat.targets.numel())}}};
}

void Update::check_gap(bool first_step) const {
  if (!first_step || gap_ <= job_.options.max_logprob_gap) return;
  throw Error(
      Exit::data,
      fmt::format("log-probabilities of trainer and sampler differ by up to {:.2e}, more than "
                  "--max-logprob-gap {:.2e} (hint: same --temperature, same checkpoint?)",
                  gap_, job_.options.max_logprob_gap));
}

io::Json Update::metrics(const train::StepGradients& result, double rate, double norm,
                         int64_t groups) const {
  const auto sum = [&](const char* name) {
    return result.sums.contains(name) ? result.sums.at(name) : 0.0;
  };
  const double scored = std::max(1.0, sum("scored"));
  io::Json rewards = io::Json::object();
  for (const auto& [name, spread] : job_.batch.rewards)
    rewards[name] = {{"mean", spread.mean}, {"std", spread.std}};
  return {{"schema", "unirg.metrics/1"},
          {"step", state_.optimizer.step},
          {"learning_rate", rate},
          {"loss", sum("loss")},
          {"rewards", std::move(rewards)},
          {"ratio", sum("ratio") / scored},
          {"clipped_low", sum("clipped_low") / scored},
          {"clipped_high", sum("clipped_high") / scored},
          {"kl", sum("kl") / scored},
          {"entropy", sum("entropy") / scored},
          {"grad_norm", norm},
          {"groups", groups},
          {"zero_variance_groups", job_.batch.zero_variance_groups},
          {"untrained", job_.batch.untrained},
          {"mean_length", job_.batch.mean_length},
          {"stopped_share", job_.batch.stopped_share},
          {"identical_share", job_.batch.identical_share},
          {"max_logprob_gap", gap_}};
}

StepTotals Update::totals(const std::vector<size_t>& groups) const {
  StepTotals totals{.max_tokens = job_.options.max_tokens};
  for (const size_t g : groups) {
    const RolloutGroup& group = job_.batch.groups[g];
    for (const size_t i : trained_samples(group)) {
      totals.samples += 1;
      totals.tokens += static_cast<double>(group.samples[i].tokens.size());
    }
  }
  return totals;
}

void Update::step(const std::vector<size_t>& groups, int64_t epoch) {
  const StepTotals all = totals(groups);
  if (all.samples == 0) return;  // every sample was left out
  gap_ = 0;
  train::StepGradients result =
      train::accumulate(leaves_, job_.threads, static_cast<int64_t>(groups.size()),
                        [&](int64_t i) { return unit(groups[static_cast<size_t>(i)], all); });
  check_gap(epoch == 0 && metrics_.empty());
  const double norm = train::clip_gradients(result.gradients, job_.options.max_grad_norm);
  if (!std::isfinite(norm))
    throw Error(Exit::data,
                "gradient is not finite (hint: lower --learning-rate; the policy is unchanged)");
  const double rate = train::learning_rate(job_.options.schedule, state_.optimizer.step);
  train::adamw_step(job_.options.adamw, rate, names_, model_.parameters, result.gradients,
                    state_.optimizer);
  metrics_ += io::json_line(metrics(result, rate, norm, static_cast<int64_t>(groups.size())));
}

/// Metrics first, so that a kill between the two leaves no policy without them.
void Update::save() {
  const std::filesystem::path metrics = job_.output.string() + ".metrics.jsonl";
  io::write_file(metrics, metrics_);
  try {
    train::save_checkpoint(job_.output, job_.policy, model_, context_.record, state_);
  } catch (const Error&) {
    std::filesystem::remove(metrics);
    throw;
  }
}

Exit Update::run() {
  io::check_replaceable(job_.output);
  check_rollouts();
  load();
  const size_t total = job_.batch.groups.size();
  const size_t per_step =
      job_.options.groups_per_step > 0 ? static_cast<size_t>(job_.options.groups_per_step) : total;
  for (int64_t epoch = 0; epoch < job_.options.epochs; ++epoch) {
    for (size_t begin = 0; begin < total; begin += per_step) {
      if (context_.stop.requested())
        return Exit::interrupted;  // an update is short: it begins again from its input
      std::vector<size_t> groups;
      for (size_t g = begin; g < std::min(total, begin + per_step); ++g) groups.push_back(g);
      step(groups, epoch);
    }
  }
  const RolloutBatch& b = job_.batch;
  context_.log.info("reward {:.4f} +- {:.4f}, length {:.1f}, {} of {} groups without spread",
                    b.rewards.at("reward").mean, b.rewards.at("reward").std, b.mean_length,
                    b.zero_variance_groups, total);
  state_.progress = {{"stage", "update"}};
  save();
  return Exit::ok;
}

}  // namespace

Exit run_update(UpdateJob& job, const policy::ReportWriter& writer, cli::Context& context) {
  return Update(job, writer, context).run();
}

}  // namespace unirg::rl
