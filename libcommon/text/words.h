// Report text as words with their places: lower-case words, commas, and stops that end a clause.
// ASCII decides; other bytes count as letters. Depends on nothing.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace unirg::text {

/// Half-open range of bytes.
struct Span {
  size_t begin = 0;
  size_t end = 0;
  bool operator==(const Span&) const = default;
};

enum class WordKind : uint8_t {
  word,   ///< letters, digits, bytes above 0x7f; "x-ray" and "and/or" are two words
  comma,  ///< ','
  stop,   ///< ';' ':' '.' '?' '!' and brackets
};

struct Word {
  WordKind kind = WordKind::word;
  Span span;
};

/// Words of text[range], places relative to `text`. A point between digits ("1.5") and an
/// apostrophe between letters ("can't") belong to the word.
std::vector<Word> split_words(std::string_view text, Span range);

/// ASCII lower case of one byte, whatever the locale.
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
constexpr bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }

}  // namespace unirg::text
