// SPDX-License-Identifier: Apache-2.0
#include "io/cache_entry.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "io/atomic_file.h"

namespace unirg::io {
namespace {

/// The first line of an entry.
std::string head(std::string_view kind, const std::string& key, std::string_view value) {
  return fmt::format("{} {} {}\n", kind, key, sha256_hex(value));
}

}  // namespace

std::filesystem::path cache_path(const std::filesystem::path& folder, const std::string& key) {
  return folder / key.substr(0, 2) / key.substr(2);
}

std::optional<std::string> read_cache_entry(const std::filesystem::path& folder,
                                            std::string_view kind, const std::string& key,
                                            const Warn& warn) {
  const std::filesystem::path path = cache_path(folder, key);
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::nullopt;
  const std::string bytes = read_file(path);
  const size_t line = bytes.find('\n');
  std::string value = line == std::string::npos ? "" : bytes.substr(line + 1);
  if (line != std::string::npos && bytes.compare(0, line + 1, head(kind, key, value)) == 0)
    return value;
  if (warn) warn(fmt::format("cache entry '{}' is damaged; it is computed anew", path.string()));
  return std::nullopt;
}

void write_cache_entry(const std::filesystem::path& folder, std::string_view kind,
                       const std::string& key, std::string_view value) {
  const std::filesystem::path path = cache_path(folder, key);
  make_folders(path.parent_path());
  write_file(path, head(kind, key, value) + std::string(value), AtomicFile::Kind::cache_entry);
}

}  // namespace unirg::io
