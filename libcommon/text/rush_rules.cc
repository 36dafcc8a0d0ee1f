// SPDX-License-Identifier: Apache-2.0
#include "text/rush_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/error.h"
#include "io/atomic_file.h"
#include "text/python_text.h"

namespace unirg::text {
namespace {

constexpr size_t kMaxRepeats = 50;

bool is_ascii_punctuation(char32_t c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
         (c >= '{' && c <= '~');
}

bool is_blank(char32_t c) { return c == ' ' || c == '\t' || c == 0xA0; }

/// Whether wildcard `kind` matches; nullopt: there is no such wildcard.
std::optional<bool> matches(char32_t kind, char32_t c) {
  switch (kind) {
    case 's':
      return is_blank(c);
    case 'n':
      return c == '\n' || c == '\r';
    case 'd':
      return is_python_digit(c);
    case 'C':
      return is_python_upper(c);
    case 'c':
      return is_python_lower(c);
    case 'p':
      return is_ascii_punctuation(c);
    case 'a':
      return !is_python_space(c);
    case 'u':
      return c > '~' && c != 0xA0;
    case 'w':
      return c > '~' || is_python_space(c);
    case '(':
    case ')':
    case '\\':
      return c == kind;
    default:
      return std::nullopt;
  }
}

std::vector<std::string_view> split(std::string_view line, char separator) {
  std::vector<std::string_view> parts;
  for (size_t at = 0;;) {
    const size_t end = line.find(separator, at);
    parts.push_back(line.substr(at, end - at));
    if (end == std::string_view::npos) return parts;
    at = end + 1;
  }
}

}  // namespace

void RushRules::add(std::u32string_view pattern, Rule rule) {
  uint32_t at = 0;
  for (const char32_t c : pattern) {
    const auto& next = nodes_[at].next;
    const auto it =
        std::find_if(next.begin(), next.end(), [c](const auto& n) { return n.first == c; });
    if (it != next.end()) {
      at = it->second;
      continue;
    }
    const auto made = static_cast<uint32_t>(nodes_.size());
    nodes_[at].next.emplace_back(c, made);
    nodes_.emplace_back();
    at = made;
  }
  nodes_[at].rule = static_cast<int>(rules_.size());
  rules_.push_back(rule);
}

const RushRules::Node* RushRules::step(const Node& node, char32_t c) const {
  for (const auto& [key, index] : node.next) {
    if (key == c) return &nodes_[index];
  }
  return nullptr;
}

RushRules RushRules::load(const std::filesystem::path& file) {
  return parse(io::read_file(file), file.string());
}

RushRules RushRules::parse(std::string_view table, const std::string& name) {
  RushRules rules;
  size_t number = 0;
  for (std::string_view line : split(table, '\n')) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#' || line.front() == '@') continue;
    const auto parts = split(line, '\t');
    const auto refuse = [&](const char* why) {
      throw Error(Exit::data, fmt::format("{}:{}: {}", name, number, why));
    };
    const bool named = parts.size() == 3 && (parts[2] == "stbegin" || parts[2] == "stend");
    const bool scored = named && parts[1].size() == 1 && parts[1][0] >= '0' && parts[1][0] <= '3';
    if (!scored || parts[0].empty()) refuse("no 'RULE<tab>SCORE<tab>stbegin|stend', score 0 to 3");
    if (parts[0].find('[') != std::string_view::npos) refuse("'[' is not supported in a rule");
    if (parts[0].find("\\+") != std::string_view::npos) refuse("'\\+' is not supported in a rule");
    const bool odd = (parts[1][0] - '0') % 2 != 0;
    rules.add(code_points(parts[0]), {.begins = parts[2] == "stbegin", .counts = !odd});
  }
  return rules;
}

/// One text's captures of one kind. Those that overlap share a place in the list, which the widest
/// holds.
class Captures {
 public:
  void add(CharSpan span, int rule) {
    if (const auto place = overlapping(span)) {
      Capture& old = found_[*place];
      if (span.end - span.begin <= old.span.end - old.span.begin) return;
      old = {span, rule};
      take(span, *place);
      return;
    }
    // The source keeps the first capture's range one shorter than those of the others.
    const bool shorter = found_.empty() && span.end > span.begin;
    take({span.begin, span.end - (shorter ? 1 : 0)}, found_.size());
    found_.push_back({span, rule});
  }

  struct Capture {
    CharSpan span;
    int rule = -1;
  };
  [[nodiscard]] const std::vector<Capture>& found() const { return found_; }

 private:
  struct Taken {
    size_t end = 0;
    size_t place = 0;
  };

  void take(CharSpan span, size_t place) {
    const auto [first, last] = taken_.equal_range(span.begin);
    for (auto it = first; it != last; ++it) {
      if (it->second.end != span.end) continue;
      taken_.erase(it);
      break;
    }
    // Of equal begins the oldest comes last.
    taken_.emplace_hint(taken_.lower_bound(span.begin), span.begin, Taken{span.end, place});
    longest_ = std::max(longest_, span.end - span.begin);
  }

