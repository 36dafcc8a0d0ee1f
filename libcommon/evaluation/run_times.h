// Wall time by tool, from the run records that lie beside outputs. Depends on io.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "io/jsonl.h"

namespace unirg::evaluation {

/// Sums wall_s of every run record below `folder` (*.run.json, run.json) by tool, and over all as
/// "total"; seconds, rounded to a tenth. Stages that ran side by side count in full. \throws
/// Error(Exit::no_input), Error(Exit::data)
io::Json run_times(const std::filesystem::path& folder);

}  // namespace unirg::evaluation
