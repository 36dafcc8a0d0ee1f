// One policy update (GRPO and its relatives): rollouts and rewards in, the next policy out. A unit
// of work is a prompt group; its prompt and images are computed once for all samples, with
// gradient. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/run_main.h"
#include "policy/report_writer.h"
#include "rl/policy_loss.h"
#include "rl/rollout_groups.h"
#include "train/optimizer.h"
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
  train::TrainableOptions trainable;  ///< no dropout here: the ratio to the sampler would be noise
  double max_grad_norm = 1.0;
  double temperature = 1.0;       ///< the rollouts were drawn at
  int64_t epochs = 1;             ///< passes over the rollouts
  int64_t groups_per_step = 0;    ///< prompt groups of one optimiser step; 0: all
  double max_logprob_gap = 1e-3;  ///< largest |trainer - sampler| allowed before the first step
};

struct UpdateJob {
  UpdateOptions options;
  RolloutBatch batch;
  std::vector<policy::EncodedStudy> studies;  ///< one a group, same order
  std::filesystem::path policy, output;
  std::filesystem::path reference;  ///< empty: the policy's base, its adapter off
  uint64_t seed = 0;                ///< of a new adapter
  int threads = 1;
  std::string device = "auto";
  std::string dtype = "float32";
};

/// What Schulman's controller makes of beta after a step of `samples` whose KL was `kl`.
double adapted_kl_coefficient(double beta, double kl, double samples, double target,
                              double horizon);

/// Writes the checkpoint `output` with its optimiser state and OUTPUT.metrics.jsonl (a line an
/// optimiser step). \throws Error(Exit::data) when trainer and sampler disagree by more than
/// max_logprob_gap, or the loss is not finite
Exit run_update(UpdateJob& job, const policy::ReportWriter& writer, cli::Context& context);

}  // namespace unirg::rl
