// SPDX-License-Identifier: Apache-2.0
#include "metrics/chexprompt.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "metrics/reply_text.h"

namespace unirg::metrics {
namespace {

constexpr std::string_view kSignificant = "Number of clinically significant errors by type:";
constexpr std::string_view kInsignificant = "Number of clinically insignificant errors by type:";

std::vector<std::string_view> split(std::string_view text, std::string_view at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t i = text.find(at);
    parts.push_back(text.substr(0, i));
    if (i == std::string_view::npos) return parts;
    text.remove_prefix(i + at.size());
  }
}

std::optional<int64_t> integer(std::string_view text) {
  text = strip_blanks(text);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string without_brackets(std::string_view text) {
  std::string out(text);
  std::erase_if(out, [](char c) { return c == '(' || c == ')' || c == '[' || c == ']'; });
  return out;
}

/// What stands behind both headings.
struct RawLines {
  std::string_view significant, insignificant;
};

RawLines raw_lines(std::string_view reply) {
  const auto lines =
      split(reply.substr(0, reply.find("Explanation")), fmt::format("\n{}", kInsignificant));
  const std::string_view significant =
      split(lines.front(), fmt::format("{} ", kSignificant)).back();
  return {strip_blanks(significant), strip_blanks(lines.back())};
}

/// Whether a line is pairs and nothing else, with every bracket closed: "[(A, 1), ...]".
bool is_whole_list(std::string_view line) {
  std::string open;
  int64_t commas = 0;
  for (const char c : line) {
    if (c == ',' && ++commas > 1) return false;  // a third field, or something between two pairs
    if (c == ')' || c == ']') {
      if (open.empty() || open.back() != c) return false;
      open.pop_back();
      commas = 0;
    } else if (c == '(' || c == '[') {
      open += c == '(' ? ')' : ']';
      commas = 0;
    }
  }
  return open.empty() && !line.empty() && (line.back() == ')' || line.back() == ']');
}

std::optional<ChexpromptPairs> read_pairs(std::string_view line) {
  ChexpromptPairs pairs;
  for (const std::string_view part : split(line, "),")) {
    const std::string pair = without_brackets(part);
    const auto fields = split(strip_blanks(pair), ",");
    const auto count = fields.size() < 2 ? std::nullopt : integer(fields[1]);
    if (!count) return std::nullopt;
    pairs.emplace_back(strip_blanks(fields[0]), *count);
  }
  return pairs;
}

Result<ErrorCounts> all_types(const std::optional<ChexpromptPairs>& pairs, std::string_view line,
                              const char* which) {
  const auto bad = [&](const std::string& why) {
    return bad_record(fmt::format("clinically {} errors: {}", which, why));
  };
  if (!pairs) return bad("not a list of (type, count)");
  if (!is_whole_list(line)) return bad("not a whole list of (type, count)");
  ErrorCounts counts{};
  std::array<bool, 6> seen{};
  for (const auto& [key, count] : *pairs) {
    if (key.size() != 1 || key[0] < 'A' || key[0] > 'F')
      return bad("a type that is none of A to F");
    const auto type = static_cast<size_t>(key[0] - 'A');
    if (seen[type]) return bad(fmt::format("type {} twice", key));
    if (count < 0 || count >= 1000) return bad(fmt::format("type {}: not a count", key));
    seen[type] = true;
    counts[type] = count;
  }
  const auto missing = std::find(seen.begin(), seen.end(), false);
  if (missing != seen.end())
    return bad(
        fmt::format("type {} is missing", static_cast<char>('A' + (missing - seen.begin()))));
  return counts;
}

}  // namespace

ChexpromptLines chexprompt_lines_upstream(std::string_view reply) {
  const auto holds = [&](std::string_view part) {
    return reply.find(part) != std::string_view::npos;
  };
  if (!holds(kSignificant) || !holds(kInsignificant)) return {};
  const RawLines raw = raw_lines(reply);
  return {read_pairs(raw.significant), read_pairs(raw.insignificant)};
}

Result<ChexpromptCounts> chexprompt_counts(std::string_view whole_reply) {
  const std::string reply = without_thinking(whole_reply);
  for (const std::string_view heading : {kSignificant, kInsignificant}) {
    const size_t times = split(reply, heading).size() - 1;
    if (times == 0) return bad_record(fmt::format("no line '{}'", heading));
    if (times > 1) return bad_record(fmt::format("line '{}' more than once", heading));
  }
  const RawLines raw = raw_lines(reply);
  const ChexpromptLines lines = chexprompt_lines_upstream(reply);
  const Result<ErrorCounts> significant =
      all_types(lines.significant, raw.significant, "significant");
  if (!significant) return tl::unexpected(significant.error());
  const Result<ErrorCounts> insignificant =
      all_types(lines.insignificant, raw.insignificant, "insignificant");
  if (!insignificant) return tl::unexpected(insignificant.error());
  return ChexpromptCounts{*significant, *insignificant};
}

}  // namespace unirg::metrics
