// What unirg-ingest does with a folder that it has written. Each \throws Error(Exit::usage) for
// arguments that it cannot do without. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "options.h"

namespace unirg {

/// Checks every file of the folder against its digest and names those that differ or are missing.
/// \throws Error(Exit::data) if there are any
Exit verify(const IngestToolOptions& options, cli::Context& context);

/// Writes the data card of the folder's studies, or of a file of study records.
/// \throws Error(Exit::data) for a bad record, Error(Exit::no_input) if there are none
Exit print_stats(const IngestToolOptions& options, cli::Context& context);

/// Looks for the identifiers of --forbid in files and folders and names each place.
/// \throws Error(Exit::data) if there are any
Exit check_identifiers(const IngestToolOptions& options, cli::Context& context);

}  // namespace unirg
