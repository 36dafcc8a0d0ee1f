// SPDX-License-Identifier: Apache-2.0
#include "text/words.h"

namespace unirg::text {
namespace {

bool is_word_byte(char c) {
  return is_letter(c) || is_digit(c) || static_cast<unsigned char>(c) >= 0x80;
}

/// A byte that joins the word bytes on both its sides.
bool joins(std::string_view text, size_t at, size_t end) {
  if (at == 0 || at + 1 >= end) return false;
  const char before = text[at - 1];
  const char after = text[at + 1];
  if (text[at] == '.') return is_digit(before) && is_digit(after);
  return text[at] == '\'' && is_letter(before) && is_letter(after);
}

}  // namespace

std::vector<Word> split_words(std::string_view text, Span range) {
  std::vector<Word> words;
  words.reserve((range.end - range.begin) / 5 + 1);
  for (size_t at = range.begin; at < range.end;) {
    const char c = text[at];
    if (is_word_byte(c)) {
      const size_t begin = at;
      while (at < range.end && (is_word_byte(text[at]) || joins(text, at, range.end))) ++at;
      words.push_back({WordKind::word, {begin, at}});
      continue;
    }
    const bool stops = c == ';' || c == ':' || c == '.' || c == '?' || c == '!' || c == '(' ||
                       c == ')' || c == '[' || c == ']';
    if (c == ',' || stops)
      words.push_back({c == ',' ? WordKind::comma : WordKind::stop, {at, at + 1}});
    ++at;
  }
  return words;
}

}  // namespace unirg::text
