// Options of unirg-update. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "cli/run_main.h"
#include "policy/machine.h"
#include "policy/report_writer.h"
#include "rl/update.h"

namespace unirg {

struct UpdateToolOptions {
  cli::Common common;
  std::filesystem::path studies, rewards, rollouts;
  std::filesystem::path greedy_rewards;
  policy::PromptOptions prompt;
  std::string advantage = "grpo", ratio = "token", kl_estimator = "k3", aggregation = "token",
              kl_in = "loss", on_collapse = "stop";
  rl::UpdateJob job;
  policy::MachineOptions machine;  ///< of --dry-run
};

cli::Table update_table(UpdateToolOptions& options);

}  // namespace unirg
