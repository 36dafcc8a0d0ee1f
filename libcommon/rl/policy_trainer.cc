// SPDX-License-Identifier: Apache-2.0
#include "rl/policy_trainer.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/parallel.h"
#include "train/gradients.h"
#include "train/losses.h"
#include "train/rank_sums.h"

namespace unirg::rl {
namespace {

train::TokenScores score(const model::Qwen3VL& model, const model::PromptTokens& prompt,
                         const ReplyTokens& flat, double temperature, bool with_entropy,
                         const model::Pass& pass = {}) {
  const Tensor hidden = model::forward_replies(model, {prompt}, {flat.streams}, pass)
                            .flatten(0, 2)
                            .index_select(0, flat.rows);
  return train::token_scores(hidden, model.text.head, flat.targets,
                             {.temperature = temperature, .entropy = with_entropy});
}

}  // namespace

/// What the loss takes beside a group's log-probabilities, [N] over its trained tokens.
struct PolicyTrainer::TokenFacts {
  Tensor sampled;       ///< log-probabilities as the sampler gave them
  Tensor old_logprobs;  ///< the same, or the trainer's under the same weights
  Tensor advantages;
  Tensor samples;     ///< which reply each token is of
  Tensor weights;     ///< in the loss; undefined where all are alike
  Tensor reference;   ///< log-probabilities; undefined without KL in the loss
  Tensor importance;  ///< undefined where sampler and trainer are one
};

/// Log-probabilities of all samples of a group, without gradient. \returns [N] over their tokens
Tensor PolicyTrainer::fixed_logprobs(const model::Qwen3VL& model, size_t index) const {
  const at::NoGradGuard no_grad;
  const RolloutGroup& group = batch_.groups[index];
  const policy::EncodedStudy& study = studies_[index];
  const ReplyTokens flat = flatten(replies_of(group, all_samples(group)), study.prompt.back(),
                                   model.text.embed.device());
  return score(model, writer_.materialise(study), flat, options_.temperature, false).logprobs;
}

/// Of all groups, or none if a rank was told to stop.
std::vector<SampleLogprobs> PolicyTrainer::fixed_logprobs(const model::Qwen3VL& model,
                                                          const cli::StopFlag& stop) const {
  std::vector<SampleLogprobs> mine;
  ordered_parallel(
      train::unit_threads(model.text.embed, threads_),
      train::own_units(world_, static_cast<int64_t>(batch_.groups.size())),
      [&](int64_t i) {
        train::use_one_intra_op_thread();
        const auto group = static_cast<size_t>(i * world_.size() + world_.rank());
        return by_sample(fixed_logprobs(model, group), batch_.groups[group]);
      },
      [&](int64_t, SampleLogprobs group) {
        mine.push_back(std::move(group));
        return !stop.requested();
      });
  if (world_.any(stop.requested())) return {};
  return all_ranks(std::move(mine));
}

/// \param mine of groups rank, rank + size, ... \returns of all groups
std::vector<SampleLogprobs> PolicyTrainer::all_ranks(std::vector<SampleLogprobs> mine) const {
  if (world_.alone()) return mine;
  std::string bytes;
  for (const SampleLogprobs& group : mine) {
    for (const std::vector<float>& sample : group)
      bytes.append(reinterpret_cast<const char*>(sample.data()), sample.size() * sizeof(float));
  }
  const std::vector<std::string> by_rank = world_.gather(bytes);
  std::vector<size_t> taken(by_rank.size(), 0);
  std::vector<SampleLogprobs> all;
  for (size_t g = 0; g < batch_.groups.size(); ++g) {
    const size_t rank = g % by_rank.size();
    SampleLogprobs& group = all.emplace_back();
    for (const data::Generation& sample : batch_.groups[g].samples) {
      std::vector<float>& values = group.emplace_back(sample.tokens.size());
      const size_t size = values.size() * sizeof(float);
      std::memcpy(values.data(), by_rank[rank].data() + taken[rank], size);
      taken[rank] += size;
    }
  }
  return all;
}

bool PolicyTrainer::prepare(const cli::StopFlag& stop) {
  // In the reward both sides are the trainer's: the sampler's rounding would look like a
  // divergence.
  if (options_.importance_cap > 0 || options_.kl_in_reward)
    policy_before_ = fixed_logprobs(policy_.model, stop);
  const bool lowers = policy_.reference && options_.kl_in_reward;
  if (lowers) reference_before_ = fixed_logprobs(*policy_.reference, stop);
  if (world_.any(stop.requested())) return false;
  if (lowers) lower_rewards();
  return true;
}

void PolicyTrainer::lower_rewards() {
  double tokens = 0;
  for (size_t g = 0; g < batch_.groups.size(); ++g) {
    RolloutGroup& group = batch_.groups[g];
    for (size_t i = 0; i < group.samples.size(); ++i) {
      const std::vector<float>& old = policy_before_[g][i];
      double kl = 0;
      for (size_t t = 0; t < old.size(); ++t)
        kl += static_cast<double>(old[t]) - static_cast<double>(reference_before_[g][i][t]);
      group.rewards.rewards[i] -= policy_.kl_coefficient * kl;
      kl_before_ += kl;
      tokens += static_cast<double>(old.size());
    }
  }
  kl_before_ /= tokens;
  set_advantages(batch_, options_.groups);
}

PolicyTrainer::TokenFacts PolicyTrainer::facts(size_t index, const Indices& trained,
                                               const StepTotals& totals,
                                               const model::PromptTokens& prompt) const {
  const UpdateOptions& o = options_;
  const RolloutGroup& group = batch_.groups[index];
  const at::Device device = policy_.model.text.embed.device();
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
        flatten(replies_of(group, trained), studies_[index].prompt.back(), device);
    facts.reference = score(*policy_.reference, prompt, flat, o.temperature, false).logprobs;
  }
  return facts;
}

