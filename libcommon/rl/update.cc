// SPDX-License-Identifier: Apache-2.0
#include "rl/update.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <optional>

#include "base/error.h"
#include "base/parallel.h"
#include "io/atomic_file.h"
#include "rl/reply_tokens.h"
#include "train/checkpoint.h"
#include "train/gradients.h"
#include "train/losses.h"

namespace unirg::rl {
namespace {

using at::Tensor;

/// What the loss takes beside a group's log-probabilities, [N] over its trained tokens.
struct TokenFacts {
  Tensor sampled;       ///< log-probabilities as the sampler gave them
  Tensor old_logprobs;  ///< the same, or the trainer's under the same weights
  Tensor advantages;
  Tensor samples;     ///< which reply each token is of
  Tensor weights;     ///< in the loss; undefined where all are alike
  Tensor reference;   ///< log-probabilities; undefined without KL in the loss
  Tensor importance;  ///< undefined where sampler and trainer are one
};

train::TokenScores score(const model::Qwen3VL& model, const model::PromptTokens& prompt,
                         const ReplyTokens& flat, double temperature, bool with_entropy,
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
  void score_before();
  void lower_rewards();
  void save();
  [[nodiscard]] Tensor fixed_logprobs(const model::Qwen3VL& model, size_t group) const;
  [[nodiscard]] TokenFacts facts(size_t group, const Indices& trained, const StepTotals& totals,
                                 const model::PromptTokens& prompt) const;
  train::UnitLoss policy_unit(const TokenFacts& facts, const StepTotals& totals,
                              const Tensor& logprobs, const Tensor& entropy);
  [[nodiscard]] bool kl_in_loss() const {
    return reference_.has_value() && !job_.options.kl_in_reward;
  }
  train::UnitLoss unit(size_t group, const StepTotals& totals, double reference_tokens);
  [[nodiscard]] StepTotals totals(const std::vector<size_t>& groups) const;
  [[nodiscard]] double reference_tokens(const std::vector<size_t>& groups) const;
  void step(const std::vector<size_t>& groups, int64_t epoch);
  void adapt_kl(double kl, double samples);
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
  std::vector<SampleLogprobs> policy_before_;     ///< by group; with a cap or KL in the reward
  std::vector<SampleLogprobs> reference_before_;  ///< by group; with the KL in the reward
  double beta_ = 0;                               ///< KL coefficient of the step in hand
  double kl_before_ = 0;                          ///< mean KL per token of the rollouts
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
  beta_ = job_.options.loss.kl_coefficient;
  if (job_.options.kl_target > 0) beta_ = state_.progress.value("kl_coefficient", beta_);
  train::place_moments(state_.optimizer, model_.parameters);
  context_.log.info("optimiser {} at step {}", from_update ? "goes on" : "begins",
                    state_.optimizer.step);
}

/// Tokens are the policy's, and prompts those of the rollouts.
void Update::check_rollouts() const {
  const int64_t vocabulary = writer_.config().text.vocab_size;
  for (size_t i = 0; i < job_.batch.groups.size(); ++i) {
    if (job_.options.cross_entropy > 0 && job_.studies[i].reply.empty())
      throw Error(
          Exit::data,
          fmt::format("study '{}' has no reference report (hint: --cross-entropy needs one)",
                      job_.studies[i].study_id));
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

/// Log-probabilities of all samples of a group, without gradient. \returns [N] over their tokens
Tensor Update::fixed_logprobs(const model::Qwen3VL& model, size_t index) const {
  const at::NoGradGuard no_grad;
  const RolloutGroup& group = job_.batch.groups[index];
  const policy::EncodedStudy& study = job_.studies[index];
  const ReplyTokens flat = flatten(replies_of(group, all_samples(group)), study.prompt.back(),
                                   model.text.embed.device());
  return score(model, writer_.materialise(study), flat, job_.options.temperature, false).logprobs;
}

/// What has to be known of all rollouts before the first step.
void Update::score_before() {
  const auto all = [&](const model::Qwen3VL& model) {
    std::vector<SampleLogprobs> scores;
    ordered_parallel(
        train::unit_threads(model.text.embed, job_.threads),
        static_cast<int64_t>(job_.batch.groups.size()),
        [&](int64_t i) {
          train::use_one_intra_op_thread();
          const auto group = static_cast<size_t>(i);
          return by_sample(fixed_logprobs(model, group), job_.batch.groups[group]);
        },
        [&](int64_t, SampleLogprobs group) {
          scores.push_back(std::move(group));
          return !context_.stop.requested();
        });
    return scores;
  };
  // In the reward both sides are the trainer's: the sampler's rounding would look like a
  // divergence.
  if (job_.options.importance_cap > 0 || job_.options.kl_in_reward) policy_before_ = all(model_);
  if (!reference_ || !job_.options.kl_in_reward) return;
  reference_before_ = all(*reference_);
  if (!context_.stop.requested()) lower_rewards();
}

void Update::lower_rewards() {
  double tokens = 0;
  for (size_t g = 0; g < job_.batch.groups.size(); ++g) {
    RolloutGroup& group = job_.batch.groups[g];
    for (size_t i = 0; i < group.samples.size(); ++i) {
      const std::vector<float>& old = policy_before_[g][i];
      double kl = 0;
      for (size_t t = 0; t < old.size(); ++t)
        kl += static_cast<double>(old[t]) - static_cast<double>(reference_before_[g][i][t]);
      group.rewards.rewards[i] -= beta_ * kl;
      kl_before_ += kl;
      tokens += static_cast<double>(old.size());
    }
  }
  kl_before_ /= tokens;
  set_advantages(job_.batch, job_.options.groups);
}

TokenFacts Update::facts(size_t index, const Indices& trained, const StepTotals& totals,
                         const model::PromptTokens& prompt) const {
  const UpdateOptions& o = job_.options;
  const RolloutGroup& group = job_.batch.groups[index];
  const at::Device device = model_.text.embed.device();
  const auto each_token = [&](const auto& of) { return per_token(group, trained, device, of); };
  TokenFacts facts;
  facts.sampled = each_token([&](size_t i, size_t t) { return group.samples[i].logprobs[t]; });
  facts.old_logprobs = facts.sampled;
  if (o.importance_cap > 0) {
    facts.old_logprobs =
        each_token([&](size_t i, size_t t) { return policy_before_[index][i][t]; });
    facts.importance = truncated_importance(facts.old_logprobs, facts.sampled, o.importance_cap);
  }
  facts.advantages = each_token(
      [&](size_t i, size_t) { return static_cast<float>(group.advantage.advantages[i]); });
  facts.samples = sample_numbers(group, trained, device);
  if (o.aggregation != Aggregation::token)  // else alike, and weighed once behind their sum
    facts.weights = each_token([&](size_t i, size_t) {
      const auto length = static_cast<double>(group.samples[i].tokens.size());
      return static_cast<float>(token_weight(o.aggregation, length, totals));
    });
  if (kl_in_loss()) {
    const at::NoGradGuard no_grad;
    const ReplyTokens flat =
        flatten(replies_of(group, trained), job_.studies[index].prompt.back(), device);
    facts.reference = score(*reference_, prompt, flat, o.temperature, false).logprobs;
  }
  return facts;
}

/// The policy's part of a group's loss. \param logprobs, entropy [N], with gradient
train::UnitLoss Update::policy_unit(const TokenFacts& facts, const StepTotals& totals,
                                    const Tensor& logprobs, const Tensor& entropy) {
  const Aggregation aggregation = job_.options.aggregation;
  const double scale =
      aggregation == Aggregation::token ? token_weight(aggregation, 0, totals) : 1.0;
  PolicyLossOptions options = job_.options.loss;
  options.kl_coefficient = beta_;
  const PolicyLoss loss =
      policy_loss(options, {logprobs, facts.old_logprobs, facts.advantages, facts.reference,
                            facts.samples, facts.weights, facts.importance, entropy});
  const double gap = (logprobs.detach() - facts.sampled).abs().max().item<double>();
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
           {"entropy", entropy.sum().item<double>()},
           {"scored", static_cast<double>(logprobs.numel())}}};
}

train::UnitLoss Update::unit(size_t index, const StepTotals& totals, double reference_tokens) {
  const UpdateOptions& o = job_.options;
  const RolloutGroup& group = job_.batch.groups[index];
  const policy::EncodedStudy& study = job_.studies[index];
  const bool pulls = group.advantage.learns() || kl_in_loss() || o.loss.entropy_bonus != 0;
  const Indices trained = pulls ? trained_samples(group) : Indices();
  Replies replies = replies_of(group, trained);
  if (o.cross_entropy > 0) replies.push_back(&study.reply);  // one pass serves both
  if (replies.empty()) return {};                            // the gradient is zero
  const model::PromptTokens prompt = writer_.materialise(study);
  const train::TokenScores scores =
      score(model_, prompt, flatten(replies, study.prompt.back(), model_.text.embed.device()),
            o.temperature, /*with_entropy=*/true, model::Pass{{}, o.trainable.recompute});
  if (o.cross_entropy == 0)
    return policy_unit(facts(index, trained, totals, prompt), totals, scores.logprobs,
                       scores.entropy);
  const auto written = static_cast<int64_t>(study.reply.size());
  const int64_t sampled = scores.logprobs.numel() - written;
  train::UnitLoss unit;
  if (sampled > 0)
    unit = policy_unit(facts(index, trained, totals, prompt), totals,
                       scores.logprobs.narrow(0, 0, sampled), scores.entropy.narrow(0, 0, sampled));
  const Tensor ce = -scores.logprobs.narrow(0, sampled, written).sum() / reference_tokens;
  unit.sums["cross_entropy"] = ce.item<double>();
  unit.loss = unit.loss.defined() ? (1 - o.cross_entropy) * unit.loss + o.cross_entropy * ce
                                  : o.cross_entropy * ce;
  return unit;
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
  io::Json line{{"schema", "unirg.metrics/1"},
                {"step", state_.optimizer.step},
                {"learning_rate", rate},
                {"loss", sum("loss")},
                {"rewards", std::move(rewards)},
                {"ratio", sum("ratio") / scored},
                {"clipped_low", sum("clipped_low") / scored},
                {"clipped_high", sum("clipped_high") / scored},
                {"kl", job_.options.kl_in_reward ? kl_before_ : sum("kl") / scored},
                {"entropy", sum("entropy") / scored},
                {"grad_norm", norm},
                {"groups", groups},
                {"zero_variance_groups", job_.batch.zero_variance_groups},
                {"untrained", job_.batch.untrained},
                {"mean_length", job_.batch.mean_length},
                {"stopped_share", job_.batch.stopped_share},
                {"identical_share", job_.batch.identical_share},
                {"max_logprob_gap", gap_}};
  if (reference_) line["kl_coefficient"] = beta_;
  if (job_.options.cross_entropy > 0) line["cross_entropy"] = sum("cross_entropy");
  return line;
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

/// Of the step's reference reports, with --cross-entropy.
double Update::reference_tokens(const std::vector<size_t>& groups) const {
  double tokens = 0;
  if (job_.options.cross_entropy == 0) return tokens;
  for (const size_t g : groups) tokens += static_cast<double>(job_.studies[g].reply.size());
  return tokens;
}

void Update::step(const std::vector<size_t>& groups, int64_t epoch) {
  const StepTotals all = totals(groups);
  const double reference = reference_tokens(groups);
  if (all.samples == 0 && reference == 0) return;  // every sample was left out
  gap_ = 0;
  train::StepGradients result = train::accumulate(
      leaves_, job_.threads, static_cast<int64_t>(groups.size()),
      [&](int64_t i) { return unit(groups[static_cast<size_t>(i)], all, reference); });
  check_gap(epoch == 0 && metrics_.empty());
  const double norm = train::clip_gradients(result.gradients, job_.options.max_grad_norm);
  if (!std::isfinite(norm))
    throw Error(Exit::data,
                "gradient is not finite (hint: lower --learning-rate; the policy is unchanged)");
  const double rate = train::learning_rate(job_.options.schedule, state_.optimizer.step);
  train::adamw_step(job_.options.adamw, rate, names_, model_.parameters, result.gradients,
                    state_.optimizer);
  metrics_ += io::json_line(metrics(result, rate, norm, static_cast<int64_t>(groups.size())));
  const auto scored = result.sums.find("scored");
  if (kl_in_loss() && scored != result.sums.end())
    adapt_kl(result.sums.at("kl") / scored->second, all.samples);
}

void Update::adapt_kl(double kl, double samples) {
  if (job_.options.kl_target > 0)
    beta_ =
        adapted_kl_coefficient(beta_, kl, samples, job_.options.kl_target, job_.options.kl_horizon);
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
  score_before();
  if (context_.stop.requested()) return Exit::interrupted;
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
  if (job_.options.kl_in_reward) {  // measured once, so the weight changes once
    double samples = 0;
    for (const RolloutGroup& group : job_.batch.groups)
      samples += static_cast<double>(group.samples.size());
    adapt_kl(kl_before_, samples);
  }
  const RolloutBatch& b = job_.batch;
  context_.log.info("reward {:.4f} +- {:.4f}, length {:.1f}, {} of {} groups without spread",
                    b.rewards.at("reward").mean, b.rewards.at("reward").std, b.mean_length,
                    b.zero_variance_groups, total);
  state_.progress = {{"stage", "update"}};
  if (job_.options.kl_target > 0) state_.progress["kl_coefficient"] = beta_;
  save();
  return Exit::ok;
}

}  // namespace

double adapted_kl_coefficient(double beta, double kl, double samples, double target,
                              double horizon) {
  return beta * (1 + std::clamp(kl / target - 1, -0.2, 0.2) * std::min(1.0, samples / horizon));
}

Exit run_update(UpdateJob& job, const policy::ReportWriter& writer, cli::Context& context) {
  return Update(job, writer, context).run();
}

}  // namespace unirg::rl
