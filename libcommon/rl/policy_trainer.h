// The optimiser steps of an update, in memory: rollouts with their advantages in, a changed policy
// out. A unit of work is a prompt group; its prompt and images are computed once for all samples,
// with gradient. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cli/stop_flag.h"
#include "io/jsonl.h"
#include "policy/report_writer.h"
#include "rl/policy_loss.h"
#include "rl/reply_tokens.h"
#include "rl/rollout_groups.h"
#include "train/gradients.h"
#include "train/optimizer.h"
#include "train/ranks.h"
#include "train/trainable.h"

namespace unirg::rl {

struct UpdateOptions {
  PolicyLossOptions loss;
  Aggregation aggregation = Aggregation::token;
  double max_tokens = 0;  ///< of a reply; for Aggregation::constant
  GroupOptions groups;    ///< how rewards become advantages
  /// The KL penalty lowers rewards, R - beta sum over tokens of (log pi_old - log pi_ref), instead
  /// of standing in the loss.
  bool kl_in_reward = false;
  /// Adaptive beta: after a step of n samples (with kl_in_reward: after all of them) it is
  /// multiplied by 1 + clip(KL / target - 1, +-0.2) min(1, n / horizon), KL in nats a token
  /// (after arXiv:1909.08593, section 2.2, which has it a sample). 0: constant
  double kl_target = 0, kl_horizon = 10000;
  double importance_cap = 0;  ///< of truncated_importance(); 0: trainer and sampler are one
  /// Share of the cross-entropy of the reference reports: (1 - share) RL + share CE, CE averaged
  /// over the step's reference tokens (the mix of self-critical training, R2GenRL).
  double cross_entropy = 0;
  train::Schedule schedule{.learning_rate = 5e-6,
                           .warmup_steps = 0,
                           .total_steps = 0,
                           .final_ratio = 0.0,
                           .shape = "constant"};
  train::AdamWOptions adamw{.beta2 = 0.98, .weight_decay = 0.0};
  train::RankOptions ranks;
  train::TrainableOptions trainable;  ///< no dropout here: the ratio to the sampler would be noise
  double max_grad_norm = 1.0;
  double temperature = 1.0;       ///< the rollouts were drawn at
  int64_t epochs = 1;             ///< passes over the rollouts
  int64_t groups_per_step = 0;    ///< prompt groups of one optimiser step; 0: all
  double max_logprob_gap = 1e-3;  ///< largest |trainer - sampler| allowed before the first step
};

/// A policy under training.
struct TrainedPolicy {
  model::Qwen3VL model;
  std::vector<std::string> names;  ///< of what is trained
  std::vector<Tensor> leaves;      ///< the same, as train::make_leaves() gives them
  train::AdamWState optimizer;
  std::optional<model::Qwen3VL> reference;  ///< what the KL pulls towards; none without
  double kl_coefficient = 0;                ///< of the next step
};

/// What Schulman's controller makes of beta after a step of `samples` whose KL was `kl`.
double adapted_kl_coefficient(double beta, double kl, double samples, double target,
                              double horizon);

/// With several ranks each has all of this; prompt groups of a step are divided over them.
class PolicyTrainer {
 public:
  /// All must outlive it. \param studies one a group of the batch, same order
  PolicyTrainer(const UpdateOptions& options, const policy::ReportWriter& writer, int threads,
                RolloutBatch& batch, const std::vector<policy::EncodedStudy>& studies,
                TrainedPolicy& policy, distributed::World& world)
      : options_(options),
        writer_(writer),
        threads_(threads),
        batch_(batch),
        studies_(studies),
        policy_(policy),
        world_(world),
        optimizer_(world, options.ranks, policy.names, policy.leaves) {
    optimizer_.keep_share(policy.optimizer);
  }

  /// What has to be known of all rollouts before the first step; with the KL in the reward it
  /// lowers the rewards and works the advantages out again. \returns false if a rank was stopped
  bool prepare(const cli::StopFlag& stop);

  /// One optimiser step over some groups. \returns its line of metrics; none if every sample was
  /// left out \throws Error(Exit::data) when trainer and sampler disagree by more than
  /// max_logprob_gap before the first step, or the gradient is not finite
  std::optional<io::Json> step(const std::vector<size_t>& groups);

  /// After the last step. With the KL in the reward it was measured once, so its weight changes
  /// once.
  void finish();

  /// The ranks' share of the optimiser's state is put together by this.
  [[nodiscard]] const train::RankedOptimizer& optimizer() const { return optimizer_; }

 private:
  struct TokenFacts;
  void lower_rewards();
  [[nodiscard]] std::vector<SampleLogprobs> fixed_logprobs(const model::Qwen3VL& model,
                                                           const cli::StopFlag& stop) const;
  [[nodiscard]] std::vector<SampleLogprobs> all_ranks(std::vector<SampleLogprobs> mine) const;
  [[nodiscard]] Tensor fixed_logprobs(const model::Qwen3VL& model, size_t group) const;
  [[nodiscard]] TokenFacts facts(size_t group, const Indices& trained, const StepTotals& totals,
                                 const model::PromptTokens& prompt) const;
  train::UnitLoss policy_unit(const TokenFacts& facts, const StepTotals& totals,
                              const Tensor& logprobs, const Tensor& entropy);
  train::UnitLoss unit(size_t group, const StepTotals& totals, double reference_tokens);
  [[nodiscard]] bool kl_in_loss() const {
    return policy_.reference.has_value() && !options_.kl_in_reward;
  }
  [[nodiscard]] StepTotals totals(const std::vector<size_t>& groups) const;
  [[nodiscard]] double reference_tokens(const std::vector<size_t>& groups) const;
  void adapt_kl(double kl, double samples);
  [[nodiscard]] io::Json metrics(const train::StepGradients& result, double rate, double norm,
                                 int64_t groups) const;
  void check_gap() const;

  const UpdateOptions& options_;
  const policy::ReportWriter& writer_;
  int threads_;
  RolloutBatch& batch_;
  const std::vector<policy::EncodedStudy>& studies_;
  TrainedPolicy& policy_;
  distributed::World& world_;
  train::RankedOptimizer optimizer_;
  std::vector<SampleLogprobs> policy_before_;     ///< by group; with a cap or KL in the reward
  std::vector<SampleLogprobs> reference_before_;  ///< by group; with the KL in the reward
  double kl_before_ = 0;                          ///< mean KL per token of the rollouts
  bool stepped_ = false;
  std::mutex gap_mutex_;
  double gap_ = 0;  ///< largest |trainer - sampler| log-probability of the step in hand
};

}  // namespace unirg::rl
