// What unirg-ingest refuses before it reads anything. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "options.h"

namespace unirg {

/// Finds a dataset's layout file and gives the dataset its name; other sources have none.
/// \throws Error(Exit::usage) for --layout without a dataset, or the reverse
void choose_layout(data::SourceOptions& source);

/// Finds the rules of --scrub and the categories, and reads the rule of CT. \throws
/// Error(Exit::usage) for --scrub-rules without it
void choose_rules(IngestToolOptions& options);

/// \throws Error(Exit::usage) for options that are missing, contradict each other, or name folders
///         within each other
void check(const IngestToolOptions& options);

}  // namespace unirg
