// SPDX-License-Identifier: Apache-2.0
#include "metrics/readability.h"

#include <fmt/format.h>
#include <hyphen.h>

#include <algorithm>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "text/python_text.h"

namespace unirg::metrics {
namespace {

/// A text without its punctuation, in lower case.
std::string bare_text(std::u32string_view text) {
  std::u32string bare;
  for (const char32_t c : text) {
    if (text::is_python_word(c) || text::is_python_space(c)) bare += c;
  }
  return text::python_lower(text::to_utf8(bare));
}

bool ends_sentence(char32_t c) { return c == '.' || c == '!' || c == '?'; }

size_t counted_sentences(std::u32string_view text) {
  size_t sentences = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    if (!text::is_python_word(text[at])) continue;
    const size_t begin = at;
    while (at < text.size() && !ends_sentence(text[at])) ++at;
    while (at < text.size() && ends_sentence(text[at])) ++at;
    sentences += text::python_split(bare_text(text.substr(begin, at - begin))).size() > 2;
    --at;  // the loop's step
  }
  return std::max<size_t>(sentences, 1);
}

struct FreeDictionary {
  void operator()(HyphenDict* dictionary) const { hnj_hyphen_free(dictionary); }
};

struct Hash {
  using is_transparent = void;
  size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
};

constexpr size_t kMostWords = 1 << 16;

}  // namespace

struct Readability::Impl {
  std::unique_ptr<HyphenDict, FreeDictionary> dictionary;
  /// Syllables of words that were met: reports have few words and say them often.
  mutable std::shared_mutex mutex;
  mutable std::unordered_map<std::string, size_t, Hash, std::equal_to<>> met;

  [[nodiscard]] size_t count(std::string_view word) const;
};

Readability::Readability(const std::filesystem::path& dictionary)
    : impl_(std::make_unique<Impl>()) {
  if (!std::filesystem::is_regular_file(dictionary))
    throw Error(Exit::no_input,
                fmt::format("no hyphenation dictionary '{}', which 'fkgl' counts syllables with "
                            "(hint: Debian's package hyphen-en-us brings {})",
                            dictionary.string(), kHyphenationFile));
  impl_->dictionary.reset(hnj_hyphen_load(dictionary.c_str()));
  if (impl_->dictionary == nullptr)
    throw Error(Exit::data, fmt::format("'{}' is no hyphenation dictionary (hint: libhyphen reads "
                                        "hyph_*.dic files)",
                                        dictionary.string()));
  // The file's own minima would win over arguments, and libhyphen counts them from behind a word's
  // digits: syllables() keeps the distance from the ends itself.
  for (HyphenDict* level = impl_->dictionary.get(); level != nullptr; level = level->nextlevel)
    level->lhmin = level->rhmin = level->clhmin = level->crhmin = 1;
}

Readability::~Readability() = default;

size_t Readability::syllables(std::string_view word) const {
  {
    const std::shared_lock lock(impl_->mutex);
    if (const auto it = impl_->met.find(word); it != impl_->met.end()) return it->second;
  }
  const size_t syllables = impl_->count(word);
  const std::unique_lock lock(impl_->mutex);
  if (impl_->met.size() < kMostWords) impl_->met.emplace(word, syllables);
  return syllables;
}

size_t Readability::Impl::count(std::string_view word) const {
  std::vector<char> breaks(word.size() + 5);
  char** rep = nullptr;
  int* pos = nullptr;
  int* cut = nullptr;
  const int failed =
      hnj_hyphen_hyphenate3(dictionary.get(), word.data(), static_cast<int>(word.size()),
                            breaks.data(), nullptr, &rep, &pos, &cut, 1, 1, 1, 1);
  if (rep != nullptr) {
    for (size_t i = 0; i < word.size(); ++i) free(rep[i]);
  }
  free(rep);
  free(pos);
  free(cut);
  UNIRG_ASSERT(failed == 0, "libhyphen failed");
  // breaks has a mark for each character: odd where one may break behind it
  const size_t characters = text::code_points(word).size();
  size_t count = 1;
  for (size_t i = 1; i + 2 < characters; ++i) count += (breaks[i] & 1) != 0;
  return count;
}

std::optional<double> Readability::grade(std::string_view text) const {
  const std::u32string characters = text::code_points(text);
  const std::string bare = bare_text(characters);
  const std::vector<std::string_view> words = text::python_split(bare);
  if (words.empty()) return std::nullopt;
  size_t syllables = 0;
  for (const std::string_view word : words) syllables += this->syllables(word);
  const auto n = static_cast<double>(words.size());
  return 0.39 * n / static_cast<double>(counted_sentences(characters)) +
         11.8 * static_cast<double>(syllables) / n - 15.59;
}

}  // namespace unirg::metrics
