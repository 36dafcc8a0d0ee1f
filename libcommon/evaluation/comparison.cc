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
  /// \throws Error(Exit::data) unless the record has the metrics of the first
  void check(const Score& score) const;
  /// \param values in the place of the report's own
  [[nodiscard]] SumVector sums(const Score& score, const scoring::NamedValues& values) const;
  [[nodiscard]] std::vector<double> statistics(const SumVector& sums) const;
  [[nodiscard]] metrics::ConditionCounts counts(const SumVector& sums) const;
  [[nodiscard]] std::vector<std::string> statistic_names() const;
  /// Reports behind each metric's number. \param reports how many were summed
  [[nodiscard]] std::map<std::string, int64_t> valued(const SumVector& sums, int64_t reports) const;

 private:
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

SumVector Layout::sums(const Score& score, const scoring::NamedValues& all) const {
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
  if (!labelled_) return names;
  for (const scoring::MetricInfo& metric : condition_metrics()) names.push_back(metric.name);
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

std::map<std::string, int64_t> Layout::valued(const SumVector& sums, int64_t reports) const {
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

template <typename T>
void remember(std::vector<T>& seen, const T& value) {
  if (std::find(seen.begin(), seen.end(), value) == seen.end()) seen.push_back(value);
}

/// Puts named values in the order of others.
template <typename Named>
void order_as(const Named& example, Named& values) {
  const auto place = [&](const auto& entry) {
    return std::find_if(example.begin(), example.end(),
                        [&](const auto& e) { return e.first == entry.first; });
  };
  std::stable_sort(values.begin(), values.end(),
                   [&](const auto& a, const auto& b) { return place(a) < place(b); });
}

/// Everything in the order of the first record: files scored apart may have named the same metrics
/// in another one.
void order_alike(std::vector<Score>& scores) {
  const Score& first = scores.front();
  for (size_t i = 1; i < scores.size(); ++i) {
    order_as(first.metrics, scores[i].metrics);
    order_as(first.sums, scores[i].sums);
  }
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

using Reports = std::map<ReportKey, const Score*>;

/// The scores of one split, by system.
struct SplitScores {
  std::map<std::string, Reports> systems;
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

void add(SumVector& sum, const SumVector& part) {
  if (sum.empty()) sum.resize(part.size());
  for (size_t i = 0; i < sum.size(); ++i) sum[i] += part[i];
}

SumVector total(const std::vector<SumVector>& clusters) {
  SumVector sum;
  for (const SumVector& cluster : clusters) add(sum, cluster);
  return sum;
}

/// A report's values, less those that the other report of the study has not.
scoring::NamedValues shared_values(const Score& score, const Score& other) {
  scoring::NamedValues values = score.metrics;
  for (size_t m = 0; m < values.size(); ++m) {
    if (!other.metrics[m].second) values[m].second = std::nullopt;
  }
  return values;
}

/// Sums of each patient, the same order for every system. Runs of several seeds may share a test
/// set: a patient is one cluster whatever the number of runs. \param beside the same reports of
/// another system: only values that both have are summed then
std::vector<SumVector> cluster_sums(const Reports& reports, const Layout& layout,
                                    const Reports* beside = nullptr) {
  std::map<std::string, SumVector> clusters;
  for (const auto& [key, score] : reports) {
    add(clusters[score->patient_id],
        beside == nullptr ? layout.sums(*score, score->metrics)
                          : layout.sums(*score, shared_values(*score, *beside->at(key))));
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
    const SumVector sums = total(clusters[s]);
    r.reports = std::ssize(split.systems.at(systems[s]));
    r.conditions = layout.counts(sums);
    r.valued = layout.valued(sums, r.reports);
    r.labelled = layout.labelled();
    for (size_t k = 0; k < names.size(); ++k)
      r.metrics.emplace_back(names[k], result.systems[s][k]);
  }
}

/// The difference on the reports that have a value of both, resampled as the systems are.
Comparison::Pair compare_pair(const std::string& a, const std::string& b, const std::string& split,
                              const SplitScores& scores, const Layout& layout,
                              const ComparisonOptions& options) {
  const Reports& left = scores.systems.at(a);
  const Reports& right = scores.systems.at(b);
  const std::vector<std::vector<SumVector>> clusters{cluster_sums(left, layout, &right),
                                                     cluster_sums(right, layout, &left)};
  const Bootstrap result = bootstrap(
      clusters, [&](const SumVector& sums) { return layout.statistics(sums); }, options.resamples,
      options.seed);
  Comparison::Pair pair{a, b, split, {}, layout.valued(total(clusters.front()), std::ssize(left))};
  const std::vector<std::string> names = layout.statistic_names();
  for (size_t k = 0; k < names.size(); ++k)
    pair.metrics.emplace_back(names[k], paired_difference(result, 0, 1, k));
  return pair;
}

void site_means(const std::vector<Score>& scores, const Layout& layout, Comparison& out) {
  std::map<std::pair<std::string, std::string>, SumVector> sums;
  for (const Score& score : scores)
    add(sums[{score.system, score.split + "/" + score.site}], layout.sums(score, score.metrics));
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
  std::vector<Score> scores = with_composite(given, options.composite);
  order_alike(scores);
  const Layout layout(scores.front());
  Comparison out;
  std::map<std::string, SplitScores> splits;
  for (const Score& score : scores) {
    layout.check(score);
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
  for (const auto& [a, b] : options.pairs) {
    for (const std::string& name : {a, b}) {
      if (std::find(out.systems.begin(), out.systems.end(), name) == out.systems.end())
        throw Error(Exit::config,
                    fmt::format("pair '{}-{}': no scores of system '{}'", a, b, name));
    }
  }
  for (const std::string& split : out.splits) {
    const SplitScores& own = splits.at(split);
    compare_split(own, split, layout, options, out);
    for (const auto& [a, b] : options.pairs) {
      if (own.systems.contains(a) && own.systems.contains(b))
        out.pairs.push_back(compare_pair(a, b, split, own, layout, options));
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
