// spaCy's English tokenizer, as far as sentences need it.
// SPDX-License-Identifier: Apache-2.0
#include <unicode/uchar.h>

#include <algorithm>
#include <array>

#include "text/python_text.h"
#include "text/rush_sentences.h"

namespace unirg::text {
namespace {

using Text = std::u32string_view;

constexpr Text kPunctuation = U"…,:;!?¿؟¡()[]{}<>_#*&。？！，、；：～·।،۔؛٪";
constexpr Text kQuotes = U"'\"”“`‘´’‚,„»«「」『』（）〔〕【】《》〈〉";
constexpr Text kCurrency = U"$£€¥฿₽₴₹";

bool is_in(Text set, char32_t c) { return set.find(c) != Text::npos; }
bool is_digit_char(char32_t c) { return c >= '0' && c <= '9'; }
bool is_alpha(char32_t c) { return u_isalpha(static_cast<UChar32>(c)) != 0; }
bool is_symbol(char32_t c) { return u_charType(static_cast<UChar32>(c)) == U_OTHER_SYMBOL; }
bool is_mark(char32_t c) { return is_in(kPunctuation, c) || is_in(kQuotes, c) || is_symbol(c); }

size_t leading_dots(Text t) { return std::min(t.find_first_not_of(U'.'), t.size()); }

/// Length of a prefix to cut off.
size_t prefix_length(Text t) {
  if (t.empty()) return 0;
  const char32_t c = t.front();
  if (is_mark(c) || is_in(U"§%=—–", c) || is_in(kCurrency, c)) return 1;
  if (c == '+') return t.size() > 1 && is_digit_char(t[1]) ? 0 : 1;
  const size_t dots = leading_dots(t);
  return dots >= 2 ? dots : 0;
}

bool ends_in_unit(Text t, size_t& length) {
  static constexpr std::array<Text, 34> kUnits = {
      U"km²",  U"km³", U"dm²", U"dm³",  U"cm²", U"cm³", U"mm²", U"mm³", U"m/s",
      U"km/h", U"mph", U"hPa", U"mbar", U"km",  U"m²",  U"m³",  U"dm",  U"cm",
      U"mm",   U"ha",  U"µm",  U"nm",   U"yd",  U"in",  U"ft",  U"kg",  U"mg",
      U"µg",   U"lb",  U"oz",  U"m",    U"g",   U"t",   U"%"};
  for (const Text unit : kUnits) {
    if (t.size() <= unit.size() || !t.ends_with(unit)) continue;
    if (!is_digit_char(t[t.size() - unit.size() - 1])) continue;
    length = unit.size();
    return true;
  }
  return false;
}

/// Whether a full stop at the end is a token of its own.
bool is_final_stop(Text t) {
  if (t.size() < 2) return false;
  const char32_t before = t[t.size() - 2];
  if (is_digit_char(before) || is_python_lower(before) || is_in(U"%²-+", before) ||
      is_in(kPunctuation, before) || is_in(kQuotes, before))
    return true;
  return t.size() >= 3 && is_python_upper(before) && is_python_upper(t[t.size() - 3]);
}

/// Length of a suffix to cut off.
size_t suffix_length(Text t) {
  if (t.empty()) return 0;
  size_t dots = 0;
  while (dots < t.size() && t[t.size() - 1 - dots] == '.') ++dots;
  if (dots >= 2) return dots;
  for (const Text s : {Text(U"'s"), Text(U"'S"), Text(U"’s"), Text(U"’S")}) {
    if (t.ends_with(s)) return 2;
  }
  size_t unit = 0;
  if (ends_in_unit(t, unit)) return unit;
  const char32_t c = t.back();
  if (is_mark(c) || is_in(U"—–", c)) return 1;
  if (c == '.') return is_final_stop(t) ? 1 : 0;
  const bool after_digit = t.size() > 1 && is_digit_char(t[t.size() - 2]);
  return after_digit && (c == '+' || is_in(kCurrency, c)) ? 1 : 0;
}

/// Length of an infix at `i`, 0 < i; 0: none.
size_t infix_length(Text t, size_t i) {
  const char32_t c = t[i];
  if (c == U'…' || is_symbol(c)) return 1;
  if (const size_t dots = leading_dots(t.substr(i)); dots >= 2) return dots;
  if (i == 0 || i + 1 >= t.size()) return 0;
  const char32_t before = t[i - 1];
  const char32_t behind = t[i + 1];
  const auto is_lower_or_quote = [](char32_t x) { return is_python_lower(x) || is_in(kQuotes, x); };
  const auto is_upper_or_quote = [](char32_t x) { return is_python_upper(x) || is_in(kQuotes, x); };
  if (is_digit_char(before) && is_in(U"+-*^", c) && (is_digit_char(behind) || behind == '-'))
    return 1;
  if (c == '.' && is_lower_or_quote(before) && is_upper_or_quote(behind)) return 1;
  if (c == ',' && is_alpha(before) && is_alpha(behind)) return 1;
  if (is_in(U":<>=/", c) && (is_alpha(before) || is_digit_char(before)) && is_alpha(behind))
    return 1;
  if (!is_in(U"-–—~", c) || !is_alpha(before)) return 0;
  size_t end = i;
  while (end < t.size() && t[end] == c) ++end;
  const size_t most = c == '-' ? 3 : c == U'—' ? 2 : 1;
  return end - i <= most && end < t.size() && is_alpha(t[end]) ? end - i : 0;
}

/// Tokens of a stretch without blanks.
void split_chunk(Text chunk, size_t offset, std::vector<size_t>& starts) {
  std::vector<size_t> suffixes;  // from the right
  size_t begin = 0;
  size_t end = chunk.size();
  while (begin < end) {
    const Text left = chunk.substr(begin, end - begin);
    const size_t prefix = prefix_length(left);
    const size_t suffix = suffix_length(left.substr(prefix));
    if (prefix == 0 && suffix == 0) break;
    if (prefix > 0) starts.push_back(offset + begin);
    begin += prefix;
    if (suffix > 0 && begin < end) {
      end -= suffix;
      suffixes.push_back(offset + end);
    }
  }
  if (begin < end) starts.push_back(offset + begin);
  for (size_t i = begin + 1; i < end;) {
    const size_t infix = infix_length(chunk.substr(begin, end - begin), i - begin);
    if (infix == 0) {
      ++i;
      continue;
    }
    starts.push_back(offset + i);
    i += infix;
    if (i < end) starts.push_back(offset + i);
  }
  starts.insert(starts.end(), suffixes.rbegin(), suffixes.rend());
}

}  // namespace

std::vector<size_t> spacy_token_starts(std::u32string_view text) {
  std::vector<size_t> starts;
  for (size_t at = 0; at < text.size();) {
    const bool blank = is_python_space(text[at]);
    size_t end = at;
    while (end < text.size() && is_python_space(text[end]) == blank) ++end;
    if (blank) {
      const size_t first =
          at + (at > 0 && text[at] == ' ' ? 1 : 0);  // one blank goes with the word
      if (first < end) starts.push_back(first);
    } else {
      split_chunk(text.substr(at, end - at), at, starts);
    }
    at = end;
  }
  std::sort(starts.begin(), starts.end());
  starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
  return starts;
}

}  // namespace unirg::text
