// One policy update (GRPO and its relatives) as a run over files: checkpoint, rollouts and rewards
// in, the next checkpoint out. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/run_main.h"
#include "policy/report_writer.h"
#include "rl/policy_trainer.h"
#include "rl/rollout_groups.h"

namespace unirg::rl {

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
///
/// With several ranks every one has the whole job, prompt groups are divided (train/ranks.h), and
/// rank 0 alone writes. A signal to any rank stops all of them.
Exit run_update(UpdateJob& job, const policy::ReportWriter& writer, distributed::World& world,
                cli::Context& context);

}  // namespace unirg::rl
