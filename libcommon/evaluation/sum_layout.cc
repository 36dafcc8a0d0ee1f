// SPDX-License-Identifier: Apache-2.0
#include "evaluation/sum_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"

namespace unirg::evaluation {

SumLayout::SumLayout(const Score& example) : labelled_(example.labelled) {
  for (const auto& [name, value] : example.metrics) names_.push_back(name);
  conditions_ = 2 * names_.size();
  for (const auto& [statistic, values] : example.sums) {
    for (const CorpusMetric& metric : corpus_metrics()) {
      if (metric.statistic != statistic) continue;
      if (metric.length != values.size())
        throw Error(Exit::data,
                    fmt::format("score of study '{}': sums.{} has {} numbers, not {}",
                                example.study_id, statistic, values.size(), metric.length));
      corpus_.emplace_back(&metric, conditions_);
    }
    statistics_.emplace_back(statistic, values.size());
    conditions_ += values.size();
  }
}

void SumLayout::check(const Score& score) const {
  const bool same =
      score.labelled == labelled_ &&
      std::equal(names_.begin(), names_.end(), score.metrics.begin(), score.metrics.end(),
                 [](const auto& name, const auto& m) { return name == m.first; }) &&
      std::equal(statistics_.begin(), statistics_.end(), score.sums.begin(), score.sums.end(),
                 [](const auto& known, const auto& s) {
                   return known.first == s.first && known.second == s.second.size();
                 });
  if (!same)
    throw Error(Exit::data, fmt::format("score of study '{}' has other metrics than the first",
                                        score.study_id));
}

SumVector SumLayout::sums(const Score& score, const scoring::NamedValues& all) const {
  SumVector v;
  v.reserve(size());
  for (const auto& [name, value] : all) {
    v.push_back(value.value_or(0));
    v.push_back(value ? 1 : 0);
  }
  for (const auto& [statistic, values] : score.sums)
    v.insert(v.end(), values.begin(), values.end());
  if (!labelled_) return v;
  const std::set<std::string> called(score.called.begin(), score.called.end());
  const std::set<std::string> present(score.present.begin(), score.present.end());
  for (size_t c = 0; c < kScored; ++c) {
    const std::string name(text::kConditions[c]);
    v.push_back(called.contains(name) && present.contains(name));
    v.push_back(called.contains(name) && !present.contains(name));
    v.push_back(!called.contains(name) && present.contains(name));
  }
  return v;
}

metrics::ConditionCounts SumLayout::counts(const SumVector& sums) const {
  metrics::ConditionCounts counts{};
  for (size_t c = 0; labelled_ && c < kScored; ++c) {
    const double* v = sums.data() + conditions_ + 3 * c;
    counts[c] = {static_cast<int64_t>(v[0]), static_cast<int64_t>(v[1]),
                 static_cast<int64_t>(v[2])};
  }
  return counts;
}

std::vector<std::string> SumLayout::statistic_names() const {
  std::vector<std::string> names = names_;
  for (const auto& [metric, offset] : corpus_) names.push_back(metric->info.name);
  if (!labelled_) return names;
  for (const scoring::MetricInfo& metric : condition_metrics()) names.push_back(metric.name);
  return names;
}

std::vector<double> SumLayout::statistics(const SumVector& sums) const {
  std::vector<double> values;
  for (size_t m = 0; m < names_.size(); ++m)
    values.push_back(sums[2 * m] / sums[2 * m + 1]);  // 0 / 0, no value at all, is NaN
  for (const auto& [metric, offset] : corpus_)
    values.push_back(metric->value(sums.data() + offset));
  if (!labelled_) return values;
  const metrics::ConditionCounts all = counts(sums);
  values.push_back(metrics::micro_f1(all));
  values.push_back(metrics::macro_f1(all));
  metrics::Counts sum;
  for (const metrics::Counts& c : all) sum += c;
  const auto present = static_cast<double>(sum.tp + sum.fn);
  values.push_back(present > 0 ? static_cast<double>(sum.tp + sum.fp) / present : 0);
  return values;
}

std::map<std::string, int64_t> SumLayout::valued(const SumVector& sums, int64_t reports) const {
  std::map<std::string, int64_t> valued;
  for (const std::string& name : statistic_names()) valued[name] = reports;
  for (size_t m = 0; m < names_.size(); ++m)
    valued[names_[m]] = static_cast<int64_t>(sums[2 * m + 1]);
  for (const auto& [metric, offset] : corpus_) {
    if (metric->reports_at)
      valued[metric->info.name] = static_cast<int64_t>(sums[offset + *metric->reports_at]);
  }
  return valued;
}

}  // namespace unirg::evaluation
