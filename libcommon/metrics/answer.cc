// SPDX-License-Identifier: Apache-2.0
#include "metrics/answer.h"

#include <algorithm>
#include <string>

#include "text/words.h"

namespace unirg::metrics {
namespace {

constexpr std::array<std::string_view, 4> kTags{"<think>", "</think>", "<answer>", "</answer>"};

std::string_view trim(std::string_view text) {
  while (!text.empty() && text::is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && text::is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool blank(std::string_view text) { return trim(text).empty(); }

/// Lower case, white space runs as one blank.
std::string folded(std::string_view text) {
  std::string all;
  for (const char c : trim(text)) {
    if (!text::is_space(c)) {
      all += text::lower(c);
    } else if (all.back() != ' ') {
      all += ' ';
    }
  }
  return all;
}

/// Without a list mark in front and a full stop behind.
std::string_view bare_item(std::string_view item) {
  item = trim(item);
  size_t digits = 0;
  while (digits < item.size() && text::is_digit(item[digits])) ++digits;
  if (digits > 0 && digits < item.size() && (item[digits] == '.' || item[digits] == ')')) {
    item.remove_prefix(digits + 1);
  } else if (!item.empty() && (item.front() == '-' || item.front() == '*')) {
    item.remove_prefix(1);
  }
  if (!item.empty() && item.back() == '.') item.remove_suffix(1);
  return trim(item);
}

std::optional<size_t> condition_of(std::string_view name) {
  const std::string wanted = folded(name);
  for (size_t c = 0; c < text::kConditions.size(); ++c) {
    if (folded(text::kConditions[c]) == wanted) return c;
  }
  return std::nullopt;
}

std::optional<int> value_of(std::string_view word) {
  const std::string value = folded(word);
  if (value == "present") return 1;
  if (value == "absent") return 0;
  if (value == "uncertain") return -1;
  return std::nullopt;
}

void read_item(std::string_view item, AnswerLabels& into) {
  ++into.items;
  const size_t colon = item.find(':');
  const auto condition = condition_of(item.substr(0, colon));
  const auto value =
      colon == std::string_view::npos ? std::optional<int>(1) : value_of(item.substr(colon + 1));
  if (!condition || !value || into.labels[*condition].value_or(*value) != *value) {
    ++into.unreadable;
    return;
  }
  into.labels[*condition] = value;
}

double f1_with(const AnswerLabels& answer, const ConditionSet& other, bool uncertain_is_positive) {
  if (answer.items == answer.unreadable) return 0;
  Counts sum;
  for (const Counts& c : count_conditions(called_conditions(answer, uncertain_is_positive), other))
    sum += c;
  sum.fp += answer.unreadable;
  return sum.tp + sum.fp + sum.fn == 0 ? 1 : sum.f1();
}

}  // namespace

std::optional<ThinkAnswer> parse_think_answer(std::string_view reply) {
  std::array<size_t, kTags.size()> at{};
  for (size_t i = 0; i < kTags.size(); ++i) {
    at[i] = reply.find(kTags[i]);
    if (at[i] == std::string_view::npos || reply.rfind(kTags[i]) != at[i]) return std::nullopt;
    if (i > 0 && at[i] < at[i - 1]) return std::nullopt;
  }
  const auto between = [&](size_t open, size_t close) {  // from behind tag `open` to tag `close`
    const size_t begin = at[open] + kTags[open].size();
    return reply.substr(begin, at[close] - begin);
  };
  const auto rest = reply.substr(at[3] + kTags[3].size());
  if (!blank(reply.substr(0, at[0])) || !blank(between(1, 2)) || !blank(rest)) return std::nullopt;
  return ThinkAnswer{between(0, 1), between(2, 3)};
}

double answer_format(std::string_view reply) { return parse_think_answer(reply) ? 1 : 0; }

AnswerLabels parse_answer(std::string_view answer) {
  AnswerLabels read;
  while (!answer.empty()) {
    const size_t end = std::min(answer.find_first_of(",;\n"), answer.size());
    const std::string_view item = bare_item(answer.substr(0, end));
    if (!item.empty()) read_item(item, read);
    answer.remove_prefix(std::min(end + 1, answer.size()));
  }
  return read;
}

ConditionSet called_conditions(const AnswerLabels& answer, bool uncertain_is_positive) {
  ConditionSet called = called_conditions(answer.labels, uncertain_is_positive);
  if (answer.labels[text::kNoFinding] || answer.items == answer.unreadable) return called;
  const auto found = [&](size_t c) { return answer.labels[c].value_or(0) != 0; };
  bool any = false;
  for (size_t c = 0; c < text::kSupportDevices; ++c) any = any || found(c);
  called[text::kNoFinding] = !any;
  return called;
}

double answer_label_f1(const AnswerLabels& answer, const ConditionSet& reference,
                       bool uncertain_is_positive) {
  return f1_with(answer, reference, uncertain_is_positive);
}

double answer_consistency(const AnswerLabels& answer, const text::Labels& narrative,
                          bool uncertain_is_positive) {
  return f1_with(answer, called_conditions(narrative, uncertain_is_positive),
                 uncertain_is_positive);
}

}  // namespace unirg::metrics
