// Which tensors a checkpoint of an architecture holds, and under which names.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "model/config.h"
#include "model/parameters.h"

namespace unirg::model {

/// What the names of the text tower begin with: "model.language_model." beside a vision tower, else
/// "model.".
std::string text_root(const ModelConfig& config);
constexpr const char* kVisionRoot = "model.visual.";

/// Name and shape of every tensor a checkpoint of this architecture has, in name order.
Shapes expected_parameters(const ModelConfig& config);

/// Store names of a checkpoint's tensors: older prefixes made new, buffers and a tied head's copy
/// left out, of Janus-Pro the language side alone.
Naming checkpoint_naming(const ModelConfig& config);

/// config.json's weights of a folder.
Parameters load_checkpoint(const std::filesystem::path& folder, const ModelConfig& config,
                           const Placement& placement);

}  // namespace unirg::model
