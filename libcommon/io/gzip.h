// Files that may be compressed by gzip(1), whole or a piece at a time. zlib stays in the source.
// Depends on io/atomic_file.h. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace unirg::io {

/// More than any table of a public dataset holds; a file that unpacks to more is refused before it
/// has filled the memory.
inline constexpr int64_t kMaxUnpacked = int64_t{16} << 30;

/// The content of a gzip file of one or more members.
/// \param name for messages \param limit bytes, at most
/// \throws Error(Exit::data) if it is no gzip file, damaged, cut short, or larger than `limit`
std::string gunzip(std::string_view bytes, const std::string& name, int64_t limit = kMaxUnpacked);

/// A file's content, unpacked if its name ends in ".gz".
/// \throws Error(Exit::no_input), Error(Exit::io) as read_file; Error(Exit::data) as gunzip
std::string read_unpacked(const std::filesystem::path& path);

/// The same a piece at a time: a table need not lie in memory whole.
class UnpackedReader {
 public:
  /// \throws Error(Exit::no_input) if the file cannot be opened
  explicit UnpackedReader(const std::filesystem::path& path);
  ~UnpackedReader();
  UnpackedReader(const UnpackedReader&) = delete;
  UnpackedReader& operator=(const UnpackedReader&) = delete;

  /// The next bytes, valid until the next call; "" at the end. Of a file that is not packed as many
  /// as 256 KiB, unless it ends before.
  /// \throws Error(Exit::io) on a read error; Error(Exit::data) as gunzip
  std::string_view next();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// "a.csv.gz" -> "a.csv"; other names as they are.
std::filesystem::path without_gz(const std::filesystem::path& path);

}  // namespace unirg::io
