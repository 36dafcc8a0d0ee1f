// Options of unirg-phantom.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "cli/run_main.h"
#include "data/phantom_cases.h"

namespace unirg::phantom {

struct Options {
  cli::Common common;
  std::filesystem::path output;
  data::PhantomConfig phantom;  ///< its seed is common.seed
};

cli::ToolInfo tool_info();
/// Rows that point into `options`, which must outlive the table.
cli::Table option_table(Options& options);

}  // namespace unirg::phantom
