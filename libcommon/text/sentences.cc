// SPDX-License-Identifier: Apache-2.0
#include "text/sentences.h"

#include <algorithm>
#include <array>

namespace unirg::text {
namespace {

constexpr std::array<std::string_view, 20> kAbbreviations{
    "dr", "mr",  "mrs", "ms",  "st", "vs", "approx", "e.g", "i.e",  "eg",
    "cf", "etc", "fig", "no.", "jr", "sr", "a.m",    "p.m", "resp", "prof"};

/// The letters and inner points before `at`, e.g. "e.g" before the last point of "e.g.".
std::string_view word_before(std::string_view text, size_t at) {
  size_t begin = at;
  while (begin > 0 && (is_letter(text[begin - 1]) || text[begin - 1] == '.')) --begin;
  return text.substr(begin, at - begin);
}

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

bool is_abbreviation(std::string_view text, size_t point) {
  const std::string_view word = word_before(text, point);
  if (word.size() == 1 && is_upper(word[0])) {
    // An initial ("read by J. Smith"), not the end of a designation ("hepatitis B.").
    size_t end = point - 1;
    while (end > 0 && is_space(text[end - 1])) --end;
    const std::string_view before = word_before(text, end);
    return before == "by" || before == "with" || before == "to" || before == "Dr.";
  }
  return std::any_of(kAbbreviations.begin(), kAbbreviations.end(),
                     [&](std::string_view known) { return same_ignoring_case(word, known); });
}

/// Length of an item mark ("1.", "2)", "(3)", "-", "*") with the space after it, at a place where a
/// sentence may begin; else 0.
size_t item_mark(std::string_view text, size_t at) {
  size_t i = at;
  const bool bracket = i < text.size() && text[i] == '(';
  if (bracket) ++i;
  const size_t digits = i;
  while (i < text.size() && i < digits + 2 && is_digit(text[i])) ++i;
  if (i > digits) {
    if (i >= text.size() || !(text[i] == ')' || (text[i] == '.' && !bracket))) return 0;
    ++i;
    if (i < text.size() && is_digit(text[i])) return 0;  // "1.5 cm nodule"
  } else if (!bracket && i < text.size() && (text[i] == '-' || text[i] == '*')) {
    ++i;
    if (i < text.size() && !is_space(text[i])) return 0;
  } else {
    return 0;
  }
  return i - at;
}

bool ends_sentence(std::string_view text, size_t at) {
  const char c = text[at];
  if (c == '\n') {
    size_t next = at + 1;
    while (next < text.size() && (text[next] == ' ' || text[next] == '\t' || text[next] == '\r'))
      ++next;
    return next < text.size() && (text[next] == '\n' || item_mark(text, next) > 0);
  }
  if (c != '.' && c != '?' && c != '!') return false;
  const bool open = at + 1 == text.size() || is_space(text[at + 1]) || text[at + 1] == '.';
  return open && !(c == '.' && is_abbreviation(text, at));
}

/// Range without white space, stray points and an item mark at its beginning.
Span trimmed(std::string_view text, Span s) {
  const auto skips = [&](char c) { return is_space(c) || c == '.'; };
  while (s.begin < s.end && skips(text[s.begin])) ++s.begin;
  const size_t mark = item_mark(text.substr(0, s.end), s.begin);
  s.begin += mark;
  while (s.begin < s.end && is_space(text[s.begin])) ++s.begin;
  while (s.end > s.begin && is_space(text[s.end - 1])) --s.end;
  return s;
}

}  // namespace

std::vector<Span> split_sentences(std::string_view text) {
  std::vector<Span> sentences;
  size_t begin = 0;
  const auto close = [&](size_t end) {
    const Span s = trimmed(text, {begin, end});
    const bool has_word = std::any_of(text.begin() + static_cast<std::ptrdiff_t>(s.begin),
                                      text.begin() + static_cast<std::ptrdiff_t>(s.end),
                                      [](char c) { return !is_space(c) && c != '.'; });
    if (has_word) sentences.push_back(s);
    begin = end;
  };
  bool fresh = true;  // nothing but white space since `begin`
  for (size_t at = 0; at < text.size(); ++at) {
    if (fresh && !is_space(text[at])) {
      fresh = false;
      if (const size_t mark = item_mark(text, at); mark > 0) {
        at += mark - 1;
        continue;
      }
    }
    if (!ends_sentence(text, at)) continue;
    close(at + 1);
    fresh = true;
  }
  close(text.size());
  return sentences;
}

}  // namespace unirg::text
