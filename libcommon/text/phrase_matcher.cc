// SPDX-License-Identifier: Apache-2.0
#include "text/phrase_matcher.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace unirg::text {
namespace {

constexpr int32_t kShortGap = 2;
constexpr int32_t kLongGap = 6;
constexpr size_t kMostExpansions = 4096;
constexpr int32_t kWidestMatch = 64;  // bits of PhraseMatch::literals

using Elements = std::vector<std::string>;

int letter_index(char c) {
  if (c >= 'a' && c <= 'z') return c - 'a';
  return is_digit(c) ? 26 + (c - '0') : 36;
}

/// Recursive descent over the pattern syntax; the result is every plain sequence it stands for.
class Expander {
 public:
  explicit Expander(std::string_view pattern) : pattern_(pattern) {}

  std::vector<Elements> run() {
    auto all = alternatives();
    if (at_ != pattern_.size()) fail("unexpected ')' or ']'");
    return all;
  }

 private:
  [[noreturn]] void fail(const char* why) const {
    throw Error(Exit::config, fmt::format("phrase '{}': {}", pattern_, why));
  }
  [[nodiscard]] char peek() const { return at_ < pattern_.size() ? pattern_[at_] : '\0'; }

  std::vector<Elements> alternatives() {
    std::vector<Elements> all = sequence();
    while (peek() == '|') {
      ++at_;
      auto more = sequence();
      all.insert(all.end(), more.begin(), more.end());
    }
    return all;
  }

  std::vector<Elements> sequence() {
    std::vector<Elements> all{{}};
    for (;;) {
      while (peek() == ' ') ++at_;
      const char c = peek();
      if (c == '\0' || c == '|' || c == ')' || c == ']') return all;
      std::vector<Elements> next;
      if (c == '(' || c == '[') {
        ++at_;
        next = alternatives();
        if (peek() != (c == '(' ? ')' : ']')) fail("bracket is not closed");
        ++at_;
        if (c == '[') next.emplace_back();
      } else {
        next = {{word()}};
      }
      all = product(all, next);
    }
  }

  std::vector<Elements> product(const std::vector<Elements>& left,
                                const std::vector<Elements>& right) const {
    if (left.size() * right.size() > kMostExpansions) fail("stands for too many phrases");
    std::vector<Elements> all;
    for (const Elements& a : left) {
      for (const Elements& b : right) {
        all.push_back(a);
        all.back().insert(all.back().end(), b.begin(), b.end());
      }
    }
    return all;
  }

  std::string word() {
    const size_t begin = at_;
    while (at_ < pattern_.size() &&
           std::string_view(" |()[]").find(pattern_[at_]) == std::string_view::npos)
      ++at_;
    std::string word(pattern_.substr(begin, at_ - begin));
    if (word == "~" || word == "..") return word;
    const std::string_view letters = std::string_view(word).substr(0, word.find('*'));
    const bool stem = letters.size() + 1 == word.size();
    if (letters.empty() || (letters.size() != word.size() && !stem))
      fail("'*' may only end a word");
    for (const char c : letters) {
      if (lower(c) != c) fail("words are written in lower case");
      if (letter_index(c) == 36 && c != '\'' && c != '.') fail("a word has letters and digits");
    }
    return word;
  }

  std::string_view pattern_;
  size_t at_ = 0;
};

bool is_gap(const std::string& element) { return element == "~" || element == ".."; }

}  // namespace

PhraseMatcher::PhraseMatcher() : spelling_(1), phrases_(1) {}

int32_t PhraseMatcher::symbol(std::string_view word, bool stem) {
  int32_t node = 0;
  for (const char c : word) {
    const auto letter = static_cast<size_t>(letter_index(c));
    if (spelling_[static_cast<size_t>(node)].next[letter] == 0) {
      const auto made = static_cast<int32_t>(spelling_.size());
      spelling_[static_cast<size_t>(node)].next[letter] = made;
      spelling_.emplace_back();
    }
    node = spelling_[static_cast<size_t>(node)].next[letter];
  }
  SpellingNode& last = spelling_[static_cast<size_t>(node)];
  int32_t& id = stem ? last.stem : last.whole;
  if (id < 0) id = symbols_++;
  return id;
}

int32_t PhraseMatcher::child(int32_t node, int32_t symbol) {
  auto& edges = phrases_[static_cast<size_t>(node)].edges;
  const auto at = std::lower_bound(edges.begin(), edges.end(), std::pair(symbol, int32_t{0}));
  if (at != edges.end() && at->first == symbol) return at->second;
  const auto made = static_cast<int32_t>(phrases_.size());
  edges.emplace(at, symbol, made);
  phrases_.emplace_back();
  return made;
}

