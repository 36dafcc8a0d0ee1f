// SPDX-License-Identifier: Apache-2.0
#include "metrics/unicode_text.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <array>

namespace unirg::metrics {

char32_t next_code_point(std::string_view text, size_t& at) {
  const auto first = static_cast<unsigned char>(text[at]);
  if (first < 0x80) {
    ++at;
    return first;
  }
  auto i = static_cast<int64_t>(at);
  UChar32 c = 0;
  U8_NEXT_OR_FFFD(text.data(), i, static_cast<int64_t>(text.size()), c);
  at = static_cast<size_t>(i);
  return static_cast<char32_t>(c);
}

void append_code_point(std::string& text, char32_t c) {
  std::array<char, 4> bytes{};
  int32_t n = 0;
  U8_APPEND_UNSAFE(bytes.data(), n, static_cast<UChar32>(c));
  text.append(bytes.data(), static_cast<size_t>(n));
}

bool is_python_space(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x1f);
  return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
         c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

bool is_word_character(char32_t c) {
  if (c < 0x80)
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  const auto category = u_charType(static_cast<UChar32>(c));
  return (U_MASK(category) & (U_GC_L_MASK | U_GC_N_MASK)) != 0;
}

std::vector<std::string> unicode_words(std::string_view text) {
  std::vector<std::string> words;
  size_t at = 0, begin = 0;
  const auto close = [&](size_t end) {
    if (end > begin) words.emplace_back(text.substr(begin, end - begin));
  };
  while (at < text.size()) {
    const size_t here = at;
    if (!is_python_space(next_code_point(text, at))) continue;
    close(here);
    begin = at;
  }
  close(text.size());
  return words;
}

std::string lower_case(std::string_view text) {
  std::string lowered;
  lowered.reserve(text.size());
  size_t at = 0;
  while (at < text.size()) {
    const char32_t c = next_code_point(text, at);
    if (c < 0x80) {
      lowered += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    } else {
      append_code_point(lowered, static_cast<char32_t>(u_tolower(static_cast<UChar32>(c))));
    }
  }
  return lowered;
}

}  // namespace unirg::metrics
