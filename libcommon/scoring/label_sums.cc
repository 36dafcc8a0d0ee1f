// SPDX-License-Identifier: Apache-2.0
#include "scoring/label_sums.h"

namespace unirg::scoring {

std::vector<double> label_sums(const metrics::ConditionSet& hypothesis,
                               const metrics::ConditionSet& reference) {
  std::vector<double> sums;
  for (const metrics::Counts& c : metrics::count_conditions(hypothesis, reference)) {
    for (const int64_t count : {c.tp, c.fp, c.fn}) sums.push_back(static_cast<double>(count));
  }
  for (const metrics::Conditions chosen : {metrics::Conditions(metrics::kAllConditions),
                                           metrics::Conditions(metrics::kFiveConditions)}) {
    const metrics::SampleSums s = metrics::sample_sums(hypothesis, reference, chosen);
    sums.insert(sums.end(), {s.precision, s.recall, s.f1, static_cast<double>(s.equal),
                             static_cast<double>(s.reports)});
  }
  return sums;
}

metrics::LabelReport label_report(const double* sums, bool five) {
  metrics::ConditionCounts counts;
  for (size_t c = 0; c < counts.size(); ++c) {
    const double* v = sums + 3 * c;
    counts[c] = {static_cast<int64_t>(v[0]), static_cast<int64_t>(v[1]),
                 static_cast<int64_t>(v[2])};
  }
  const double* s = sums + 3 * counts.size() + (five ? 5 : 0);
  const metrics::SampleSums samples{s[0], s[1], s[2], static_cast<int64_t>(s[3]),
                                    static_cast<int64_t>(s[4])};
  return five ? metrics::label_report(counts, samples, metrics::kFiveConditions)
              : metrics::label_report(counts, samples, metrics::kAllConditions);
}

}  // namespace unirg::scoring