  /// Place of the capture that overlaps. Of several the one that begins last: the source's choice
  /// hangs on the shape of a random tree, and is mostly this one.
  [[nodiscard]] std::optional<size_t> overlapping(CharSpan span) const {
    for (auto it = taken_.upper_bound(span.end); it != taken_.begin();) {
      --it;
      const size_t begin = it->first;
      const size_t end = it->second.end;
      if (begin + longest_ < span.begin) return std::nullopt;
      const bool hit = !(end <= span.begin || begin >= span.end) ||
                       (span.begin == span.end && span.begin == begin) ||
                       (begin == end && begin == span.begin);
      if (hit) return it->second.place;
    }
    return std::nullopt;
  }

  std::vector<Capture> found_;
  std::multimap<size_t, Taken> taken_;  // by begin
  size_t longest_ = 0;                  // of taken_
};

/// A walk through text and tree. Positions: `begin` and `end` of the capture, where end 0 means
/// that no bracket has closed it.
class RushSearch {
 public:
  RushSearch(const RushRules& rules, std::u32string_view text) : rules_(rules), text_(text) {}

  RushMarks run() {
    for (size_t i = 0; i < text_.size(); ++i) walk(rules_.nodes_.front(), {i, 0, i}, 0, false);
    return {marks(begins_), marks(ends_)};
  }

 private:
  using Node = RushRules::Node;
  struct State {
    size_t begin = 0, end = 0, at = 0;
  };

  [[nodiscard]] std::vector<CharSpan> marks(const Captures& captures) const {
    std::vector<CharSpan> spans;
    for (const auto& capture : captures.found()) {
      if (rules_.rules_[static_cast<size_t>(capture.rule)].counts) spans.push_back(capture.span);
    }
    return spans;
  }

  /// \param before   the tree's character that led here
  /// \param wildcard whether it was a wildcard's letter
  void walk(const Node& node, State s, char32_t before, bool wildcard) {
    if (s.at >= text_.size()) return finish(node, s, before, wildcard);
    const char32_t c = text_[s.at];
    if (const Node* next = rules_.step(node, '\\')) walk_wildcards(*next, s);
    if (before != '\\') {
      if (const Node* next = rules_.step(node, '(')) walk(*next, {s.at, s.end, s.at}, '(', false);
      if (const Node* next = rules_.step(node, ')')) walk(*next, {s.begin, s.at, s.at}, ')', false);
    }
    if (node.rule >= 0) capture(node.rule, s);
    if (c != '(' && c != ')') {
      if (const Node* next = rules_.step(node, c))
        walk(*next, {s.begin, s.end, s.at + 1}, c, false);
    }
    if (const Node* next = rules_.step(node, '+')) {
      walk(*next, s, '+', false);
      repeat(*next, s, before, wildcard);
    }
  }

  /// Where the text ends.
  void finish(const Node& node, State s, char32_t before, bool wildcard) {
    if (node.rule >= 0) return capture(node.rule, s);
    const Node* escape = rules_.step(node, '\\');
    if (const Node* last = escape ? rules_.step(*escape, 'e') : nullptr) {
      if (last->rule >= 0) capture(last->rule, s);
      return;
    }
    if (const Node* closed = rules_.step(node, ')')) {
      if (closed->rule >= 0) return capture(closed->rule, {s.begin, s.at, s.at});
      const Node* tail = rules_.step(*closed, '\\');
      if (tail && rules_.step(*tail, 'e')) walk(*tail, {s.begin, s.at, s.at}, ' ', false);
      return;
    }
    if (const Node* next = rules_.step(node, '+')) walk(*next, s, before, wildcard);
  }

  void walk_wildcards(const Node& node, State s) {
    for (const auto& [kind, index] : node.next) {
      const Node& next = rules_.nodes_[index];
      if (kind == 'b') {
        if (s.at == 0) walk(next, s, 'b', true);
      } else if (matches(kind, text_[s.at]).value_or(false)) {
        walk(next, {s.begin, s.end, s.at + 1}, kind, true);
      }
    }
  }

  /// Goes past more of what stood before '+'.
  void repeat(const Node& node, State s, char32_t before, bool wildcard) {
    const bool bracket = before == '(' || before == ')' || before == '\\';
    if (wildcard && (bracket || !matches(before, ' '))) return;
    for (size_t n = 0; n < kMaxRepeats && s.at < text_.size(); ++n, ++s.at) {
      const char32_t c = text_[s.at];
      if (wildcard ? !matches(before, c).value_or(false) : c != before) break;
    }
    walk(node, s, '+', false);
  }

  void capture(int rule, State s) {
    CharSpan span{s.begin, s.end == 0 ? s.at : s.end};
    if (span.begin > span.end) std::swap(span.begin, span.end);
    (rules_.rules_[static_cast<size_t>(rule)].begins ? begins_ : ends_).add(span, rule);
  }

  const RushRules& rules_;
  std::u32string_view text_;
  Captures begins_, ends_;
};

RushMarks RushRules::find(std::u32string_view text) const { return RushSearch(*this, text).run(); }

}  // namespace unirg::text
