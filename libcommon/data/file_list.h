// Names of many files, packed: an archive has a million, and a std::filesystem::path takes some 300
// bytes beside its letters. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

namespace unirg::data {

/// Files below one or several folders. Names that were given stay where they are in memory, also
/// when the list is moved.
class FileList {
 public:
  FileList() = default;
  explicit FileList(std::filesystem::path root) { begin_root(std::move(root)); }

  /// Names added from now on are below this folder.
  void begin_root(std::filesystem::path root) { roots_.push_back({std::move(root), size()}); }
  void add(std::string_view name);
  /// All regular files below a folder, sorted as std::filesystem::path sorts: part by part.
  /// \throws Error(Exit::no_input) if it cannot be listed
  void add_below(const std::filesystem::path& root);
  /// Leaves out the files for which `keep(name)` is false. Of one folder only.
  template <typename Keep>
  void keep_if(Keep keep) {
    std::erase_if(names_, [&](const char* name) { return !keep(std::string_view(name)); });
  }

  [[nodiscard]] size_t size() const { return names_.size(); }
  /// Relative to its folder.
  [[nodiscard]] std::string_view operator[](size_t file) const { return names_[file]; }
  /// Number of its folder.
  [[nodiscard]] size_t root_of(size_t file) const;
  /// To open it.
  [[nodiscard]] std::filesystem::path path(size_t file) const {
    return roots_[root_of(file)].folder / names_[file];
  }
  /// The first file of a folder; size() for the number of folders.
  [[nodiscard]] size_t first_of(size_t root) const {
    return root < roots_.size() ? roots_[root].first : size();
  }

 private:
  struct Root {
    std::filesystem::path folder;
    size_t first;
  };
  std::vector<Root> roots_;
  std::vector<std::unique_ptr<char[]>> blocks_;  ///< of letters, each name ends with a zero
  size_t block_left_ = 0;                        ///< in the last block
  char* block_end_ = nullptr;
  std::vector<const char*> names_;
};

/// Whether path `a` sorts before path `b`, part by part.
bool path_less(std::string_view a, std::string_view b);

/// The files of one folder, see add_below().
FileList files_below(const std::filesystem::path& root);

}  // namespace unirg::data
