// SPDX-License-Identifier: Apache-2.0
#include "text/ptb_tokens.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <bitset>
#include <memory>

#include "base/error.h"
#include "text/ptb_rules.h"
#include "text/python_text.h"
#include "text/token_classes.h"
#include "text/words.h"

namespace unirg::text {
namespace {

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeMatch {
  void operator()(pcre2_match_data* match) const { pcre2_match_data_free(match); }
};
using Code = std::unique_ptr<pcre2_code, FreeCode>;

Code compiled(const std::string& pattern) {
  int error = 0;
  PCRE2_SIZE at = 0;
  Code code(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                          PCRE2_UTF | PCRE2_ANCHORED | PCRE2_NO_UTF_CHECK, &error, &at, nullptr));
  UNIRG_ASSERT(code != nullptr, "a rule of ptb_rules.cc is no pattern");
  return code;
}

/// Matches by PCRE2's breadth-first way, which finds the longest match as a lexer does.
class Matcher {
 public:
  Matcher() : match_(pcre2_match_data_create(1, nullptr)) {}

  /// Length of the longest match at the start of `text`, or -1; the end of `text` is a partial
  /// match's 0 where `partial`.
  int64_t longest(const pcre2_code* code, std::string_view text, bool partial = false) {
    const int found =
        pcre2_dfa_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0,
                        PCRE2_ANCHORED | PCRE2_NO_UTF_CHECK | (partial ? PCRE2_PARTIAL_HARD : 0U),
                        match_.get(), nullptr, workspace_.data(), workspace_.size());
    if (found == PCRE2_ERROR_NOMATCH) return -1;
    if (partial && found == PCRE2_ERROR_PARTIAL) return 0;
    UNIRG_ASSERT(found >= 0, "PCRE2 failed on a rule of ptb_rules.cc");
    const PCRE2_SIZE* place = pcre2_get_ovector_pointer(match_.get());
    return static_cast<int64_t>(place[1]);
  }

 private:
  std::unique_ptr<pcre2_match_data, FreeMatch> match_;
  std::array<int, 4096> workspace_{};
};

struct Rule {
  PtbKind kind{};
  Code whole;              ///< head and tail
  Code head;               ///< the head in front of a tail that ends the text; null without a tail
  std::bitset<128> first;  ///< ASCII characters that it may begin with
  char needs = 0;          ///< as PtbRule's
};

std::vector<Rule> compiled_rules() {
  std::vector<Rule> rules;
  Matcher matcher;
  for (const PtbRule& rule : ptb_rules()) {
    Rule r{
        rule.kind, compiled("(?:" + rule.head + ")(?:" + rule.tail + ")"), nullptr, {}, rule.needs};
    if (!rule.tail.empty()) r.head = compiled("(?:" + rule.head + ")(?=(?:" + rule.tail + ")\\z)");
    for (size_t c = 0; c < 128; ++c) {
      const char text = static_cast<char>(c);
      r.first[c] = matcher.longest(r.whole.get(), {&text, 1}, true) >= 0;
    }
    rules.push_back(std::move(r));
  }
  return rules;
}

const std::vector<Rule>& rules() {  // compiled once: a hundredth of a second
  static const std::vector<Rule> kRules = compiled_rules();
  return kRules;
}

/// Well-formed UTF-8 with spaces for line ends, and a line end.
std::string one_line(std::string_view text) {
  std::string line;
  line.reserve(text.size() + 1);
  if (is_ascii(text)) {
    line = text;
    for (char& c : line) c = c >= '\n' && c <= '\r' ? ' ' : c;
    return line += '\n';
  }
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_char(text, at);
    const bool line_end = (c >= '\n' && c <= '\r') || c == 0x85 || c == 0x2028 || c == 0x2029;
    append_char(line, line_end ? U' ' : c);
  }
  return line += '\n';
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

struct Replacement {
  std::string_view from, to;
};

template <size_t N>
void replace_all(std::string& text, const std::array<Replacement, N>& table) {
  for (const Replacement& r : table) replace_all(text, r.from, r.to);
}

void replace_entity(std::string& text, std::string_view entity, std::string_view to) {
  for (size_t at = text.find('&'); at != std::string::npos; at = text.find('&', at + 1)) {
    if (text.size() - at < entity.size()) return;
    bool same = true;
    for (size_t i = 0; i < entity.size(); ++i) same &= lower(text[at + i]) == entity[i];
    if (same) text.replace(at, entity.size(), to);
  }
}

