// Plain POSIX ustar shards that `tar tf` shows: a writer that tells where each member's bytes lie,
// and a reader by offset, so that one image is one pread. Headers carry no time, owner or host:
// same members, same bytes. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "io/atomic_file.h"

namespace unirg::io {

/// One member's bytes inside a shard.
struct TarSpan {
  int64_t offset = 0;  ///< of the first content byte
  int64_t bytes = 0;
};

class TarWriter {
 public:
  explicit TarWriter(const std::filesystem::path& path) : file_(path) {}
  /// \param name at most 100 bytes (ustar); longer names use the prefix field up to 255
  TarSpan add(std::string_view name, std::string_view content);
  /// Writes the end-of-archive blocks and commits the file.
  void commit();
  [[nodiscard]] int64_t offset() const { return file_.offset(); }
  [[nodiscard]] const std::string& sha256() const { return file_.sha256(); }

 private:
  AtomicFile file_;
};

/// Reads spans from shards of one folder; shards stay open. Thread-safe.
class ShardReader {
 public:
  explicit ShardReader(std::filesystem::path folder) : folder_(std::move(folder)) {}
  ~ShardReader();
  ShardReader(const ShardReader&) = delete;
  ShardReader& operator=(const ShardReader&) = delete;

  /// \param shard file name relative to the folder
  /// \throws Error(Exit::no_input) if the shard is missing, Error(Exit::data) if it is shorter than
  /// the span
  std::string read(const std::string& shard, TarSpan span);

 private:
  std::filesystem::path folder_;
  std::mutex mutex_;
  std::map<std::string, int> open_;
};

}  // namespace unirg::io
