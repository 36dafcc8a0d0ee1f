// Options of unirg-update. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "cli/run_main.h"
#include "policy/report_writer.h"
#include "rl/update.h"

namespace unirg {

struct UpdateToolOptions {
  cli::Common common;
  std::filesystem::path studies, rewards, rollouts;
  policy::PromptOptions prompt;
  rl::UpdateJob job;
};

cli::Table update_table(UpdateToolOptions& options);

}  // namespace unirg
