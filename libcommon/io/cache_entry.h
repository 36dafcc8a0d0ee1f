// One entry of a cache on disk: a file that says what it is the value of, written atomically, so
// that processes may share a folder, and read only if its digest agrees. Depends on atomic_file.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace unirg::io {

using Warn = std::function<void(const std::string&)>;

/// FOLDER/DD/REST: the first two digits of a key apart, so that no folder gets too large.
std::filesystem::path cache_path(const std::filesystem::path& folder, const std::string& key);

/// The value of the entry; nullopt if there is none, or one that is not whole, which `warn` (may be
/// empty) is told. \param kind  first word of the file, e.g. "unirg.net-cache/1"
/// \throws Error(Exit::no_input), Error(Exit::io) if it is there and cannot be read
std::optional<std::string> read_cache_entry(const std::filesystem::path& folder,
                                            std::string_view kind, const std::string& key,
                                            const Warn& warn);

/// \throws Error(Exit::cannot_create), Error(Exit::io)
void write_cache_entry(const std::filesystem::path& folder, std::string_view kind,
                       const std::string& key, std::string_view value);

}  // namespace unirg::io
