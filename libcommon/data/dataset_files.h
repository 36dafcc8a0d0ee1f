// The files below one or several folders, to be found by the paths that tables write: whatever the
// case of their letters and the kind of picture. Depends on file_list.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/file_list.h"

namespace unirg::data {

class FileIndex {
 public:
  /// \throws Error(Exit::no_input) if a folder is missing or cannot be listed
  explicit FileIndex(std::vector<std::filesystem::path> roots);

  [[nodiscard]] const FileList& files() const { return files_; }
  /// The list, when nothing is looked for any more.
  [[nodiscard]] FileList take_files() { return std::move(files_); }
  /// Name of a file, relative to its folder.
  [[nodiscard]] std::string name(size_t file) const { return std::string(files_[file]); }
  [[nodiscard]] std::filesystem::path path(size_t file) const { return files_.path(file); }
  [[nodiscard]] const std::vector<std::filesystem::path>& roots() const { return roots_; }

  /// The file of that path below one of the folders: as it is written, else in other case, else
  /// with another extension of a picture (DICOM before PNG before JPEG before the rest) or with one
  /// where the path has none.
  [[nodiscard]] std::optional<size_t> find(std::string_view path) const;
  /// The file of the path's name, or name without a picture's extension, if only one has it.
  [[nodiscard]] std::optional<size_t> find_by_name(std::string_view path) const;
  /// The file of that path, also with .gz behind it, below one of the folders or deeper.
  /// \throws Error(Exit::data) if there are several and none is at the top
  [[nodiscard]] std::optional<size_t> find_table(std::string_view path) const;
  /// Files whose path matches the pattern (fnmatch(3), whatever the case; '*' spans folders).
  [[nodiscard]] std::vector<size_t> matching(const std::string& pattern) const;
  /// Files directly in that folder.
  [[nodiscard]] std::vector<size_t> in_folder(std::string_view folder) const;

 private:
  /// Hash of a key -> file, sorted by hash, then by file.
  using Lookup = std::vector<std::pair<uint64_t, uint32_t>>;

  std::vector<std::filesystem::path> roots_;
  FileList files_;  ///< by folder, then by name
  Lookup by_path_;  ///< of the path in lower case without a picture's extension
  Lookup by_name_;  ///< of the name in lower case without a picture's extension
};

/// "a//b/../c" -> "a/c"; a leading "../" or "/" goes. Tables write paths relative to many places.
std::string normal_path(std::string_view path);
/// True for .dcm, .png, .jpg, .tif, .svs and their like, whatever the case.
bool has_picture_extension(std::string_view path);

}  // namespace unirg::data
