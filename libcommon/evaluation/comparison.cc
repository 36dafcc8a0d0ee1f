// SPDX-License-Identifier: Apache-2.0
#include "evaluation/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"
#include "evaluation/error_histogram.h"
#include "evaluation/groups.h"
#include "evaluation/sum_layout.h"

namespace unirg::evaluation {
namespace {

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

/// The judge's count where there is one, as in the paper, else the rule labeler's.
std::optional<double> errors_of(const Score& score) {
  for (const char* name : {"chexprompt-errors", "errors"}) {
    for (const auto& [metric, value] : score.metrics) {
      if (metric == name) return value;
    }
  }
  throw Error(Exit::data, fmt::format("score of study '{}' has neither metric 'chexprompt-errors' "
                                      "nor 'errors', which error shares are made of",
                                      score.study_id));
}

/// 1 or 0 for each bin of the paper's histogram of errors.
std::vector<Score> with_error_shares(std::vector<Score> scores) {
  constexpr std::array<const char*, kErrorBins.size()> kNames{"errors-0-1", "errors-2", "errors-3",
                                                              "errors-4+"};
  for (Score& score : scores) {
    const std::optional<double> value = errors_of(score);
    for (size_t bin = 0; bin < kNames.size(); ++bin) {
      const auto share = [&](double v) { return error_bin(v) == bin ? 1.0 : 0.0; };
      score.metrics.emplace_back(kNames[bin], value ? std::optional(share(*value)) : std::nullopt);
    }
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
std::vector<SumVector> cluster_sums(const Reports& reports, const SumLayout& layout,
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

Statistic statistic_of(const SumLayout& layout) {
  return [&layout](const SumVector& sums) { return layout.statistics(sums); };
}

void compare_split(const SplitScores& split, const std::string& name, const SumLayout& layout,
                   const ComparisonOptions& options, Comparison& out) {
  check_same_reports(split, name);
  std::vector<std::string> systems;
  std::vector<std::vector<SumVector>> clusters;
  for (const auto& [system, reports] : split.systems) {
    systems.push_back(system);
    clusters.push_back(cluster_sums(reports, layout));
  }
  const Bootstrap result = bootstrap(clusters, statistic_of(layout), options.resampling);
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
                              const SplitScores& scores, const SumLayout& layout,
                              const ComparisonOptions& options) {
  const Reports& left = scores.systems.at(a);
  const Reports& right = scores.systems.at(b);
  const std::vector<std::vector<SumVector>> clusters{cluster_sums(left, layout, &right),
                                                     cluster_sums(right, layout, &left)};
  const Bootstrap result = bootstrap(clusters, statistic_of(layout), options.resampling);
  Comparison::Pair pair{a, b, split, {}, layout.valued(total(clusters.front()), std::ssize(left))};
  const std::vector<std::string> names = layout.statistic_names();
  for (size_t k = 0; k < names.size(); ++k)
    pair.metrics.emplace_back(names[k], paired_difference(result, 0, 1, k));
  if (options.permutations == 0) return pair;
  const std::vector<double> p = permutation_test(clusters[0], clusters[1], statistic_of(layout),
                                                 options.permutations, options.resampling.seed);
  for (size_t k = 0; k < names.size(); ++k) pair.metrics[k].second.p = p[k];
  return pair;
}

/// Corrects the p of all metrics of all pairs of a split as one family.
void correct_family(const std::string& split, std::vector<Comparison::Pair>& pairs) {
  std::vector<Difference*> family;
  for (Comparison::Pair& pair : pairs) {
    if (pair.split != split) continue;
    for (auto& [name, difference] : pair.metrics) family.push_back(&difference);
  }
  std::vector<double> p;
  for (const Difference* d : family) p.push_back(d->p);
  const std::vector<double> corrected = holm(p);
  for (size_t i = 0; i < family.size(); ++i) family[i]->p_holm = corrected[i];
}

/// Each group of a split as a split of its own.
Grouping group_split(const SplitScores& split, const std::string& name, const std::string& by,
                     const SumLayout& layout, const ComparisonOptions& options) {
  std::map<std::string, SplitScores, decltype(&group_before)> parts(&group_before);
  for (const auto& [system, reports] : split.systems) {
    for (const auto& [key, score] : reports)
      parts[group_of(*score, by)].systems[system].emplace(key, score);
  }
  Grouping grouping{by, name, {}};
  for (const auto& [label, part] : parts) {
    Comparison compared;
    compare_split(part, name, layout, options, compared);
    Group group{label, 0, {}};
    for (auto& [key, result] : compared.results) {
      group.reports = result.reports;
      group.systems[key.first] = std::move(result.metrics);
    }
    grouping.groups.push_back(std::move(group));
  }
  return grouping;
}

/// Sites are told apart wherever there are several.
std::vector<std::string> groupings_of(const ComparisonOptions& options, const SplitScores& split) {
  std::vector<std::string> all = options.by;
  std::set<std::string> sites;
  for (const auto& [system, reports] : split.systems) {
    for (const auto& [key, score] : reports) sites.insert(score->site);
  }
  if (sites.size() > 1) remember(all, std::string("site"));
  return all;
}

using SystemPairs = std::vector<std::pair<std::string, std::string>>;

/// The pairs asked for and those with the baseline. \throws Error(Exit::config) for a system
/// without scores
SystemPairs pairs_of(const ComparisonOptions& options, const std::vector<std::string>& systems) {
  const auto check = [&](const std::string& name, const std::string& what) {
    if (std::find(systems.begin(), systems.end(), name) == systems.end())
      throw Error(Exit::config, fmt::format("{}: no scores of system '{}'", what, name));
  };
  SystemPairs pairs = options.pairs;
  for (const auto& [a, b] : pairs) {
    for (const std::string& name : {a, b}) check(name, fmt::format("pair '{}-{}'", a, b));
  }
  if (options.baseline.empty()) return pairs;
  check(options.baseline, "baseline");
  for (const std::string& system : systems) {
    const std::pair pair{system, options.baseline};
    if (system != options.baseline && std::find(pairs.begin(), pairs.end(), pair) == pairs.end())
      pairs.push_back(pair);
  }
  return pairs;
}

}  // namespace

Comparison compare(const std::vector<Score>& given, const ComparisonOptions& options) {
  if (given.empty()) throw Error(Exit::data, "no scores to compare");
  std::vector<Score> scores = with_composite(given, options.composite);
  if (options.error_shares) scores = with_error_shares(std::move(scores));
  order_alike(scores);
  const SumLayout layout(scores.front());
  Comparison out;
  std::map<std::string, SplitScores> splits;
  for (const Score& score : scores) {
    layout.check(score);
    remember(out.systems, score.system);
    remember(out.splits, score.split);
    remember(out.seeds, score.seed);
    const bool is_new = splits[score.split]
                            .systems[score.system]
                            .emplace(ReportKey{score.seed, score.study_id}, &score)
                            .second;
    if (!is_new)
      throw Error(Exit::data, fmt::format("study '{}' stands twice for system '{}', seed '{}'",
                                          score.study_id, score.system, score.seed));
  }
  const auto pairs = pairs_of(options, out.systems);
  for (const std::string& split : out.splits) {
    const SplitScores& own = splits.at(split);
    compare_split(own, split, layout, options, out);
    for (const auto& [a, b] : pairs) {
      if (own.systems.contains(a) && own.systems.contains(b))
        out.pairs.push_back(compare_pair(a, b, split, own, layout, options));
    }
    correct_family(split, out.pairs);
    for (const std::string& by : groupings_of(options, own))
      out.groupings.push_back(group_split(own, split, by, layout, options));
  }
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
