// SPDX-License-Identifier: Apache-2.0
#include "metrics/meteor_text.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "text/python_text.h"
#include "text/token_classes.h"

namespace unirg::metrics {
namespace {

using Text = std::u32string;
using View = std::u32string_view;
/// A full stop of "..", which is a word of its own and no end of a sentence; no character.
constexpr char32_t kDot = 0x110000;

bool between(char32_t c, char32_t low, char32_t high) { return c >= low && c <= high; }
bool is_digit(char32_t c) { return between(c, '0', '9'); }

bool is_letter(char32_t c) {
  if (c < 0x80) return between(c | 0x20, 'a', 'z');
  return c == kDot || (between(c, 0xc0, 0x17e) && c != 0xd7 && c != 0xf7) || c == 0x178 ||
         between(c, 0x400, 0x527) || between(c, 0xa640, 0xa66e) || between(c, 0xa67e, 0xa697) ||
         between(c, 0x1d00, 0x1d7f);
}
bool is_letter_or_digit(char32_t c) { return is_letter(c) || is_digit(c); }
bool is_gap(char32_t c) { return c == ' ' || between(c, '\t', '\r'); }

bool stays(char32_t c) {
  return is_letter_or_digit(c) || is_gap(c) || c == '.' || c == ',' || c == '\'' || c == '`' ||
         c == '-' || c == 0x2018 || c == 0x2019;
}

void put_apart(Text& text) {
  Text result(text.size() * 3, U' ');
  char32_t* out = result.data();
  for (size_t i = 0; i < text.size(); ++i) {
    const char32_t c = text[i];
    if (c == '.' && i + 1 < text.size() && text[i + 1] == '.') {
      ++out;
      for (; text[i] == '.'; ++i) *out++ = kDot;  // the text ends with a space
      --i;
      ++out;
    } else if (stays(c)) {
      *out++ = c;
    } else {
      out[1] = c;
      out += 3;
    }
  }
  result.resize(static_cast<size_t>(out - result.data()));
  text.swap(result);
}

/// Replaces "A c B" by "A with B" from left to right; B is not seen again as an A.
template <typename Before, typename After>
void rewrite(Text& text, char32_t c, const Before& before, const After& after,
             std::u32string_view with) {
  size_t at = text.find(c, 1);
  if (at == Text::npos) return;
  Text result;
  size_t done = 0;
  for (; at != Text::npos && at + 1 < text.size(); at = text.find(c, at + 1)) {
    if (at <= done && done > 0) continue;
    if (!before(text[at - 1]) || !after(text[at + 1])) continue;
    result.append(text, done, at - done).append(with);
    result += text[at + 1];
    done = at + 2;
  }
  text = result.append(text, done);
}

void replace_all(Text& text, std::u32string_view from, std::u32string_view with) {
  for (size_t at = text.find(from); at != Text::npos; at = text.find(from, at + with.size()))
    text.replace(at, from.size(), with);
}

void separate_commas(Text& text) {
  const auto other = [](char32_t c) { return !is_digit(c); };
  rewrite(text, ',', other, other, U" , ");
  rewrite(text, ',', is_digit, other, U" , ");
  rewrite(text, ',', other, is_digit, U" , ");
}

/// Whether there is anything for the two functions below; most reports have no such mark.
bool has_marks(const Text& text) {
  return std::any_of(text.begin(), text.end(), [](char32_t c) {
    return c == '\'' || c == '-' || c == '`' || between(c, 0x2013, 0x201d);
  });
}

void normalise_marks(Text& text) {
  for (char32_t& c : text) {
    if (c == '`' || c == 0x2018 || c == 0x2019) c = '\'';
    if (c == 0x2013) c = '-';
  }
  replace_all(text, U"''", U" \" ");
  replace_all(text, U"\u201c", U" \" ");
  replace_all(text, U"\u201d", U" \" ");
  replace_all(text, U"--", U"-");
  rewrite(
      text, '-', [](char32_t c) { return is_letter_or_digit(c) || c == '.'; }, is_letter_or_digit,
      U" ");
}

void separate_apostrophes(Text& text) {
  const auto no_letter = [](char32_t c) { return !is_letter(c); };
  const auto neither = [](char32_t c) { return !is_letter_or_digit(c); };
  rewrite(text, '\'', no_letter, no_letter, U" ' ");
  rewrite(text, '\'', neither, is_letter, U" ' ");
  rewrite(text, '\'', is_letter, no_letter, U" ' ");
  rewrite(text, '\'', is_letter, is_letter, U" '");
  rewrite(
      text, '\'', is_digit, [](char32_t c) { return c == 's'; }, U" '");
}

std::vector<View> split(View text) {
  std::vector<View> words;
  size_t begin = 0;
  for (size_t at = 0; at <= text.size(); ++at) {
    if (at < text.size() && (!is_gap(text[at]) || text[at] == '\v')) continue;
    if (at > begin) words.push_back(text.substr(begin, at - begin));
    begin = at + 1;
  }
  return words;
}

enum class Prefix { none, any, number };

/// Words whose full stop ends no sentence: always, or in front of a number.
Prefix prefix_kind(View word) {
  static const std::unordered_map<std::u32string_view, Prefix> kKnown = [] {
    std::unordered_map<std::u32string_view, Prefix> known{
        {U"No", Prefix::number}, {U"Art", Prefix::number}, {U"pp", Prefix::number}};
    for (const std::u32string_view listed :
         {U"Adj",  U"Adm",  U"Adv",  U"Asst",  U"Bart", U"Bldg", U"Brig", U"Bros",
          U"Capt", U"Cmdr", U"Col",  U"Comdr", U"Con",  U"Corp", U"Cpl",  U"DR",
          U"Dr",   U"Drs",  U"Ens",  U"Gen",   U"Gov",  U"Hon",  U"Hr",   U"Hosp",
          U"Insp", U"Lt",   U"MM",   U"MR",    U"MRS",  U"MS",   U"Maj",  U"Messrs",
          U"Mlle", U"Mme",  U"Mr",   U"Mrs",   U"Ms",   U"Msgr", U"Op",   U"Ord",
          U"Pfc",  U"Ph",   U"Prof", U"Pvt",   U"Rep",  U"Reps", U"Res",  U"Rev",
          U"Rt",   U"Sen",  U"Sens", U"Sfc",   U"Sgt",  U"Sr",   U"St",   U"Supt",
          U"Surg", U"v",    U"vs",   U"i.e",   U"rev",  U"e.g",  U"Nos",  U"Nr"})
      known.emplace(listed, Prefix::any);
    return known;
  }();
  if (word.size() == 1 && between(word[0], 'A', 'Z')) return Prefix::any;
  const auto it = kKnown.find(word);
  return it == kKnown.end() ? Prefix::none : it->second;
}

/// Adds a word as UTF-8 in lower case, unless it is what the program takes for white space.
void add(View word, std::vector<std::string>& finished) {
  const bool white = word.size() == 1 && word[0] > 0x80 && text::is_python_space(word[0]) &&
                     word[0] != 0x85 && word[0] != 0x1680 && word[0] != 0x2028 && word[0] != 0x2029;
  if (white || word.empty()) return;
  std::string& utf8 = finished.emplace_back();
  char32_t high = 0;
  for (const char32_t c : word) high = std::max(high, c);
  if (high < 0x80) {
    utf8.resize(word.size());
    for (size_t i = 0; i < word.size(); ++i)
      utf8[i] = static_cast<char>(between(word[i], 'A', 'Z') ? word[i] | 0x20 : word[i]);
    return;
  }
  for (const char32_t c : word) text::append_char(utf8, c == kDot ? U'.' : c);
  utf8 = text::python_lower(utf8);
}

/// Adds a word and, if it ends with a full stop that does not belong to it, that one apart.
void finish_word(const std::vector<View>& words, size_t i, std::vector<std::string>& finished) {
  const View word = words[i];
  if (word.size() < 2 || word.back() != '.') return add(word, finished);
  const View stem = word.substr(0, word.size() - 1);
  if (stem.find('.') != View::npos && std::any_of(stem.begin(), stem.end(), is_letter)) {
    Text letters(stem);
    letters.erase(std::remove(letters.begin(), letters.end(), '.'), letters.end());
    return add(letters, finished);
  }
  const char32_t next = i + 1 < words.size() ? words[i + 1][0] : 0;
  const Prefix kind = prefix_kind(stem);
  if (kind == Prefix::any || between(next, 'a', 'z') || (kind == Prefix::number && is_digit(next)))
    return add(word, finished);
  add(stem, finished);
  add(U".", finished);
}

}  // namespace

std::vector<std::string> meteor_words(std::string_view bytes) {
  Text text(1, U' ');
  if (text::is_ascii(bytes))
    text.append(bytes.begin(), bytes.end());
  else
    text += text::code_points(bytes);
  text += U' ';
  put_apart(text);
  separate_commas(text);
  if (has_marks(text)) {
    normalise_marks(text);
    separate_apostrophes(text);
  }
  const std::vector<View> words = split(text);
  std::vector<std::string> finished;
  finished.reserve(words.size() + words.size() / 4);
  for (size_t i = 0; i < words.size(); ++i) finish_word(words, i, finished);
  return finished;
}

bool is_meteor_function_word(std::string_view word) {
  static const std::unordered_set<std::string_view> kWords{
      "the",  ",",      ".",     "to",    "of",     "and",   "a",      "in",    "that",   "for",
      "\"",   "is",     "on",    "'s",    "it",     "with",  "was",    "as",    "said",   "at",
      "he",   "by",     "be",    "from",  "have",   "has",   "are",    "his",   "but",    "an",
      "this", "not",    "i",     "will",  "\u2019", "they",  ")",      "-rrb-", "(",      "-lrb-",
      "who",  "their",  "had",   "which", "we",     "were",  "been",   "more",  "or",     "s",
      "its",  "would",  "about", "new",   "one",    "after", "you",    ":",     "also",   "up",
      "when", "there",  "than",  "$",     "all",    "out",   "her",    "she",   "people", "year",
      "two",  "-",      "can",   "if",    "last",   "first", "\u201c", "over",  "other",  "\u201d",
      "into", "some",   "what",  "so",    "--",     "no",    "time",   "years", "could",  "?",
      "'t",   "\u2014", "'"};
  return kWords.contains(word);
}

}  // namespace unirg::metrics
