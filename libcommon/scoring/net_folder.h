// The folders of published metric networks: what must lie in them, how to make them, and what names
// their weights. Depends on io. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace unirg::scoring {

/// MODELS/NAME with its config.json, weights and tokenizer.
/// \throws Error(Exit::no_input) naming the folder, what it lacks and the scripts/convert-weights
/// command that makes it
std::filesystem::path net_folder(const std::filesystem::path& models, const std::string& name);

/// First 12 hex digits of the SHA-256 of model.safetensors; of a sharded checkpoint, of the digests
/// of its shards in name order.
std::string weights_digest(const std::filesystem::path& folder);

}  // namespace unirg::scoring
