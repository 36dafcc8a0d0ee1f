// SPDX-License-Identifier: Apache-2.0
#include "data/file_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace unirg::data {
namespace fs = std::filesystem;
namespace {

constexpr size_t kBlockBytes = 1 << 16;

/// A letter's place in the order: the end of a part comes before any letter.
int rank(char c) { return c == '/' ? 0 : static_cast<unsigned char>(c); }

}  // namespace

bool path_less(std::string_view a, std::string_view b) {
  const auto [at_a, at_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (at_b == b.end()) return false;
  return at_a == a.end() || rank(*at_a) < rank(*at_b);
}

void FileList::add(std::string_view name) {
  if (name.size() + 1 > block_left_) {
    block_left_ = std::max(kBlockBytes, name.size() + 1);
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(block_left_));
    block_end_ = blocks_.back().get();
  }
  std::memcpy(block_end_, name.data(), name.size());
  block_end_[name.size()] = '\0';
  names_.push_back(block_end_);
  block_end_ += name.size() + 1;
  block_left_ -= name.size() + 1;
}

void FileList::add_below(const fs::path& root) {
  begin_root(root);
  const auto first = static_cast<std::ptrdiff_t>(size());
  const size_t prefix = (root / "x").native().size() - 1;
  try {
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      if (entry.is_regular_file()) add(std::string_view(entry.path().native()).substr(prefix));
    }
  } catch (const fs::filesystem_error& e) {
    throw Error(Exit::no_input,
                fmt::format("cannot list '{}': {}", e.path1().string(), e.code().message()));
  }
  std::sort(names_.begin() + first, names_.end(),
            [](const char* a, const char* b) { return path_less(a, b); });
}

size_t FileList::root_of(size_t file) const {
  size_t root = roots_.size() - 1;
  while (roots_[root].first > file) --root;
  return root;
}

FileList files_below(const fs::path& root) {
  FileList files;
  files.add_below(root);
  return files;
}

}  // namespace unirg::data
