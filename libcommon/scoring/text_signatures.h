// Names, signatures and descriptions of the text metrics. Used by text_family.cc.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "scoring/text_family.h"

namespace unirg::scoring {

/// The hyphenation dictionary in use.
std::filesystem::path hyphenation_file(const TextOptions& options);

}  // namespace unirg::scoring
