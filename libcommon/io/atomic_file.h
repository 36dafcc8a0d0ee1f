// Files that appear whole or not at all. An output is written to a temporary name in the same
// folder (O_EXCL), synced, then renamed; a killed tool leaves at most a hidden
// ".NAME.tmp-HOST-PID-N" that no Makefile trusts and the next run on that machine removes. "-" is
// standard output: written straight through and checked, since a full disk there must not pass for
// success.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace unirg::io {

/// True for "-": standard input or output.
bool is_stream(const std::filesystem::path& path);
/// True for what is there and neither file nor folder: a FIFO, /dev/null. Nothing is written beside
/// it.
bool is_special(const std::filesystem::path& path);

/// A file under construction. Destroyed without commit(), it leaves nothing behind.
class AtomicFile {
 public:
  /// A cache entry can be made anew and says by a digest whether it is whole: it is renamed into
  /// place but not synced, and nobody looks for what a killed run left beside it, which for a
  /// folder of many entries would cost more than they do.
  enum class Kind { output, cache_entry };
  /// The parent folder must exist. What is there and no regular file (a FIFO, /dev/null) is written
  /// to as it is.
  /// \throws Error(Exit::cannot_create) if the temporary file cannot be created.
  explicit AtomicFile(const std::filesystem::path& path, Kind kind = Kind::output);
  ~AtomicFile();
  AtomicFile(AtomicFile&&) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Appends bytes. \throws Error(Exit::io), e.g. on a full disk.
  void write(std::string_view bytes);
  /// Bytes written so far.
  [[nodiscard]] int64_t offset() const;
  /// Flushes and syncs: nothing may be written any more, and what belongs beside the file (its run
  /// record, its rejects) can be written before it appears. \throws Error(Exit::io)
  void seal();
  /// Seals if that is not done, renames to the final name. \throws Error(Exit::io)
  void commit();
  /// SHA-256 of all bytes written, as hex; valid after seal() or commit().
  [[nodiscard]] const std::string& sha256() const;
  [[nodiscard]] const std::filesystem::path& path() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A folder under construction (checkpoints): files are written into a temporary sibling, which
/// commit() renames. A finished folder of the final name is replaced in one step (renameat2
/// RENAME_EXCHANGE) and then removed; anything else of that name is left alone.
class AtomicFolder {
 public:
  /// \throws Error(Exit::cannot_create), also if something that is no finished or empty folder has
  /// the name
  explicit AtomicFolder(const std::filesystem::path& path);
  ~AtomicFolder();
  AtomicFolder(const AtomicFolder&) = delete;
  AtomicFolder& operator=(const AtomicFolder&) = delete;

  /// Where to write until commit().
  [[nodiscard]] const std::filesystem::path& temporary() const { return temporary_; }
  /// Writes the file DONE, syncs every file and the folders, renames. \throws Error(Exit::io)
  void commit();

 private:
  std::filesystem::path final_;
  std::filesystem::path temporary_;
  bool committed_ = false;
};

/// Keeps other processes out of a folder for as long as it lives (flock on the folder itself).
class FolderLock {
 public:
  /// The folder must exist. \throws Error(Exit::cannot_create) if another process holds it
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int fd_;
};

/// "dir/" -> "dir", so that names can be made from it: DIR.partial, DIR.metrics.jsonl.
std::filesystem::path folder_name(const std::filesystem::path& path);
/// Only a folder of ours (it holds DONE) or an empty one may be replaced: a mistyped -o must not
/// cost anyone a folder. \throws Error(Exit::cannot_create) if something else has the name
void check_replaceable(const std::filesystem::path& folder);

/// Whole small file written atomically, parent folder must exist.
void write_file(const std::filesystem::path& path, std::string_view bytes,
                AtomicFile::Kind kind = AtomicFile::Kind::output);
/// Whole file ("-": standard input). \throws Error(Exit::no_input) if it cannot be opened,
/// Error(Exit::io) on a read error
std::string read_file(const std::filesystem::path& path);
/// mkdir -p. \throws Error(Exit::cannot_create)
void make_folders(const std::filesystem::path& folder);

}  // namespace unirg::io
