// SPDX-License-Identifier: Apache-2.0
#include "text/token_classes.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <utility>

namespace unirg::text {
namespace {

UChar32 icu(char32_t c) { return static_cast<UChar32>(c); }

bool assigned_by(char32_t c, uint8_t version) {
  UVersionInfo age;
  u_charAge(icu(c), age);
  return age[0] != 0 && age[0] <= version;
}

bool is_one_of(char32_t c, std::initializer_list<char32_t> list) {
  return std::find(list.begin(), list.end(), c) != list.end();
}

}  // namespace

char32_t next_char(std::string_view text, size_t& at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 0x80) {
    ++at;
    return byte;
  }
  const auto n = static_cast<int32_t>(std::min<size_t>(text.size() - at, 4));
  int32_t i = 0;
  UChar32 c = 0;
  U8_NEXT_OR_FFFD(text.data() + at, i, n, c);
  at += static_cast<size_t>(i);
  return static_cast<char32_t>(c);
}

char32_t previous_char(std::string_view text, size_t& at) {
  const size_t begin = at > 4 ? at - 4 : 0;
  auto i = static_cast<int32_t>(at - begin);
  UChar32 c = 0;
  U8_PREV_OR_FFFD(text.data() + begin, 0, i, c);
  at = begin + static_cast<size_t>(i);
  return static_cast<char32_t>(c);
}

void append_char(std::string& out, char32_t c) {
  char bytes[4];
  int32_t length = 0;
  U8_APPEND_UNSAFE(bytes, length, icu(c));
  out.append(bytes, static_cast<size_t>(length));
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_white(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= '\t' && c <= '\r');
  return u_isUWhiteSpace(icu(c));
}

bool is_word(char32_t c) {
  const uint32_t mask = U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK;
  return (U_MASK(u_charType(icu(c))) & mask) != 0 || u_isUAlphabetic(icu(c)) || c == 0x200C ||
         c == 0x200D;
}

bool is_numeric(char32_t c) { return (U_MASK(u_charType(icu(c))) & U_GC_N_MASK) != 0; }

bool is_punctuation(char32_t c) {
  if (c < 0x80) return c > ' ' && c < 0x7F && u_isalnum(icu(c)) == 0;
  // Two characters have left the category since.
  if (is_one_of(c, {0x166D, 0x111C9})) return true;
  return (U_MASK(u_charType(icu(c))) & U_GC_P_MASK) != 0 && assigned_by(c, 8);
}

bool is_control(char32_t c) {
  if (c < 0x80) return (c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7F;
  const uint32_t mask = U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK;
  return (U_MASK(u_charType(icu(c))) & mask) != 0 && assigned_by(c, 8);
}

bool is_nonspacing_mark(char32_t c) {
  if (c < 0x300) return false;
  if (c == 0x1734) return true;  // has left the category since; the four below have joined it
  return u_charType(icu(c)) == U_NON_SPACING_MARK && assigned_by(c, 8) &&
         !is_one_of(c, {0x1885, 0x1886, 0xA9BD, 0x111C9});
}

bool is_combining_mark(char32_t c) {
  if (c < 0x300) return false;
  if (is_one_of(c, {0x1CF2, 0x1CF3})) return true;  // have left the category since
  return (U_MASK(u_charType(icu(c))) & U_GC_M_MASK) != 0 && assigned_by(c, 9) && c != 0x111C9;
}

bool is_ideograph(char32_t c) {
  if (c < 0x3400) return false;
  constexpr std::pair<char32_t, char32_t> kRanges[] = {
      {0x4E00, 0x9FFF},   {0x3400, 0x4DBF},   {0x20000, 0x2A6DF}, {0x2A700, 0x2B73F},
      {0x2B740, 0x2B81F}, {0x2B920, 0x2CEAF}, {0xF900, 0xFAFF},   {0x2F800, 0x2FA1F}};
  return std::any_of(std::begin(kRanges), std::end(kRanges),
                     [c](const auto& range) { return c >= range.first && c <= range.second; });
}

void append_lower(std::string& out, char32_t c) {
  append_char(out, static_cast<char32_t>(u_tolower(icu(c))));
  if (c == 0x130) append_char(out, 0x307);  // the one character whose lower case is two
}

}  // namespace unirg::text
