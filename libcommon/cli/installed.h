// Where the data files that come with the tools lie: beside an installed program
// (PREFIX/share/unirg) or, for a program in the build folder, in the source tree.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace unirg::cli {

/// \param name below share/, e.g. "lexicon/chest.yaml"
/// \throws Error(Exit::no_input) naming the places looked at
std::filesystem::path installed_file(const std::string& name);

}  // namespace unirg::cli
