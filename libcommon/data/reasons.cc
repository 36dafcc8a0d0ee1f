// SPDX-License-Identifier: Apache-2.0
#include "data/reasons.h"

#include <algorithm>

#include "text/words.h"

namespace unirg::data {
namespace {

/// Stands for the quotes of a text that stays; no message has it.
constexpr char kKeptQuote = '\x01';

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

}  // namespace

std::string without_quoted(std::string_view message, const std::vector<std::string>& kept) {
  std::string text(message);
  for (const std::string& stays : kept) {
    if (!stays.empty()) replace_all(text, "'" + stays + "'", kKeptQuote + stays + kKeptQuote);
  }
  const size_t first = text.find('\'');
  if (first != std::string::npos) {
    const bool is_open = std::count(text.begin(), text.end(), '\'') % 2 != 0;
    const size_t end = is_open ? text.size() : text.rfind('\'') + 1;
    text.replace(first, end - first, "'...'");
  }
  for (char& c : text) c = c == kKeptQuote ? '\'' : c;
  return text;
}

std::string common_reason(std::string_view reason) {
  const std::string text = without_quoted(reason);
  std::string out;
  for (size_t at = 0; at < text.size();) {
    if (!text::is_digit(text[at])) {
      out += text[at++];
      continue;
    }
    const bool in_word = at > 0 && text::is_letter(text[at - 1]);  // "T1"
    const size_t begin = at;
    while (at < text.size() && text::is_digit(text[at])) ++at;
    out += in_word ? text.substr(begin, at - begin) : "N";
  }
  return out;
}

}  // namespace unirg::data
