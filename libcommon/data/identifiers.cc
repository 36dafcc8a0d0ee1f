// SPDX-License-Identifier: Apache-2.0
#include "data/identifiers.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>

#include "base/error.h"
#include "base/parallel.h"
#include "data/ingest_sources.h"
#include "image/dicom_file.h"
#include "text/fold.h"
#include "text/words.h"

namespace unirg::data {
namespace fs = std::filesystem;
namespace {

constexpr size_t kLeastBytes = 4;
constexpr size_t kPrefix = 3;  ///< letters that may stand before a number
constexpr size_t kNamedPlaces = 5;
constexpr size_t kTarBlock = 512;
constexpr char kBreak = '\x01';  ///< no identifier runs over it

bool is_word_byte(char c) {
  return text::is_letter(c) || text::is_digit(c) || static_cast<unsigned char>(c) >= 0x80;
}

/// Rows of words, folded; a kBreak begins another row.
std::vector<std::vector<std::string>> word_rows(std::string_view given) {
  const std::string line = text::fold_words(given);
  std::vector<std::vector<std::string>> rows(1);
  for (size_t at = 0; at < line.size();) {
    if (line[at] == kBreak && !rows.back().empty()) rows.emplace_back();
    if (!is_word_byte(line[at])) {
      ++at;
      continue;
    }
    std::string word;
    while (at < line.size() && is_word_byte(line[at])) word += line[at++];
    rows.back().push_back(std::move(word));
  }
  return rows;
}

/// The digits of "p10000032": of up to three letters and then digits; "" of another word.
std::string digits_behind_letters(const std::string& word) {
  const size_t first = word.find_first_of("0123456789");
  if (first == 0 || first == std::string::npos || first > kPrefix) return "";
  const bool fits =
      std::all_of(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(first),
                  text::is_letter) &&
      std::all_of(word.begin() + static_cast<std::ptrdiff_t>(first), word.end(), text::is_digit);
  return fits ? word.substr(first) : "";
}

/// A line of JSON with all but its strings blotted out; an escaped character is a break, too, but
/// for those that cannot be in a word ("\\", "\"", "\/").
std::string strings_of(std::string_view line) {
  std::string out;
  bool inside = false;
  for (size_t at = 0; at < line.size(); ++at) {
    const char c = line[at];
    if (inside && c == '\\' && at + 1 < line.size()) {
      ++at;
      const bool blank = line[at] == '\\' || line[at] == '"' || line[at] == '/';
      out += blank ? ' ' : kBreak;
      if (line[at] == 'u') at += std::min<size_t>(4, line.size() - at - 1);
    } else if (c == '"') {
      inside = !inside;
      out += kBreak;
    } else {
      out += inside ? c : kBreak;
    }
  }
  return out;
}

/// Calls take(number, text) for each line; lines may be long.
template <typename Take>
void each_line(const fs::path& path, const Take& take) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(Exit::no_input, fmt::format("cannot open '{}'", path.string()));
  std::string line;
  for (int64_t number = 1; std::getline(file, line); ++number) take(number, line);
  if (file.bad()) throw Error(Exit::io, fmt::format("cannot read '{}'", path.string()));
}

/// Calls take(number, name) for each member of a ustar file.
template <typename Take>
void each_member(const fs::path& path, const Take& take) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(Exit::no_input, fmt::format("cannot open '{}'", path.string()));
  std::string header(kTarBlock, '\0');
  const auto field = [&](size_t at, size_t size) {
    const std::string text = header.substr(at, size);
    return text.substr(0, text.find('\0'));
  };
  for (int64_t number = 1; file.read(header.data(), kTarBlock); ++number) {
    if (header[0] == '\0') return;
    const std::string octal = field(124, 12);
    uint64_t bytes = 0;
    const auto [end, error] = std::from_chars(octal.data(), octal.data() + octal.size(), bytes, 8);
    if (error != std::errc() || header.compare(257, 5, "ustar") != 0)
      throw Error(Exit::data, fmt::format("'{}': member {} has no tar header (hint: unirg-ingest "
                                          "verify)",
                                          path.string(), number));
    take(number, field(345, 155) + "/" + field(0, 100));
    file.seekg(static_cast<std::streamoff>((bytes + kTarBlock - 1) / kTarBlock * kTarBlock),
               std::ios::cur);
  }
}

std::vector<IdentifierPlace> find_in_file(const fs::path& path, const Identifiers& identifiers) {
  std::vector<IdentifierPlace> places;
  const auto look = [&](int64_t number, std::string_view text) {
    for (std::string& origin : identifiers.find(text))
      places.push_back({path.string(), number, std::move(origin)});
  };
  const std::string kind = path.extension().string();
  if (kind == ".tar") {
    each_member(path, look);
  } else if (kind == ".json" || kind == ".jsonl") {
    each_line(path,
              [&](int64_t number, const std::string& line) { look(number, strings_of(line)); });
  } else {
    each_line(path, look);
  }
  return places;
}

}  // namespace

