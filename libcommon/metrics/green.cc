// SPDX-License-Identifier: Apache-2.0
#include "metrics/green.h"

#include <fmt/format.h>

#include <algorithm>
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

/// "No", "None", "no matched findings": the word, not a longer one such as "Nodule".
bool says_none(std::string_view text) {
  std::string word;
  for (const char c : text) {
    if (!text::is_letter(c)) break;
    word += text::lower(c);
  }
  return word == "no" || word == "none";
}

/// A line whose count is 0 without being written as ": 0.".
bool plainly_zero(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view rest = strip_blanks(line.substr(colon + 1));
  return rest.empty() || rest == "0" || rest == "-" || rest == "n/a" || rest == "N/A" ||
         says_none(rest);
}

Result<ErrorCounts> read_errors(std::string_view answer, const char* name) {
  const auto body = section(answer, name);
  if (!body) return bad_record(fmt::format("no section [{}]", name));
  const std::vector<ErrorLine> lines = error_lines(*body);
  const bool none = body->starts_with("No") && says_none(*body);
  if (lines.empty() && !none)
    return bad_record(fmt::format("section [{}] holds no count and does not say 'No'", name));
  ErrorCounts counts{};
  std::array<bool, 6> seen{};
  for (const ErrorLine& line : lines) {
    const std::string label(line.text.substr(0, 3));
    const auto count = line_count(line.text);
    if (!count && !plainly_zero(line.text))
      return bad_record(fmt::format("section [{}]: {} has no count", name, label));
    if (seen[line.type]) return bad_record(fmt::format("section [{}]: {} twice", name, label));
    seen[line.type] = true;
    counts[line.type] = count.value_or(0);
  }
  if (body->starts_with("No") && total(counts) > 0)
    return bad_record(fmt::format("section [{}] says 'No' and lists errors", name));
  return counts;
}

Result<int64_t> read_matched(std::string_view answer) {
  const auto body = section(answer, kMatched);
  if (!body) return bad_record(fmt::format("no section [{}]", kMatched));
  if (const auto count = count_before_point(*body)) return *count;
  if (body->starts_with("No") && says_none(*body)) return 0;
  return bad_record(fmt::format("section [{}] does not begin with a count", kMatched));
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

std::string green_answer(std::string_view reply) {
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

Result<GreenCounts> green_counts(std::string_view answer) {
  GreenCounts counts;
  const Result<ErrorCounts> significant = read_errors(answer, kSignificant);
  if (!significant) return tl::unexpected(significant.error());
  counts.significant = *significant;
  if (const Result<ErrorCounts> insignificant = read_errors(answer, kInsignificant))
    counts.insignificant = *insignificant;
  const Result<int64_t> matched = read_matched(answer);
  if (!matched) return tl::unexpected(matched.error());
  counts.matched = *matched;
  for (const int64_t count : counts.significant) {
    if (count >= 1000) return bad_record("a count of a thousand or more");
  }
  if (counts.matched >= 1000) return bad_record("a count of a thousand or more");
  return counts;
}

}  // namespace unirg::metrics
