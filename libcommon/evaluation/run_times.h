// Wall time by tool, from the run records that lie beside outputs. Depends on io.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "io/jsonl.h"

namespace unirg::evaluation {

/// Sums wall_s of the run records below `folder` (*.run.json; a folder's run.json, which stands for
/// all inside; not those of another run that links lead to): {"total": s, "tools": {tool: s},
/// "stages": {"seed-1/sft": s}}, in seconds. A stage is the first two folders of the record's path.
io::Json run_times(const std::filesystem::path& folder);

}  // namespace unirg::evaluation