/// The policy's part of a group's loss. \param logprobs, entropy [N], with gradient
train::UnitLoss PolicyTrainer::policy_unit(const TokenFacts& facts, const StepTotals& totals,
                                           const Tensor& logprobs, const Tensor& entropy) {
  const Aggregation aggregation = options_.aggregation;
  const double scale =
      aggregation == Aggregation::token ? token_weight(aggregation, 0, totals) : 1.0;
  PolicyLossOptions options = options_.loss;
  options.kl_coefficient = policy_.kl_coefficient;
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

train::UnitLoss PolicyTrainer::unit(size_t index, const StepTotals& totals,
                                    double reference_tokens) {
  const UpdateOptions& o = options_;
  const RolloutGroup& group = batch_.groups[index];
  const policy::EncodedStudy& study = studies_[index];
  const bool pulls = group.advantage.learns() || kl_in_loss() || o.loss.entropy_bonus != 0;
  const Indices trained = pulls ? trained_samples(group) : Indices();
  Replies replies = replies_of(group, trained);
  if (o.cross_entropy > 0) replies.push_back(&study.reply);  // one pass serves both
  if (replies.empty()) return {};                            // the gradient is zero
  const model::PromptTokens prompt = writer_.materialise(study);
  const train::TokenScores scores =
      score(policy_.model, prompt,
            flatten(replies, study.prompt.back(), policy_.model.text.embed.device()), o.temperature,
            /*with_entropy=*/true, model::Pass{{}, o.trainable.recompute});
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

void PolicyTrainer::check_gap() const {
  if (stepped_ || gap_ <= options_.max_logprob_gap) return;
  throw Error(
      Exit::data,
      fmt::format("log-probabilities of trainer and sampler differ by up to {:.2e}, more than "
                  "--max-logprob-gap {:.2e} (hint: same --temperature, same checkpoint?)",
                  gap_, options_.max_logprob_gap));
}

io::Json PolicyTrainer::metrics(const train::StepGradients& result, double rate, double norm,
                                int64_t groups) const {
  const auto sum = [&](const char* name) {
    return result.sums.contains(name) ? result.sums.at(name) : 0.0;
  };
  const double scored = std::max(1.0, sum("scored"));
  io::Json rewards = io::Json::object();
  for (const auto& [name, spread] : batch_.rewards)
    rewards[name] = {{"mean", spread.mean}, {"std", spread.std}};
  io::Json line{{"schema", "unirg.metrics/1"},
                {"step", policy_.optimizer.step},
                {"learning_rate", rate},
                {"loss", sum("loss")},
                {"rewards", std::move(rewards)},
                {"ratio", sum("ratio") / scored},
                {"clipped_low", sum("clipped_low") / scored},
                {"clipped_high", sum("clipped_high") / scored},
                {"kl", options_.kl_in_reward ? kl_before_ : sum("kl") / scored},
                {"entropy", sum("entropy") / scored},
                {"grad_norm", norm},
                {"groups", groups},
                {"zero_variance_groups", batch_.zero_variance_groups},
                {"untrained", batch_.untrained},
                {"mean_length", batch_.mean_length},
                {"stopped_share", batch_.stopped_share},
                {"identical_share", batch_.identical_share},
                {"max_logprob_gap", gap_}};
  if (policy_.reference) line["kl_coefficient"] = policy_.kl_coefficient;
  if (options_.cross_entropy > 0) line["cross_entropy"] = sum("cross_entropy");
  return line;
}

StepTotals PolicyTrainer::totals(const std::vector<size_t>& groups) const {
  StepTotals totals{.max_tokens = options_.max_tokens};
  for (const size_t g : groups) {
    const RolloutGroup& group = batch_.groups[g];
    for (const size_t i : trained_samples(group)) {
      totals.samples += 1;
      totals.tokens += static_cast<double>(group.samples[i].tokens.size());
    }
  }
  return totals;
}

/// Of the step's reference reports, with --cross-entropy.
double PolicyTrainer::reference_tokens(const std::vector<size_t>& groups) const {
  double tokens = 0;
  if (options_.cross_entropy == 0) return tokens;
  for (const size_t g : groups) tokens += static_cast<double>(studies_[g].reply.size());
  return tokens;
}

std::optional<io::Json> PolicyTrainer::step(const std::vector<size_t>& groups) {
  const StepTotals all = totals(groups);
  const double reference = reference_tokens(groups);
  if (all.samples == 0 && reference == 0) return std::nullopt;
  gap_ = 0;
  train::StepGradients result = optimizer_.accumulate(
      threads_, static_cast<int64_t>(groups.size()),
      [&](int64_t i) { return unit(groups[static_cast<size_t>(i)], all, reference); });
  gap_ = world_.largest(gap_);
  check_gap();
  stepped_ = true;
  const double norm = optimizer_.clip(result, options_.max_grad_norm);
  if (!std::isfinite(norm))
    throw Error(Exit::data,
                "gradient is not finite (hint: lower --learning-rate; the policy is unchanged)");
  const double rate = train::learning_rate(options_.schedule, policy_.optimizer.step);
  optimizer_.step(options_.adamw, rate, policy_.model.parameters, result, policy_.optimizer);
  io::Json line = metrics(result, rate, norm, static_cast<int64_t>(groups.size()));
  const auto scored = result.sums.find("scored");
  if (kl_in_loss() && scored != result.sums.end())
    adapt_kl(result.sums.at("kl") / scored->second, all.samples);
  return line;
}

void PolicyTrainer::adapt_kl(double kl, double samples) {
  if (options_.kl_target > 0)
    policy_.kl_coefficient = adapted_kl_coefficient(policy_.kl_coefficient, kl, samples,
                                                    options_.kl_target, options_.kl_horizon);
}

void PolicyTrainer::finish() {
  if (!options_.kl_in_reward) return;
  double samples = 0;
  for (const RolloutGroup& group : batch_.groups)
    samples += static_cast<double>(group.samples.size());
  adapt_kl(kl_before_, samples);
}

double adapted_kl_coefficient(double beta, double kl, double samples, double target,
                              double horizon) {
  return beta * (1 + std::clamp(kl / target - 1, -0.2, 0.2) * std::min(1.0, samples / horizon));
}

}  // namespace unirg::rl
