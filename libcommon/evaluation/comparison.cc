// SPDX-License-Identifier: Apache-2.0
#include "evaluation/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "evaluation/corpus_metrics.h"

namespace unirg::evaluation {
namespace {

constexpr size_t kLabels = text::kNoFinding;  // No Finding is left out of corpus F1

/// Where a report's numbers stand in its sums: [value and 1 of each metric (0 and 0 where it has no
/// value), the statistics of corpus metrics, tp fp fn of each condition].
class Layout {
 public:
  explicit Layout(const Score& example);
  [[nodiscard]] size_t size() const { return conditions_ + (labelled_ ? 3 * kLabels : 0); }
  [[nodiscard]] bool labelled() const { return labelled_; }
  [[nodiscard]] SumVector sums(const Score& score) const;
  [[nodiscard]] std::vector<double> statistics(const SumVector& sums) const;
  [[nodiscard]] metrics::ConditionCounts counts(const SumVector& sums) const;
  [[nodiscard]] std::vector<std::string> statistic_names() const;
  /// Reports with a value of each metric; those of corpus metrics are all reports.
  [[nodiscard]] std::map<std::string, int64_t> valued(const SumVector& sums) const;

 private:
  void check(const Score& score) const;

  std::vector<std::string> names_;
  std::vector<std::pair<std::string, size_t>> statistics_;      ///< name and length, in file order
  std::vector<std::pair<const CorpusMetric*, size_t>> corpus_;  ///< and where its sums begin
  bool labelled_;
  size_t conditions_;  ///< where the conditions' counts begin
};

Layout::Layout(const Score& example) : labelled_(example.labelled) {
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

void Layout::check(const Score& score) const {
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

SumVector Layout::sums(const Score& score) const {
  check(score);
  SumVector v;
  v.reserve(size());
  for (const auto& [name, value] : score.metrics) {
    v.push_back(value.value_or(0));
    v.push_back(value ? 1 : 0);
  }
  for (const auto& [statistic, values] : score.sums)
    v.insert(v.end(), values.begin(), values.end());
  if (!labelled_) return v;
  const std::set<std::string> called(score.called.begin(), score.called.end());
  const std::set<std::string> present(score.present.begin(), score.present.end());
  for (size_t c = 0; c < kLabels; ++c) {
    const std::string name(text::kConditions[c]);
    v.push_back(called.contains(name) && present.contains(name));
    v.push_back(called.contains(name) && !present.contains(name));
    v.push_back(!called.contains(name) && present.contains(name));
  }
  return v;
}

metrics::ConditionCounts Layout::counts(const SumVector& sums) const {
  metrics::ConditionCounts counts{};
  for (size_t c = 0; labelled_ && c < kLabels; ++c) {
    const double* v = sums.data() + conditions_ + 3 * c;
    counts[c] = {static_cast<int64_t>(v[0]), static_cast<int64_t>(v[1]),
                 static_cast<int64_t>(v[2])};
  }
  return counts;
}

std::vector<std::string> Layout::statistic_names() const {
  std::vector<std::string> names = names_;
  for (const auto& [metric, offset] : corpus_) names.push_back(metric->info.name);
  if (labelled_) names.insert(names.end(), {"micro-f1", "macro-f1", "call-rate"});
  return names;
}

std::vector<double> Layout::statistics(const SumVector& sums) const {
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

std::map<std::string, int64_t> Layout::valued(const SumVector& sums) const {
  std::map<std::string, int64_t> valued;
  for (size_t m = 0; m < names_.size(); ++m)
    valued[names_[m]] = static_cast<int64_t>(sums[2 * m + 1]);
  return valued;
}

template <typename T>
void remember(std::vector<T>& seen, const T& value) {
  if (std::find(seen.begin(), seen.end(), value) == seen.end()) seen.push_back(value);
}

std::vector<Score> with_composite(std::vector<Score> scores,
                                  const scoring::Composition& composition) {
  if (composition.terms.empty()) return scores;
  for (Score& score : scores) {
    const auto value = scoring::compose(composition, score.metrics);
    score.metrics.insert(score.metrics.begin(), {"composite", value});
  }
  return scores;
}

using ReportKey = std::pair<std::string, std::string>;  ///< seed, study

/// The scores of one split, by system.
struct SplitScores {
  std::map<std::string, std::map<ReportKey, const Score*>> systems;
};

void check_same_reports(const SplitScores& split, const std::string& name) {
  const auto& [first_name, first] = *split.systems.begin();
  for (const auto& [system, reports] : split.systems) {
    const bool same = reports.size() == first.size() &&
                      std::equal(reports.begin(), reports.end(), first.begin(),
                                 [](const auto& a, const auto& b) { return a.first == b.first; });
    if (!same) {
      throw Error(Exit::data, fmt::format("split '{}': systems '{}' ({} reports) and '{}' ({}) "
                                          "were not scored on the same studies",
                                          name, first_name, first.size(), system, reports.size()));
    }
  }
}

/// Sums of each patient, the same order for every system. Runs of several seeds may share a test
/// set: a patient is one cluster whatever the number of runs.
std::vector<SumVector> cluster_sums(const std::map<ReportKey, const Score*>& reports,
                                    const Layout& layout) {
  std::map<std::string, SumVector> clusters;
  for (const auto& [key, score] : reports) {
    SumVector& sum = clusters[score->patient_id];
    if (sum.empty()) sum.resize(layout.size());
    const SumVector own = layout.sums(*score);
    for (size_t i = 0; i < own.size(); ++i) sum[i] += own[i];
  }
  std::vector<SumVector> ordered;
  for (auto& [patient, sum] : clusters) ordered.push_back(std::move(sum));
  return ordered;
}

void compare_split(const SplitScores& split, const std::string& name, const Layout& layout,
                   const ComparisonOptions& options, Comparison& out) {
  check_same_reports(split, name);
  std::vector<std::string> systems;
  std::vector<std::vector<SumVector>> clusters;
  for (const auto& [system, reports] : split.systems) {
    systems.push_back(system);
    clusters.push_back(cluster_sums(reports, layout));
  }
  const Bootstrap result = bootstrap(
      clusters, [&](const SumVector& sums) { return layout.statistics(sums); }, options.resamples,
      options.seed);
  const std::vector<std::string> names = layout.statistic_names();
  for (size_t s = 0; s < systems.size(); ++s) {
    SystemResult& r = out.results[{systems[s], name}];
    SumVector total(layout.size());
    for (const SumVector& cluster : clusters[s]) {
      for (size_t i = 0; i < total.size(); ++i) total[i] += cluster[i];
    }
    r.conditions = layout.counts(total);
    r.valued = layout.valued(total);
    r.labelled = layout.labelled();
    r.reports = static_cast<int64_t>(split.systems.at(systems[s]).size());
    for (size_t k = 0; k < names.size(); ++k)
      r.metrics.emplace_back(names[k], result.systems[s][k]);
  }
  for (const auto& [a, b] : options.pairs) {
    const auto ia = std::find(systems.begin(), systems.end(), a);
    const auto ib = std::find(systems.begin(), systems.end(), b);
    if (ia == systems.end() || ib == systems.end()) continue;
    Comparison::Pair pair{a, b, name, {}, static_cast<int64_t>(split.systems.at(a).size())};
    for (size_t k = 0; k < names.size(); ++k) {
      pair.metrics.emplace_back(names[k],
                                paired_difference(result, static_cast<size_t>(ia - systems.begin()),
                                                  static_cast<size_t>(ib - systems.begin()), k));
    }
    out.pairs.push_back(std::move(pair));
  }
}

void site_means(const std::vector<Score>& scores, const Layout& layout, Comparison& out) {
  std::map<std::pair<std::string, std::string>, SumVector> sums;
  for (const Score& score : scores) {
    SumVector& sum = sums[{score.system, score.split + "/" + score.site}];
    if (sum.empty()) sum.resize(layout.size());
    const SumVector own = layout.sums(score);
    for (size_t i = 0; i < own.size(); ++i) sum[i] += own[i];
  }
  const std::vector<std::string> names = layout.statistic_names();
  for (const auto& [key, sum] : sums) {
    const std::vector<double> values = layout.statistics(sum);
    for (size_t k = 0; k < names.size(); ++k)
      out.by_site[key][names[k]] = {values[k], values[k], values[k]};
  }
}

}  // namespace

Comparison compare(const std::vector<Score>& given, const ComparisonOptions& options) {
  if (given.empty()) throw Error(Exit::data, "no scores to compare");
  const std::vector<Score> scores = with_composite(given, options.composite);
  const Layout layout(scores.front());
  Comparison out;
  std::map<std::string, SplitScores> splits;
  for (const Score& score : scores) {
    remember(out.systems, score.system);
    remember(out.splits, score.split);
    remember(out.seeds, score.seed);
    out.sites[score.split].insert(score.site);
    const bool is_new = splits[score.split]
                            .systems[score.system]
                            .emplace(ReportKey{score.seed, score.study_id}, &score)
                            .second;
    if (!is_new)
      throw Error(Exit::data, fmt::format("study '{}' stands twice for system '{}', seed '{}'",
                                          score.study_id, score.system, score.seed));
  }
  for (const std::string& split : out.splits)
    compare_split(splits.at(split), split, layout, options, out);
  for (const auto& [a, b] : options.pairs) {
    for (const std::string& name : {a, b}) {
      if (std::find(out.systems.begin(), out.systems.end(), name) == out.systems.end())
        throw Error(Exit::config,
                    fmt::format("pair '{}-{}': no scores of system '{}'", a, b, name));
    }
  }
  site_means(scores, layout, out);
  return out;
}

bool has_intervals(const Comparison& c) {
  return std::any_of(c.results.begin(), c.results.end(), [](const auto& entry) {
    const auto& metrics = entry.second.metrics;
    return std::any_of(metrics.begin(), metrics.end(),
                       [](const auto& m) { return m.second.lo < m.second.hi; });
  });
}

}  // namespace unirg::evaluation
