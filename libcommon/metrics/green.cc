// SPDX-License-Identifier: Apache-2.0
#include "metrics/green.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <numeric>
#include <vector>

#include "metrics/reply_text.h"
#include "text/words.h"

namespace unirg::metrics {
namespace {

constexpr const char* kSignificant = "Clinically Significant Errors";
constexpr const char* kInsignificant = "Clinically Insignificant Errors";
constexpr const char* kMatched = "Matched Findings";
constexpr int64_t kMostCounted = 1'000'000'000'000'000'000;

/// Whether white space from the line feed at `at` reaches another line feed.
bool blank_line_at(std::string_view text, size_t at) {
  for (size_t i = at + 1; i < text.size();) {
    if (text[i] == '\n') return true;
    const size_t n = blank_bytes(text.substr(i));
    if (n == 0) return false;
    i += n;
  }
  return false;
}

/// What stands between "[name]:" and the next blank line; nullopt without the heading. White space
/// after the heading belongs to it, blank lines too: an empty section swallows the next one.
std::optional<std::string_view> section(std::string_view text, std::string_view name) {
  const std::string heading = fmt::format("[{}]:", name);
  const size_t at = text.find(heading);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view body = skip_blanks(text.substr(at + heading.size()));
  for (size_t i = body.find('\n'); i != std::string_view::npos; i = body.find('\n', i + 1)) {
    if (blank_line_at(body, i)) return body.substr(0, i);
  }
  return body;
}

/// Digits at the start of `text`, if a point follows them.
std::optional<int64_t> count_before_point(std::string_view text) {
  int64_t value = 0;
  size_t i = 0;
  for (; i < text.size() && text::is_digit(text[i]); ++i)
    value = value > kMostCounted / 10 - 1 ? kMostCounted : value * 10 + (text[i] - '0');
  if (i == 0 || i == text.size() || text[i] != '.') return std::nullopt;
  return value;
}

/// The first "N" of ": N." in a line.
std::optional<int64_t> line_count(std::string_view line) {
  for (size_t at = line.find(": "); at != std::string_view::npos; at = line.find(": ", at + 1)) {
    if (const auto count = count_before_point(line.substr(at + 2))) return count;
  }
  return std::nullopt;
}

struct ErrorLine {
  size_t type = 0;        ///< 0..5
  std::string_view text;  ///< from its "(a) " on
};

/// Lines that hold "(a) " to "(f) ", from there on. \param first 'a' or '1'
std::vector<ErrorLine> error_lines(std::string_view section, char first) {
  std::vector<ErrorLine> lines;
  while (!section.empty()) {
    const std::string_view line = section.substr(0, section.find('\n'));
    section.remove_prefix(std::min(section.size(), line.size() + 1));
    for (size_t i = 0; i + 4 <= line.size(); ++i) {
      const int type = line[i + 1] - first;
      if (line[i] != '(' || type < 0 || type > 5 || line[i + 2] != ')' || line[i + 3] != ' ')
        continue;
      lines.push_back({static_cast<size_t>(type), line.substr(i)});
      break;
    }
  }
  return lines;
}

std::vector<ErrorLine> error_lines(std::string_view section) {
  std::vector<ErrorLine> lines = error_lines(section, 'a');
  return lines.empty() ? error_lines(section, '1') : lines;
}

ErrorCounts errors_upstream(std::string_view answer, const char* name) {
  ErrorCounts counts{};
  const auto body = section(answer, name);
  if (!body || body->starts_with("No")) return counts;
  std::vector<ErrorLine> lines = error_lines(*body);
  std::sort(lines.begin(), lines.end(),
            [](const ErrorLine& a, const ErrorLine& b) { return a.text < b.text; });
  for (const ErrorLine& line : lines) {
    if (const auto count = line_count(line.text)) counts[line.type] = *count;
  }
  return counts;
}

std::string lower(std::string_view text) {
  std::string out;
  for (const char c : text) out += text::lower(c);
  return out;
}

/// The whole of a text that only says that there is nothing: (no|none), then any of "clinically",
/// "significant"/"insignificant"/"matched", "errors"/"findings", in this order.
bool says_none(std::string_view text) {
  std::string said = lower(strip_blanks(text));
  if (said.ends_with('.')) said.pop_back();
  std::string_view rest = said;
  const auto drop = [&](std::initializer_list<std::string_view> words) {
    for (const std::string_view word : words) {
      if (!rest.starts_with(word)) continue;
      if (rest.size() > word.size() && rest[word.size()] != ' ') continue;
      rest.remove_prefix(word.size());
      return true;
    }
    return false;
  };
  if (!drop({"none", "no"})) return false;
  drop({" clinically"});
  drop({" significant", " insignificant", " matched"});
  drop({" errors", " error", " findings", " finding"});
  return rest.empty();
}

/// What stands behind the first colon of a line; nullopt without one.
std::optional<std::string_view> behind_colon(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  return strip_blanks(line.substr(colon + 1));
}

/// A line whose count is 0 without being written as ": 0.".
bool plainly_zero(std::string_view line) {
  const auto rest = behind_colon(line);
  return rest && (rest->empty() || *rest == "0" || *rest == "-" || lower(*rest) == "n/a" ||
                  says_none(*rest));
}

/// A count that is no decimal ("3.2 cm"), at the start of `text`.
std::optional<int64_t> whole_count(std::string_view text) {
  const auto count = count_before_point(text);
  const size_t point = text.find('.');
  if (!count || (point + 1 < text.size() && text::is_digit(text[point + 1]))) return std::nullopt;
  return count;
}

/// line_count(), if it is no decimal.
std::optional<int64_t> whole_line_count(std::string_view line) {
  for (size_t at = line.find(": "); at != std::string_view::npos; at = line.find(": ", at + 1)) {
    if (count_before_point(line.substr(at + 2))) return whole_count(line.substr(at + 2));
  }
  return std::nullopt;
}

/// Where the next "[...]:" of one line begins, or the end.
size_t next_heading(std::string_view text) {
  for (size_t at = text.find('['); at != std::string_view::npos; at = text.find('[', at + 1)) {
    const size_t end = text.find_first_of("]\n", at);
    if (end != std::string_view::npos && text.substr(end).starts_with("]:")) return at;
  }
  return text.size();
}

/// Whether a line begins with a letter in brackets, however it is written: "(b) ", "- (B):",
/// "**(2)**".
bool looks_lettered(std::string_view line) {
  const size_t at = line.find_first_not_of(" \t\r-*#>");
  if (at == std::string_view::npos || line.size() < at + 3) return false;
  const char type = text::lower(line[at + 1]);
  return line[at] == '(' && line[at + 2] == ')' &&
         ((type >= 'a' && type <= 'f') || (type >= '1' && type <= '6'));
}

std::vector<std::string_view> text_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    lines.push_back(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(text.size(), lines.back().size() + 1));
  }
  return lines;
}

