// SPDX-License-Identifier: Apache-2.0
#include "policy/baseline.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "base/error.h"
#include "base/rng.h"

namespace unirg::policy {
namespace {

bool is_there(const std::optional<std::string>& section) {
  return section && !text::collapse_space(*section).empty();
}

double dot(const Embedding& a, const Embedding& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i)
    sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

}  // namespace

const std::vector<std::string>& baseline_names() {
  static const std::vector<std::string> names{"copy-prior", "most-frequent", "nearest", "random"};
  return names;
}

std::string_view baseline_name(BaselineKind kind) {
  return baseline_names()[static_cast<size_t>(kind)];
}

BaselineKind baseline_kind(const std::string& name) {
  const auto& names = baseline_names();
  const auto at = std::find(names.begin(), names.end(), name);
  if (at == names.end())
    throw Error(Exit::usage, fmt::format("bad value '{}' for 'baseline': expected one of {}", name,
                                         fmt::join(names, ", ")));
  return static_cast<BaselineKind>(at - names.begin());
}

WantedSections wanted_sections(const data::Study& study, const PromptOptions& options) {
  const WantedSections target{options.target != "impression", options.target != "findings"};
  const WantedSections present{target.findings && is_there(study.findings),
                               target.impression && is_there(study.impression)};
  return present.findings || present.impression ? present : target;
}

text::Report report_of(const data::Study& study, const WantedSections& wanted) {
  text::Report report;
  if (wanted.findings && is_there(study.findings))
    report.findings = text::collapse_space(*study.findings);
  if (wanted.impression && is_there(study.impression))
    report.impression = text::collapse_space(*study.impression);
  return report;
}

ReportPool::ReportPool(std::vector<const data::Study*> training, std::string split)
    : studies_(std::move(training)), split_(std::move(split)) {
  std::erase_if(studies_, [](const data::Study* study) {
    return !is_there(study->findings) && !is_there(study->impression);
  });
  if (studies_.empty())
    throw Error(Exit::data, fmt::format("no study of split '{}' has a report to take (hint: "
                                        "--baseline-from names another split)",
                                        split_));
  for (size_t i = 0; i < studies_.size(); ++i) places_.emplace(studies_[i]->study_id, i);
}

std::optional<size_t> ReportPool::place_of(const std::string& study_id) const {
  const auto at = places_.find(study_id);
  return at == places_.end() ? std::nullopt : std::optional(at->second);
}

const std::vector<size_t>& ReportPool::candidates(const WantedSections& wanted) {
  const auto [entry, is_new] = candidates_.try_emplace(wanted);
  if (!is_new) return entry->second;
  std::vector<size_t> any;
  for (size_t i = 0; i < studies_.size(); ++i) {
    const text::Report report = report_of(*studies_[i], wanted);
    if (report.findings || report.impression) any.push_back(i);
    if (report.findings.has_value() == wanted.findings &&
        report.impression.has_value() == wanted.impression)
      entry->second.push_back(i);
  }
  if (entry->second.empty()) entry->second = std::move(any);
  return entry->second;
}

void ReportPool::fail_for(const data::Study& study) const {
  throw Error(Exit::data, fmt::format("study '{}': no other study of split '{}' has a report with "
                                      "the sections it is asked for (hint: --target, "
                                      "--baseline-from)",
                                      study.study_id, split_));
}

ChosenReport ReportPool::take(size_t index, const WantedSections& wanted, BaselineKind by) const {
  return {report_of(*studies_[index], wanted), studies_[index]->study_id, by};
}

ChosenReport ReportPool::most_frequent(const WantedSections& wanted) {
  const auto [entry, is_new] = most_frequent_.try_emplace(wanted, size_t{0});
  if (!is_new) return take(entry->second, wanted, BaselineKind::most_frequent);
  std::unordered_map<std::string, int64_t> times;
  const std::vector<size_t>& all = candidates(wanted);
  int64_t most = 0;
  for (const size_t i : all)
    most = std::max(most, ++times[text::format_report(report_of(*studies_[i], wanted))]);
  const auto first = std::find_if(all.begin(), all.end(), [&](size_t i) {
    return times[text::format_report(report_of(*studies_[i], wanted))] == most;
  });
  if (first == all.end())
    throw Error(Exit::data, fmt::format("no report of split '{}' has the sections that are asked "
                                        "for (hint: --target, --baseline-from)",
                                        split_));
  entry->second = *first;
  return take(*first, wanted, BaselineKind::most_frequent);
}

ChosenReport ReportPool::random(const data::Study& study, const WantedSections& wanted,
                                uint64_t seed) {
  const std::vector<size_t>& all = candidates(wanted);
  const auto place = place_of(study.study_id);
  const auto own = place ? std::lower_bound(all.begin(), all.end(), *place) : all.end();
  const bool is_one = own != all.end() && *own == *place;
  const size_t others = all.size() - (is_one ? 1 : 0);
  if (others == 0) fail_for(study);
  auto drawn = static_cast<size_t>(Rng(seed, "baseline", study.study_id).below(others));
  if (is_one && drawn >= static_cast<size_t>(own - all.begin())) ++drawn;
  return take(all[drawn], wanted, BaselineKind::random);
}

ChosenReport copy_prior(const data::Study* prior, const WantedSections& wanted, ReportPool& pool) {
  if (prior) {
    const text::Report report = report_of(*prior, wanted);
    if (report.findings || report.impression)
      return {report, prior->study_id, BaselineKind::copy_prior};
  }
  return pool.most_frequent(wanted);
}

Embedding unit(Embedding embedding) {
  const double length = std::sqrt(dot(embedding, embedding));
  if (length == 0) return embedding;
  for (float& value : embedding) value = static_cast<float>(static_cast<double>(value) / length);
  return embedding;
}

std::optional<Neighbour> nearest_of(const Embedding& query, const std::vector<Embedding>& bank,
                                    const std::vector<size_t>& candidates,
                                    std::optional<size_t> except) {
  std::optional<Neighbour> best;
  if (query.empty()) return best;
  for (const size_t i : candidates) {
    if (bank[i].empty() || i == except) continue;
    const double similarity = dot(query, bank[i]);
    if (!best || similarity > best->similarity) best = Neighbour{i, similarity};
  }
  return best;
}

}  // namespace unirg::policy
