// SPDX-License-Identifier: Apache-2.0
#include "data/dataset_files.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/error.h"
#include "base/rng.h"
#include "text/words.h"

namespace unirg::data {
namespace fs = std::filesystem;
namespace {

/// In the order in which the files of one picture are preferred: lossless first.
constexpr std::array<std::string_view, 15> kExtensions{
    ".dcm",  ".dicom", ".png", ".jpg", ".jpeg", ".tif", ".tiff",   ".svs",
    ".ndpi", ".mrxs",  ".scn", ".bif", ".vms",  ".vmu", ".svslide"};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), text::lower);
  return out;
}

/// Index of the extension among kExtensions, or their number.
size_t extension_rank(std::string_view path) {
  const size_t dot = path.rfind('.');
  const std::string end = dot == std::string_view::npos ? "" : lower(path.substr(dot));
  return static_cast<size_t>(std::find(kExtensions.begin(), kExtensions.end(), end) -
                             kExtensions.begin());
}

std::string_view stem(std::string_view path) {
  return has_picture_extension(path) ? path.substr(0, path.rfind('.')) : path;
}

std::string_view name_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string path_key(std::string_view path) { return lower(stem(path)); }
std::string name_key(std::string_view path) { return lower(stem(name_of(path))); }

/// Not by std::ranges, of which clang 14 makes nothing with this libstdc++.
std::span<const std::pair<uint64_t, uint32_t>> range_of(
    const std::vector<std::pair<uint64_t, uint32_t>>& lookup, const std::string& key) {
  const uint64_t hash = stable_hash(key);
  const auto first = std::lower_bound(lookup.begin(), lookup.end(), std::pair(hash, uint32_t{0}));
  return {first, std::upper_bound(first, lookup.end(), std::pair(hash, UINT32_MAX))};
}

/// Of the names [low, high) in path order, the first that does not stand before `path`; else high.
size_t first_not_less(const FileList& files, size_t low, size_t high, std::string_view path) {
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (path_less(files[middle], path))
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

}  // namespace

bool has_picture_extension(std::string_view path) {
  return extension_rank(path) < kExtensions.size();
}

std::string normal_path(std::string_view path) {
  std::string normal = fs::path(path).lexically_normal().relative_path().string();
  while (normal.starts_with("../")) normal.erase(0, 3);
  return normal;
}

FileIndex::FileIndex(std::vector<fs::path> roots) : roots_(std::move(roots)) {
  for (const fs::path& root : roots_) {
    if (!fs::is_directory(root))
      throw Error(Exit::no_input, fmt::format("no folder '{}'", root.string()));
    files_.add_below(root);
  }
  by_path_.reserve(files_.size());
  by_name_.reserve(files_.size());
  for (uint32_t i = 0; i < files_.size(); ++i) {
    by_path_.emplace_back(stable_hash(path_key(files_[i])), i);
    by_name_.emplace_back(stable_hash(name_key(files_[i])), i);
  }
  std::sort(by_path_.begin(), by_path_.end());
  std::sort(by_name_.begin(), by_name_.end());
}

std::optional<size_t> FileIndex::find(std::string_view path) const {
  const std::string wanted = normal_path(path);
  const std::string key = path_key(wanted);
  const std::string in_lower = lower(wanted);
  std::optional<size_t> best;
  std::pair<int, size_t> best_rank{3, 0};
  for (const auto& [hash, index] : range_of(by_path_, key)) {
    const std::string_view name = files_[index];
    if (path_key(name) != key) continue;
    const int likeness = name == wanted ? 0 : lower(name) == in_lower ? 1 : 2;
    if (likeness == 2 && !has_picture_extension(name)) continue;
    const std::pair<int, size_t> rank{likeness, extension_rank(name)};
    if (!best || rank < best_rank) best = index, best_rank = rank;
  }
  return best;
}

std::optional<size_t> FileIndex::find_by_name(std::string_view path) const {
  const std::string key = name_key(path);
  std::optional<size_t> found;
  for (const auto& [hash, index] : range_of(by_name_, key)) {
    if (name_key(files_[index]) != key || !has_picture_extension(files_[index])) continue;
    if (found) return std::nullopt;
    found = index;
  }
  return found;
}

std::optional<size_t> FileIndex::find_table(std::string_view path) const {
  const std::string wanted = normal_path(path);
  std::vector<size_t> deeper;
  std::optional<size_t> packed;
  for (size_t i = 0; i < files_.size(); ++i) {
    const std::string_view name = files_[i];
    if (name == wanted) return i;
    if (name == wanted + ".gz") packed = i;
    if (name.ends_with("/" + wanted) || name.ends_with("/" + wanted + ".gz")) deeper.push_back(i);
  }
  if (packed) return packed;
  if (deeper.size() > 1) {
    throw Error(
        Exit::data,
        fmt::format("'{}' and '{}': two tables of one name (hint: keep one below the folder)",
                    files_[deeper[0]], files_[deeper[1]]));
  }
  return deeper.empty() ? std::nullopt : std::optional(deeper.front());
}

std::vector<size_t> FileIndex::matching(const std::string& pattern) const {
  std::vector<size_t> found;
  for (size_t i = 0; i < files_.size(); ++i) {
    if (::fnmatch(pattern.c_str(), name(i).c_str(), FNM_CASEFOLD) == 0) found.push_back(i);
  }
  return found;
}

std::vector<size_t> FileIndex::in_folder(std::string_view folder) const {
  const std::string prefix = normal_path(folder) + "/";
  std::vector<size_t> found;
  for (size_t root = 0; root < roots_.size(); ++root) {
    const size_t end = files_.first_of(root + 1);
    for (size_t i = first_not_less(files_, files_.first_of(root), end, prefix);
         i < end && files_[i].starts_with(prefix); ++i) {
      if (files_[i].find('/', prefix.size()) == std::string_view::npos) found.push_back(i);
    }
  }
  return found;
}

}  // namespace unirg::data
