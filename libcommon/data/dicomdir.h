// A DICOMDIR as the input: the files that it names. Depends on ingest_sources.h, image.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "data/ingest_sources.h"

namespace unirg::data {

/// Whether `root` is a DICOMDIR file, by its name.
bool is_dicomdir(const std::filesystem::path& root);

/// Files relative to the DICOMDIR's folder `root`, in its order; counted in `plan`, where those
/// that are missing are refused. Names that a medium's file system shows in small letters are found
/// too. \throws Error(Exit::data) if it cannot be read
FileList dicomdir_files(const std::filesystem::path& dicomdir, const std::filesystem::path& root,
                        IngestPlan& plan);

}  // namespace unirg::data
