// Many word patterns at once over the words of a sentence. Depends on text/words.h.
//
// A pattern is words in lower case, separated by spaces:
//   opacit*      a word that begins so           (left|right)   one of several, each may be words
//   [the]        may be there or not             ~ and ..       up to 2, up to 6 words in between
// Commas may lie in a gap (and do not count), nowhere else; stops (";", ":", ".", brackets) never.
// Patterns are expanded and kept in one trie, so the time depends on the text, not on their number.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/words.h"

namespace unirg::text {

/// A pattern found in a sentence.
struct PhraseMatch {
  int32_t payload = 0;    ///< what add() was given
  int32_t begin = 0;      ///< first word's index
  int32_t end = 0;        ///< one past the last word's index
  int32_t gap_words = 0;  ///< words skipped by gaps
  uint64_t literals = 0;  ///< bit i: word begin + i is one the pattern names
};

class PhraseMatcher {
 public:
  PhraseMatcher();
  /// \param payload >= 0, free choice of the caller; several patterns may share one
  /// \throws Error(Exit::config) naming the pattern if its syntax is wrong or it begins or ends
  /// with a gap
  void add(std::string_view pattern, int32_t payload);

  /// All matches, in order of their first word. Thread-safe.
  /// \throws Error(Exit::config) if a word begins with eight or more stems of the patterns
  [[nodiscard]] std::vector<PhraseMatch> match(std::string_view text,
                                               const std::vector<Word>& words) const;

 private:
  static constexpr int kAlphabet = 37;       // a-z, 0-9, any other
  static constexpr size_t kMostSymbols = 8;  // stems and the whole word along one spelling
  struct SpellingNode {
    std::array<int32_t, kAlphabet> next{};
    int32_t whole = -1;  // symbol of the word that ends here
    int32_t stem = -1;   // symbol of the words that begin so
  };
  struct PhraseNode {
    std::vector<std::pair<int32_t, int32_t>> edges;  // symbol -> node, sorted
    std::vector<std::pair<int32_t, int32_t>> gaps;   // most words skipped -> node
    std::vector<int32_t> payloads;
  };
  struct Symbols {
    std::array<int32_t, kMostSymbols> ids{};
    size_t count = 0;
  };
  struct Walk;

  int32_t symbol(std::string_view word, bool stem);
  void add_expanded(const std::vector<std::string>& elements, int32_t payload);
  int32_t child(int32_t node, int32_t symbol);
  [[nodiscard]] Symbols symbols_of(std::string_view word) const;
  void follow(Walk& walk, int32_t node, int32_t at, PhraseMatch match) const;

  std::vector<SpellingNode> spelling_;
  std::vector<PhraseNode> phrases_;
  int32_t symbols_ = 0;
};

}  // namespace unirg::text
