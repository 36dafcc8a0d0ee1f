// SPDX-License-Identifier: Apache-2.0
#include "text/radgraph_tokens.h"

#include <array>
#include <utility>

#include "text/bpe_bytes.h"
#include "text/python_text.h"
#include "text/token_classes.h"

namespace unirg::text {
namespace {

/// str.replace(): from left to right, without overlap.
std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

std::string separate_marks(std::string_view report) {
  constexpr std::string_view kMarks = "/,:.!?()";
  std::string out;
  for (const char c : report) {
    if (kMarks.find(c) == std::string_view::npos) {
      out += c;
    } else {
      out.append({' ', c, ' '});
    }
  }
  return out;
}

/// `\w+|[^\w\s]+`, the matches joined by blanks.
std::string word_punctuation(std::string_view text) {
  enum class Kind { none, word, other };
  std::string out;
  Kind last = Kind::none;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t c = next_char(text, at);
    const Kind kind = is_python_word(c)    ? Kind::word
                      : is_python_space(c) ? Kind::none
                                           : Kind::other;
    if (kind != Kind::none) {
      if (kind != last && !out.empty()) out += ' ';
      out += text.substr(begin, at - begin);
    }
    last = kind;
  }
  return out;
}

std::string prepare_xl(std::string text) {
  // What JSON escapes leave behind when they are not undone; lengths are kept, as in the source.
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kBefore = {
      {{"\\n", "  "}, {"\\f", "  "}, {"\\u2122", "      "}, {"\n", " "}, {"\\\"", "``"}}};
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kBehind = {
      {{").", ") ."}, {"%.", "% ."}, {".'", ". '"}, {"%,", "% ,"}, {"%)", "% )"}}};
  for (const auto& [from, to] : kBefore) text = replace_all(std::move(text), from, to);
  text = word_punctuation(text);
  for (const auto& [from, to] : kBehind) text = replace_all(std::move(text), from, to);
  return text;
}

}  // namespace

std::vector<std::string> radgraph_tokens(std::string_view report, RadGraphTokens kind) {
  std::string text = replace_broken_utf8(report);
  text = kind == RadGraphTokens::v1 ? separate_marks(text) : prepare_xl(std::move(text));
  const std::vector<std::string_view> words = python_split(text);
  if (words.empty()) return {"None"};
  return {words.begin(), words.end()};
}

}  // namespace unirg::text
