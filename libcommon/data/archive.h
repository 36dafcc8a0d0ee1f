// A zip or tar file as the input folder: unpacked into a folder of ours, within limits, so that a
// hostile one can neither write elsewhere nor fill the disk. libarchive stays in the source.
// Depends on base. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace unirg::data {

/// More than any of them ends the run: what is left of such an archive cannot be trusted.
struct ArchiveLimits {
  int64_t entries = 4'000'000;               ///< of any kind, and folders made for them
  int64_t bytes = int64_t{1} << 37;          ///< of all files unpacked (128 GiB)
  int64_t entry_bytes = (int64_t{1} << 32);  ///< of one file unpacked (4 GiB)
};

/// Whether `path` is a file that begins like a zip, a tar, or a tar in gzip, bzip2, xz or zstd, or
/// is named .tar.
bool is_archive(const std::filesystem::path& path);

/// Regular files of an archive as files of a folder, which is removed with the object.
class UnpackedArchive {
 public:
  /// \param folder  is created; its parent must exist
  /// \param stopped  asked between entries; true ends the unpacking
  /// \throws Error(Exit::data) for a damaged archive or one over a limit (names the limit's
  /// option),
  ///         Error(Exit::no_input) if it cannot be opened, Error(Exit::io) for a full disk
  UnpackedArchive(const std::filesystem::path& archive, std::filesystem::path folder,
                  const ArchiveLimits& limits, const std::function<bool()>& stopped);
  ~UnpackedArchive();
  UnpackedArchive(const UnpackedArchive&) = delete;
  UnpackedArchive& operator=(const UnpackedArchive&) = delete;

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] bool whole() const { return whole_; }  ///< false after `stopped`
  /// Entries that were not unpacked, as (name in UTF-8, reason), in the archive's order: links,
  /// devices, names that lead out of the folder, are too long or stand twice, encrypted and sparse
  /// files, damaged content.
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& refused() const {
    return refused_;
  }

 private:
  std::filesystem::path folder_;
  bool whole_ = true;
  std::vector<std::pair<std::string, std::string>> refused_;
};

}  // namespace unirg::data
