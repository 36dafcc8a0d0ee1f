// Option rows for PromptOptions, shared by every tool that shows studies to a model.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/options.h"
#include "policy/report_writer.h"

namespace unirg::policy {

void add_prompt_options(cli::Table& table, PromptOptions& options);

}  // namespace unirg::policy
