// SPDX-License-Identifier: Apache-2.0
#include "metrics/meteor_synonyms.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/error.h"
#include "io/atomic_file.h"

namespace unirg::metrics {
namespace {

[[noreturn]] void fail(const std::filesystem::path& file, int64_t line, const std::string& what) {
  throw Error(Exit::data, fmt::format("{}:{}: {} (hint: METEOR's synonym files give a word on one "
                                      "line and its list on the next)",
                                      file.string(), line, what));
}

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  for (size_t at = 0; at < line.size();) {
    const size_t begin = line.find_first_not_of(" \t\r", at);
    if (begin == std::string_view::npos) break;
    at = std::min(line.find_first_of(" \t\r", begin), line.size());
    fields.push_back(line.substr(begin, at - begin));
  }
  return fields;
}

/// Calls visit(word, fields of the next line, number of that line) for every pair of lines.
template <typename Visit>
void read_pairs(const std::filesystem::path& path, const Visit& visit) {
  const std::string content = io::read_file(path);
  std::string_view left = content;
  const auto next = [&] {
    const size_t end = std::min(left.find('\n'), left.size());
    std::string_view line = left.substr(0, end);
    left.remove_prefix(std::min(end + 1, left.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  };
  for (int64_t line = 1; !left.empty(); line += 2) {
    const std::string_view word = next();
    if (left.empty()) fail(path, line, fmt::format("'{}' has no list", word));
    visit(std::string(word), fields_of(next()), line + 1);
  }
}

}  // namespace

MeteorSynonyms::MeteorSynonyms(const std::filesystem::path& synsets,
                               const std::filesystem::path& exceptions) {
  read_pairs(synsets, [&](const std::string& word, const auto& fields, int64_t line) {
    std::vector<int32_t>& numbers = synsets_[word];
    numbers.clear();
    for (const std::string_view field : fields) {
      int32_t number = 0;
      const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), number);
      if (error != std::errc() || end != field.data() + field.size())
        fail(synsets, line, fmt::format("expected the number of a synset, got '{}'", field));
      numbers.push_back(number);
    }
  });
  read_pairs(exceptions, [&](const std::string& word, const auto& fields, int64_t /*line*/) {
    for (const std::string_view form : fields) bases_[std::string(form)].push_back(word);
  });
}

std::string MeteorSynonyms::regular_base(const std::string& word) const {
  struct Ending {
    std::string_view form, base;
  };
  static constexpr std::array<Ending, 20> kEndings{
      {{"s", ""},      {"ses", "s"},   {"xes", "x"}, {"zes", "z"}, {"ches", "ch"},
       {"shes", "sh"}, {"men", "man"}, {"ies", "y"}, {"s", ""},    {"ies", "y"},
       {"es", "e"},    {"es", ""},     {"ed", "e"},  {"ed", ""},   {"ing", "e"},
       {"ing", ""},    {"er", ""},     {"est", ""},  {"er", "e"},  {"est", "e"}}};
  if (word.ends_with("ss") || word.size() <= 2) return word;
  for (const Ending& ending : kEndings) {
    if (!word.ends_with(ending.form)) continue;
    const std::string base =
        word.substr(0, word.size() - ending.form.size()) + std::string(ending.base);
    if (synsets_.contains(base)) return base;
  }
  return "";
}

std::vector<int32_t> MeteorSynonyms::synsets(const std::string& word) const {
  std::vector<int32_t> all;
  const auto add = [&](const std::string& known) {
    const auto it = synsets_.find(known);
    if (it != synsets_.end()) all.insert(all.end(), it->second.begin(), it->second.end());
  };
  add(word);
  const auto irregular = bases_.find(word);
  if (irregular != bases_.end()) {
    for (const std::string& base : irregular->second) add(base);
  } else {
    add(regular_base(word));
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

}  // namespace unirg::metrics