/// Whether a text holds lines of errors, or what may be meant for them.
bool any_lettered(std::string_view text) {
  const auto lines = text_lines(text);
  return !error_lines(text, 'a').empty() || !error_lines(text, '1').empty() ||
         std::any_of(lines.begin(), lines.end(), looks_lettered);
}

/// An error section as the published code cuts it, and what that cut may have left out or taken in.
struct ErrorSection {
  std::string_view own;        ///< up to the blank line, the next heading or the end
  std::string_view outside;    ///< from there to the next heading
  std::string_view swallowed;  ///< behind the next heading
};

std::optional<ErrorSection> error_section(std::string_view answer, const char* name) {
  const auto body = section(answer, name);
  if (!body) return std::nullopt;
  const std::string_view rest = answer.substr(static_cast<size_t>(body->data() - answer.data()));
  const std::string_view block = rest.substr(0, next_heading(rest));
  const size_t own = std::min(body->size(), block.size());
  return ErrorSection{body->substr(0, own), block.substr(own), body->substr(own)};
}

/// The count of the error line at `at`, or why there is none.
Result<int64_t> read_line(const ErrorSection& part, const std::vector<std::string_view>& lines,
                          size_t at, std::string_view text) {
  const size_t second = std::min(text.size(), text.find('(', 1));
  if (any_lettered(text.substr(second)) && line_count(text.substr(second)))
    return bad_record("shares its line with another letter");
  if (const auto count = whole_line_count(text)) return *count;
  if (line_count(text) || !plainly_zero(text)) return bad_record("has no count");
  // Its errors may stand below it.
  const bool ends = at + 1 == lines.size();
  const bool left = ends ? behind_colon(text)->empty() && !strip_blanks(part.outside).empty()
                         : !looks_lettered(lines[at + 1]);
  if (left) return bad_record("has no count, but text below it");
  return 0;
}

/// The rest of a section that begins with "No": nothing but lettered lines may follow.
bool only_none(const std::vector<std::string_view>& lines) {
  return !lines.empty() && says_none(lines.front()) &&
         std::all_of(lines.begin() + 1, lines.end(), looks_lettered);
}

/// Counts of the lettered lines of one section.
Result<ErrorCounts> read_lines(const ErrorSection& part, const char* name) {
  const std::vector<std::string_view> lines = text_lines(part.own);
  const char first = error_lines(part.own, 'a').empty() ? '1' : 'a';
  ErrorCounts counts{};
  std::array<bool, 6> seen{};
  for (size_t i = 0; i < lines.size(); ++i) {
    const auto found = error_lines(lines[i], first);
    if (found.empty()) {
      if (looks_lettered(lines[i]))
        return bad_record(fmt::format("section [{}]: a lettered line of another form", name));
      continue;
    }
    const ErrorLine& line = found.front();
    const std::string label(line.text.substr(0, 3));
    const Result<int64_t> count = read_line(part, lines, i, line.text);
    if (!count)
      return bad_record(fmt::format("section [{}]: {} {}", name, label, count.error().reason));
    if (seen[line.type]) return bad_record(fmt::format("section [{}]: {} twice", name, label));
    seen[line.type] = true;
    counts[line.type] = *count;
  }
  return counts;
}