void PhraseMatcher::add_expanded(const Elements& elements, int32_t payload) {
  int32_t node = 0;
  for (const std::string& element : elements) {
    if (!is_gap(element)) {
      const bool stem = element.back() == '*';
      const auto letters = std::string_view(element).substr(0, element.size() - (stem ? 1 : 0));
      node = child(node, symbol(letters, stem));
      continue;
    }
    const int32_t most = element == "~" ? kShortGap : kLongGap;
    auto& gaps = phrases_[static_cast<size_t>(node)].gaps;
    const auto known =
        std::find_if(gaps.begin(), gaps.end(), [&](const auto& gap) { return gap.first == most; });
    if (known != gaps.end()) {
      node = known->second;
      continue;
    }
    const auto made = static_cast<int32_t>(phrases_.size());
    gaps.emplace_back(most, made);
    phrases_.emplace_back();
    node = made;
  }
  auto& payloads = phrases_[static_cast<size_t>(node)].payloads;
  if (std::find(payloads.begin(), payloads.end(), payload) == payloads.end())
    payloads.push_back(payload);
}

void PhraseMatcher::add(std::string_view pattern, int32_t payload) {
  for (const Elements& elements : Expander(pattern).run()) {
    if (elements.empty() || is_gap(elements.front()) || is_gap(elements.back()))
      throw Error(Exit::config, fmt::format("phrase '{}' begins or ends with a gap", pattern));
    const auto gaps = std::count_if(elements.begin(), elements.end(), is_gap);
    // Each gap may hold as many commas as words.
    const auto widest = static_cast<int64_t>(elements.size()) + gaps * 2 * (kLongGap + 1);
    if (widest > kWidestMatch)
      throw Error(Exit::config, fmt::format("phrase '{}' is too long", pattern));
    add_expanded(elements, payload);
  }
}

PhraseMatcher::Symbols PhraseMatcher::symbols_of(std::string_view word) const {
  Symbols found;
  int32_t node = 0;
  for (const char c : word) {
    node = spelling_[static_cast<size_t>(node)].next[static_cast<size_t>(letter_index(lower(c)))];
    if (node == 0) return found;
    const int32_t stem = spelling_[static_cast<size_t>(node)].stem;
    if (stem >= 0) found.ids[found.count++] = stem;
    if (found.count == kMostSymbols)
      throw Error(Exit::config, fmt::format("word '{}' begins with too many stems", word));
  }
  const int32_t whole = spelling_[static_cast<size_t>(node)].whole;
  if (whole >= 0) found.ids[found.count++] = whole;
  return found;
}

struct PhraseMatcher::Walk {
  const std::vector<Word>& words;
  std::vector<Symbols> symbols;
  std::vector<PhraseMatch> found;
};

void PhraseMatcher::follow(Walk& walk, int32_t node, int32_t at, PhraseMatch match) const {
  const PhraseNode& here = phrases_[static_cast<size_t>(node)];
  for (const int32_t payload : here.payloads) {
    PhraseMatch hit = match;
    hit.payload = payload;
    hit.end = at;
    walk.found.push_back(hit);
  }
  const auto count = static_cast<int32_t>(walk.words.size());
  if (at >= count) return;
  if (!here.edges.empty()) {
    const Symbols& symbols = walk.symbols[static_cast<size_t>(at)];
    for (size_t s = 0; s < symbols.count; ++s) {
      const auto edge = std::lower_bound(here.edges.begin(), here.edges.end(),
                                         std::pair(symbols.ids[s], int32_t{0}));
      if (edge == here.edges.end() || edge->first != symbols.ids[s]) continue;
      PhraseMatch longer = match;
      longer.literals |= uint64_t{1} << (at - match.begin);
      follow(walk, edge->second, at + 1, longer);
    }
  }
  for (const auto& [most, next] : here.gaps) {
    PhraseMatch skipping = match;
    int32_t commas = 0;
    int32_t i = at;
    for (int32_t skipped = 0;; ++i) {
      if (i >= count) break;
      const WordKind kind = walk.words[static_cast<size_t>(i)].kind;
      if (kind == WordKind::stop) break;
      if (kind == WordKind::comma) {
        if (++commas > kLongGap) break;
        continue;
      }
      skipping.gap_words = match.gap_words + skipped;
      follow(walk, next, i, skipping);
      if (++skipped > most) break;
    }
  }
}

std::vector<PhraseMatch> PhraseMatcher::match(std::string_view text,
                                              const std::vector<Word>& words) const {
  Walk walk{words, std::vector<Symbols>(words.size()), {}};
  for (size_t i = 0; i < words.size(); ++i) {
    const Word& word = words[i];
    if (word.kind == WordKind::word)
      walk.symbols[i] = symbols_of(text.substr(word.span.begin, word.span.end - word.span.begin));
  }
  for (size_t i = 0; i < words.size(); ++i) {
    if (walk.symbols[i].count == 0) continue;
    PhraseMatch match;
    match.begin = static_cast<int32_t>(i);
    follow(walk, 0, match.begin, match);
  }
  return std::move(walk.found);
}

}  // namespace unirg::text
