// SPDX-License-Identifier: Apache-2.0
#include "text/python_text.h"

#include <unicode/locid.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include "text/bpe_bytes.h"
#include "text/token_classes.h"
#include "text/words.h"

namespace unirg::text {
namespace {

UChar32 icu(char32_t c) { return static_cast<UChar32>(c); }

int32_t numeric_type(char32_t c) { return u_getIntPropertyValue(icu(c), UCHAR_NUMERIC_TYPE); }

}  // namespace

bool is_python_space(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1C && c <= 0x1F);
  return c == 0x85 || u_charType(icu(c)) == U_SPACE_SEPARATOR || c == 0x2028 || c == 0x2029;
}

bool is_python_alnum(char32_t c) {
  if (c < 0x80) return is_letter(static_cast<char>(c)) || is_digit(static_cast<char>(c));
  return (U_MASK(u_charType(icu(c))) & U_GC_L_MASK) != 0 || numeric_type(c) != U_NT_NONE;
}

bool is_python_word(char32_t c) { return c == '_' || is_python_alnum(c); }

bool is_python_digit(char32_t c) {
  const int32_t type = numeric_type(c);
  return type == U_NT_DECIMAL || type == U_NT_DIGIT;
}

bool is_python_upper(char32_t c) { return u_isUUppercase(icu(c)) != 0; }
bool is_python_lower(char32_t c) { return u_isULowercase(icu(c)) != 0; }

std::string python_lower(std::string_view text) {
  std::string out;
  if (is_ascii(text)) {
    out = text;
    for (char& c : out) c = lower(c);
    return out;
  }
  icu::UnicodeString::fromUTF8({text.data(), static_cast<int32_t>(text.size())})
      .toLower(icu::Locale::getRoot())
      .toUTF8String(out);
  return out;
}

std::string_view python_strip(std::string_view text) {
  size_t begin = 0;
  for (size_t at = 0; at < text.size(); begin = at) {
    if (!is_python_space(next_char(text, at))) break;
  }
  size_t end = text.size();
  for (size_t at = end; at > begin; end = at) {
    if (!is_python_space(previous_char(text, at))) break;
  }
  return text.substr(begin, end - begin);
}

std::vector<std::string_view> python_split(std::string_view text) {
  std::vector<std::string_view> parts;
  parts.reserve(text.size() / 5);
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = at;
    if (static_cast<signed char>(text[at]) > ' ') {  // ASCII and no space, as nearly all are
      ++at;
      continue;
    }
    if (!is_python_space(next_char(text, at))) continue;
    if (end > begin) parts.push_back(text.substr(begin, end - begin));
    begin = at;
  }
  if (begin < text.size()) parts.push_back(text.substr(begin));
  return parts;
}

std::u32string code_points(std::string_view utf8) {
  const std::string text = replace_broken_utf8(utf8);
  std::u32string out;
  for (size_t at = 0; at < text.size();) out += next_char(text, at);
  return out;
}

std::string to_utf8(std::u32string_view characters) {
  std::string out;
  for (const char32_t c : characters) append_char(out, c);
  return out;
}

}  // namespace unirg::text