Result<ErrorCounts> read_errors(std::string_view answer, const char* name) {
  const auto part = error_section(answer, name);
  if (!part) return bad_record(fmt::format("no section [{}]", name));
  const bool no = part->own.starts_with("No");
  if (error_lines(part->own).empty() && !(no && only_none(text_lines(part->own))))
    return bad_record(fmt::format("section [{}] holds no count and does not say 'No'", name));
  if (any_lettered(part->outside))
    return bad_record(fmt::format("section [{}] goes on after a blank line", name));
  if (any_lettered(part->swallowed))
    return bad_record(fmt::format("section [{}] has no blank line at its end", name));
  Result<ErrorCounts> counts = read_lines(*part, name);
  if (counts && no && (total(*counts) > 0 || !only_none(text_lines(part->own))))
    return bad_record(fmt::format("section [{}] says 'No' and lists errors", name));
  return counts;
}

Result<int64_t> read_matched(std::string_view answer) {
  const auto body = section(answer, kMatched);
  if (!body) return bad_record(fmt::format("no section [{}]", kMatched));
  if (const auto count = whole_count(*body)) return *count;
  if (body->starts_with("No") && says_none(body->substr(0, body->find('\n')))) return 0;
  return bad_record(fmt::format("section [{}] does not begin with a count", kMatched));
}

size_t occurrences(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

/// Whether the answer is one answer. \returns why not, or ""
std::string not_one_answer(std::string_view answer) {
  for (const char* name : {kSignificant, kInsignificant, kMatched}) {
    if (occurrences(answer, fmt::format("[{}]", name)) > 1)
      return fmt::format("section [{}] more than once", name);
  }
  return "";
}

/// Whether all that counts was said before an answer was cut off: the errors, then a count of
/// matches, whose end is seen.
bool whole_although_cut(std::string_view answer) {
  const auto errors = section(answer, kSignificant);
  const auto matched = section(answer, kMatched);
  if (!errors || !matched || matched->data() < errors->data()) return false;
  const size_t point = matched->find('.');
  return point != std::string_view::npos && point + 1 < matched->size();
}

void erase_all(std::string& text, std::string_view part) {
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at))
    text.erase(at, part.size());
}

}  // namespace

int64_t total(const ErrorCounts& counts) {
  return std::accumulate(counts.begin(), counts.end(), int64_t{0});
}

double green_score(const GreenCounts& counts) {
  if (counts.matched == 0) return 0;
  const auto matched = static_cast<double>(counts.matched);
  double errors = 0;
  for (const int64_t count : counts.significant) errors += static_cast<double>(count);
  return matched / (matched + errors);
}

std::string without_thinking(std::string_view reply) {
  constexpr std::string_view kOpen = "<think>";
  constexpr std::string_view kClose = "</think>";
  std::string text(reply);
  for (size_t open = text.find(kOpen); open != std::string::npos; open = text.find(kOpen, open)) {
    const size_t close = text.find(kClose, open);
    text.erase(open, close == std::string::npos ? close : close + kClose.size() - open);
  }
  const size_t close = text.rfind(kClose);  // the chat template may have opened it
  if (close != std::string::npos) text.erase(0, close + kClose.size());
  return text;
}

std::string green_answer(std::string_view whole_reply) {
  const std::string spoken = without_thinking(whole_reply);
  std::string_view reply = spoken;
  for (const std::string_view mark : {"<|assistant|>", "[Explanation]:"}) {
    const size_t at = reply.rfind(mark);
    if (at != std::string_view::npos) reply.remove_prefix(at + mark.size());
  }
  std::string answer(reply);
  for (const char* mark : {"</s>", "<unk>"}) erase_all(answer, mark);
  return answer;
}

GreenCounts green_counts_upstream(std::string_view answer) {
  GreenCounts counts;
  counts.significant = errors_upstream(answer, kSignificant);
  counts.insignificant = errors_upstream(answer, kInsignificant);
  const auto matched = section(answer, kMatched);
  if (matched) counts.matched = count_before_point(*matched).value_or(0);
  return counts;
}

Result<GreenCounts> green_counts(std::string_view answer, bool cut) {
  if (const std::string why = not_one_answer(answer); !why.empty()) return bad_record(why);
  GreenCounts counts;
  const Result<ErrorCounts> significant = read_errors(answer, kSignificant);
  if (!significant) return tl::unexpected(significant.error());
  counts.significant = *significant;
  if (const Result<ErrorCounts> insignificant = read_errors(answer, kInsignificant))
    counts.insignificant = *insignificant;
  const Result<int64_t> matched = read_matched(answer);
  if (!matched) return tl::unexpected(matched.error());
  counts.matched = *matched;
  if (cut && !whole_although_cut(answer)) return bad_record("the answer is cut off");
  for (const int64_t count : counts.significant) {
    if (count >= 1000) return bad_record("a count of a thousand or more");
  }
  if (counts.matched >= 1000) return bad_record("a count of a thousand or more");
  return counts;
}

}  // namespace unirg::metrics
