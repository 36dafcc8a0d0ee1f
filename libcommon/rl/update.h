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

/// Writes the checkpoint `output` with its optimiser state and OUTPUT.metrics.jsonl (a line an
/// optimiser step). \throws Error(Exit::data) when trainer and sampler disagree by more than
/// max_logprob_gap, or the loss is not finite
Exit run_update(UpdateJob& job, const policy::ReportWriter& writer, cli::Context& context);

}  // namespace unirg::rl