void turn_quotes(std::string& text, bool left) {
  replace_all(text, "&apos;", left ? "`" : "'");  // only in lower case, as upstream
  replace_all(text, "&quot;", "\"");
  if (left) replace_all(text, "'", "`");
  replace_all(text, "\"", left ? "``" : "''");
  static constexpr std::array<Replacement, 13> kSided{{{"\u0091", "`"},
                                                       {"\u2018", "`"},
                                                       {"\u201b", "`"},
                                                       {"\u2039", "`"},
                                                       {"\u0092", "'"},
                                                       {"\u2019", "'"},
                                                       {"\u203a", "'"},
                                                       {"\u0093", "``"},
                                                       {"\u201c", "``"},
                                                       {"\u00ab", "``"},
                                                       {"\u0094", "''"},
                                                       {"\u201d", "''"},
                                                       {"\u00bb", "''"}}};
  replace_all(text, kSided);
}

constexpr std::array<Replacement, 5> kFractions{{{"\u00bc", "1/4"},
                                                 {"\u00bd", "1/2"},
                                                 {"\u00be", "3/4"},
                                                 {"\u2153", "1/3"},
                                                 {"\u2154", "2/3"}}};
constexpr std::array<Replacement, 6> kCurrencies{{{"\u00a2", "cents"},
                                                  {"\u00a3", "#"},
                                                  {"\u0080", "$"},
                                                  {"\u00a4", "$"},
                                                  {"\u20a0", "$"},
                                                  {"\u20ac", "$"}}};
constexpr std::array<Replacement, 2> kRound{{{"(", "-LRB-"}, {")", "-RRB-"}}};
constexpr std::array<Replacement, 6> kBrackets{{{"(", "-LRB-"},
                                                {")", "-RRB-"},
                                                {"[", "-LSB-"},
                                                {"]", "-RSB-"},
                                                {"{", "-LCB-"},
                                                {"}", "-RCB-"}}};

std::string without_soft_hyphens(std::string token) {
  replace_all(token, "\u00ad", "");
  return token.empty() ? "-" : token;
}

/// What a rule makes of the text it matched.
std::string token_of(PtbKind kind, std::string token) {
  switch (kind) {
    case PtbKind::soft:
      return without_soft_hyphens(std::move(token));
    case PtbKind::dash:
      return "--";
    case PtbKind::hyphens:
      return token.size() == 3 || token.size() == 4 ? "--" : token;
    case PtbKind::ampersand:
      replace_entity(token, "&amp;", "&");
      return token;
    case PtbKind::left_quote:
      turn_quotes(token, true);
      return token;
    case PtbKind::right_quote:
      turn_quotes(token, false);
      return token;
    case PtbKind::ellipsis:
      return "...";
    case PtbKind::fraction:
      replace_all(token, kFractions);
      return token;
    case PtbKind::currency:
      replace_all(token, kCurrencies);
      return token;
    case PtbKind::spaced:
      replace_all(token, " ", "\u00a0");
      return token;
    case PtbKind::phone:
      replace_all(token, " ", "\u00a0");
      replace_all(token, kRound);
      return token;
    case PtbKind::smiley:
      replace_all(token, kRound);
      return token;
    case PtbKind::less:
      return "<";
    case PtbKind::greater:
      return ">";
    case PtbKind::bracket:
      replace_all(token, kBrackets);
      return token;
    default:
      return token;
  }
}

constexpr size_t kLongestSpecial = 7;  // letters: "bancorp"

