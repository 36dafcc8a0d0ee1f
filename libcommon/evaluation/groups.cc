// SPDX-License-Identifier: Apache-2.0
#include "evaluation/groups.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "base/error.h"

namespace unirg::evaluation {
namespace {

constexpr const char* kUnknown = "unknown";
constexpr double kOld = 60;             // years: Fig. of subgroups in the paper
constexpr int64_t kManyEncounters = 5;  // the paper's last bucket

std::string known(const std::string& value) { return value.empty() ? kUnknown : value; }

std::string half_of_age(const Score& score) {
  if (!score.age) return kUnknown;
  return *score.age < kOld ? "<60" : "60+";
}

std::string decade(const Score& score) {
  if (!score.age) return kUnknown;
  const auto first = 10 * static_cast<int>(std::floor(*score.age / 10));
  return fmt::format("{:02}-{:02}", first, first + 9);
}

std::string encounter(const Score& score) {
  return score.encounter < kManyEncounters ? fmt::format("{}", score.encounter)
                                           : fmt::format("{}+", kManyEncounters);
}

std::string white(const Score& score) {
  if (!score.race) return kUnknown;
  return *score.race == "White" ? "White" : "other";
}

using Label = std::function<std::string(const Score&)>;

const std::vector<std::pair<std::string, Label>>& labels() {
  static const std::vector<std::pair<std::string, Label>> all{
      {"site", [](const Score& s) { return known(s.site); }},
      {"sex", [](const Score& s) { return known(s.sex.value_or("")); }},
      {"race", [](const Score& s) { return known(s.race.value_or("")); }},
      {"white", white},
      {"age", half_of_age},
      {"decade", decade},
      {"encounter", encounter},
      {"prior", [](const Score& s) { return std::string(s.encounter > 1 ? "follow-up" : "none"); }},
      {"temporal", [](const Score& s) { return known(s.temporal); }}};
  return all;
}

std::string one_label(const Score& score, const std::string& variable) {
  for (const auto& [name, label] : labels()) {
    if (name == variable) return label(score);
  }
  throw Error(Exit::config, fmt::format("reports cannot be grouped by '{}' (hint: {})", variable,
                                        fmt::join(group_variables(), ", ")));
}

}  // namespace

const std::vector<std::string>& group_variables() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [name, label] : labels()) all.push_back(name);
    return all;
  }();
  return names;
}

std::string group_of(const Score& score, const std::string& by) {
  std::string group;
  for (size_t begin = 0; begin <= by.size();) {
    const size_t end = std::min(by.find(':', begin), by.size());
    if (begin > 0) group += ", ";
    group += one_label(score, by.substr(begin, end - begin));
    begin = end + 1;
  }
  return group;
}

GroupFilter parse_group_filter(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
    throw Error(Exit::usage, fmt::format("bad value '{}' for 'only': expected NAME=GROUP", text));
  GroupFilter filter{text.substr(0, equals), text.substr(equals + 1)};
  group_of({}, filter.by);  // a name there is
  return filter;
}

std::vector<Score> only_groups(std::vector<Score> scores, const std::vector<GroupFilter>& filters) {
  for (const GroupFilter& filter : filters) {
    std::erase_if(scores, [&](const Score& s) { return group_of(s, filter.by) != filter.group; });
    if (scores.empty())
      throw Error(Exit::data, fmt::format("no score of the group {}={}", filter.by, filter.group));
  }
  return scores;
}

bool group_before(const std::string& a, const std::string& b) {
  const auto key = [](const std::string& label) {
    return std::pair(label.find(kUnknown) != std::string::npos, label);
  };
  return key(a) < key(b);
}

}  // namespace unirg::evaluation