void Identifiers::add(std::string_view text, const std::string& origin) {
  for (const std::vector<std::string>& words : word_rows(text)) {
    std::string joined;
    size_t bytes = 0;
    for (const std::string& word : words) {
      joined += (joined.empty() ? "" : " ") + word;
      bytes += word.size();
    }
    if (bytes == 0) continue;
    ++given_;
    if (bytes < kLeastBytes) {
      ++too_short_;
      continue;
    }
    if (!origins_.emplace(std::move(joined), origin).second) continue;
    std::vector<size_t>& lengths = lengths_[words.back()];
    if (std::find(lengths.begin(), lengths.end(), words.size()) == lengths.end())
      lengths.push_back(words.size());
  }
}

void Identifiers::add_list(const fs::path& file) {
  each_line(file, [&](int64_t number, const std::string& line) {
    if (!line.starts_with('#')) add(line, fmt::format("line {} of '{}'", number, file.string()));
  });
}

void Identifiers::add_headers(const fs::path& folder, int threads) {
  const FileList files = files_below(folder);
  ordered_parallel(
      threads, static_cast<int64_t>(files.size()),
      [&](int64_t i) { return image::read_dicom_identifiers(files.path(static_cast<size_t>(i))); },
      [&](int64_t i, const Result<std::vector<image::DicomIdentifier>>& header) {
        if (!header) return true;
        for (const image::DicomIdentifier& one : *header) {
          const std::string origin =
              fmt::format("{} of file {} below '{}'", one.attribute, i + 1, folder.string());
          add(one.value, origin);
          const size_t caret = one.value.find('^');
          if (!one.is_name || caret == std::string::npos) continue;
          // Family and given name, in the other order and alone together.
          const size_t end = std::min(one.value.find('^', caret + 1), one.value.size());
          const std::string family = one.value.substr(0, caret);
          const std::string given = one.value.substr(caret + 1, end - caret - 1);
          if (family.empty() || given.empty()) continue;
          add(given + " " + family, origin);
          add(family + " " + given, origin);
        }
        return true;
      });
}

void Identifiers::add_source(const fs::path& source, int threads) {
  const int64_t before = given_;
  if (fs::is_directory(source))
    add_headers(source, threads);
  else
    add_list(source);
  if (given_ == before)
    throw Error(Exit::data, fmt::format("'{}' holds no identifier (hint: a file with one a "
                                        "line, or a folder of DICOM files)",
                                        source.string()));
}

void Identifiers::find_in_row(const std::vector<std::string>& words,
                              std::vector<std::string>& found) const {
  for (size_t last = 0; last < words.size(); ++last) {
    if (const std::string digits = digits_behind_letters(words[last]); !digits.empty()) {
      if (const auto it = origins_.find(digits); it != origins_.end()) found.push_back(it->second);
    }
    const auto lengths = lengths_.find(words[last]);
    if (lengths == lengths_.end()) continue;
    for (const size_t length : lengths->second) {
      if (length > last + 1) continue;
      std::string joined;
      for (size_t w = last + 1 - length; w <= last; ++w)
        joined += (joined.empty() ? "" : " ") + words[w];
      if (const auto it = origins_.find(joined); it != origins_.end()) found.push_back(it->second);
    }
  }
}

std::vector<std::string> Identifiers::find(std::string_view line) const {
  std::vector<std::string> found;
  for (const std::vector<std::string>& words : word_rows(line)) find_in_row(words, found);
  std::vector<std::string> each;
  for (std::string& origin : found) {
    if (std::find(each.begin(), each.end(), origin) == each.end())
      each.push_back(std::move(origin));
  }
  return each;
}

std::vector<IdentifierPlace> find_identifiers(const fs::path& path,
                                              const Identifiers& identifiers) {
  if (!fs::is_directory(path)) return find_in_file(path, identifiers);
  std::vector<IdentifierPlace> places;
  const FileList files = files_below(path);
  for (size_t i = 0; i < files.size(); ++i) {
    for (std::string& origin : identifiers.find(files[i]))  // the name is an output, too
      places.push_back({files.path(i).string(), 0, std::move(origin)});
    auto found = find_in_file(files.path(i), identifiers);
    std::move(found.begin(), found.end(), std::back_inserter(places));
  }
  return places;
}

void refuse_identifiers(const std::vector<IdentifierPlace>& places, std::string_view consequence) {
  if (places.empty()) return;
  std::string named;
  for (size_t i = 0; i < std::min(places.size(), kNamedPlaces); ++i) {
    named += fmt::format("{}{}:{} ({})", i == 0 ? "" : ", ", places[i].file, places[i].line,
                         places[i].origin);
  }
  throw Error(Exit::data,
              fmt::format("{} places hold a known identifier: {}{}; {}", places.size(), named,
                          places.size() > kNamedPlaces ? ", ..." : "", consequence));
}

}  // namespace unirg::data