/// Goes through one text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : line_(one_line(text)) {}

  std::vector<std::string> run() {
    while (at_ < line_.size()) {
      if (!plain_step()) step();
    }
    return std::move(tokens_);
  }

 private:
  /// The character `n` places on; the line ends with '\n', and nothing looks behind that.
  [[nodiscard]] char peek(size_t n) const { return at_ + n < line_.size() ? line_[at_ + n] : '\n'; }
  [[nodiscard]] bool gap(size_t n) const { return peek(n) == ' ' || peek(n) == '\n'; }

  void accept(size_t length) {
    tokens_.push_back(python_lower(line_.substr(at_, length)));
    at_ += length;
  }

  /// Takes what is surely one token whatever the rules: nine of ten tokens of a report.
  bool plain_step() {
    const char c = peek(0);
    const bool last = c == '\n';  // the line's own end
    if (last || (c == ' ' && static_cast<unsigned char>(peek(1)) < 0x80 && peek(1) != '\t')) {
      ++at_;
      return true;
    }
    if (is_letter(c)) return plain_word();
    if (is_digit(c)) return plain_number();
    const bool mark =
        ((c == ',' || c == ';' || c == ':') && gap(1)) || (c == '.' && gap(1) && peek(2) != '.');
    if (mark) accept(1);
    const bool round = c == ')' || (c == '(' && is_letter(peek(1)) && lower(peek(1)) != 'x');
    if (round) take(PtbKind::bracket, {&line_[at_], 1});
    return mark || round;
  }

  /// Letters, also with hyphens between them, before a gap or a mark and a gap.
  bool plain_word() {
    size_t n = 1;
    size_t hyphens = 0;
    for (; is_letter(peek(n)) || (peek(n) == '-' && is_letter(peek(n + 1))); ++n)
      hyphens += peek(n) == '-';
    const char next = peek(n);
    const bool mark = next == ',' || next == ';' || next == ':' || next == '.';
    if (!gap(n) && next != ')' && !(mark && gap(n + 1))) return false;
    if (next == '.' && (n == 1 || hyphens > 0)) return false;
    if (n <= kLongestSpecial && hyphens == 0) {
      std::string word = line_.substr(at_, n);
      for (char& letter : word) letter = lower(letter);
      if (is_split_ptb_word(word) || (next == '.' && is_ptb_abbreviation(word))) return false;
    }
    accept(n);
    return true;
  }

  /// Digits before a gap that no digit follows, or before a mark and a gap.
  bool plain_number() {
    size_t n = 1;
    while (is_digit(peek(n))) ++n;
    const bool alone = gap(n) && (is_letter(peek(n + 1)) || peek(n + 1) == '\n');
    const bool marked = (peek(n) == ',' || peek(n) == '.') && gap(n + 1);
    if (alone || marked) accept(n);
    return alone || marked;
  }

  void step() {
    const std::string_view rest = std::string_view(line_).substr(at_);
    const auto first = static_cast<unsigned char>(rest[0]);
    const std::string_view run = rest.substr(0, rest.find(' '));
    const Rule* best = nullptr;
    int64_t longest = 0;
    for (const Rule& rule : rules()) {
      if (first < 0x80 && !rule.first[first]) continue;
      if (rule.needs != 0 && run.find(rule.needs) == std::string_view::npos) continue;
      const int64_t length = matcher_.longest(rule.whole.get(), rest);
      if (length <= longest) continue;
      longest = length;
      best = &rule;
    }
    if (best == nullptr) {  // untokenizable
      next_char(line_, at_);
      return;
    }
    if (best->head != nullptr)
      longest = matcher_.longest(best->head.get(), rest.substr(0, static_cast<size_t>(longest)));
    UNIRG_ASSERT(longest > 0, "a rule's head does not match where the rule does");
    take(best->kind, rest.substr(0, static_cast<size_t>(longest)));
  }

  void take(PtbKind kind, std::string_view matched) {
    std::string_view token = matched;
    if (kind == PtbKind::give_two) token.remove_suffix(2);
    if (kind == PtbKind::give_three) token.remove_suffix(3);
    const bool stop_again = kind == PtbKind::stop_too || kind == PtbKind::acronym;
    at_ += stop_again ? token.size() - 1 : token.size();
    if (kind == PtbKind::acronym && token.size() == 2) token.remove_suffix(1);
    if (kind != PtbKind::drop) tokens_.push_back(python_lower(token_of(kind, std::string(token))));
  }

  std::string line_;
  size_t at_ = 0;
  std::vector<std::string> tokens_;
  Matcher matcher_;
};

bool is_coco_punctuation(std::string_view token) {
  static constexpr std::array<std::string_view, 13> kDropped{"''", "'", "``", "`",  ".",   "?", "!",
                                                             ",",  ":", "-",  "--", "...", ";"};
  if (token.size() > 3) return false;
  for (const std::string_view dropped : kDropped) {
    if (token == dropped) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> ptb_tokens(std::string_view text) { return Scanner(text).run(); }

std::string coco_text(std::string_view text) {
  std::string joined;
  for (const std::string& token : ptb_tokens(text)) {
    if (is_coco_punctuation(token)) continue;
    if (!joined.empty()) joined += ' ';
    joined += token;
  }
  return joined;
}

}  // namespace unirg::text
