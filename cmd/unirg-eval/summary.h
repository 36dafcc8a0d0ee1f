// The summary of a run, the last of what unirg-eval writes. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "io/run_record.h"

namespace unirg {

/// Writes it behind its run record: a Makefile takes it for the sign that all else is there, also
/// after a kill. Nothing for an empty path.
void write_summary(const std::filesystem::path& file, const std::string& json,
                   io::RunRecord& record);

}  // namespace unirg
