// SPDX-License-Identifier: Apache-2.0
#include "metrics/label_f1.h"

namespace unirg::metrics {

ConditionSet called_conditions(const text::Labels& labels, bool uncertain_is_positive) {
  ConditionSet called{};
  for (size_t c = 0; c < called.size(); ++c) {
    called[c] =
        labels[c].has_value() && (*labels[c] == 1 || (uncertain_is_positive && *labels[c] == -1));
  }
  return called;
}

ConditionCounts count_conditions(const ConditionSet& hypothesis, const ConditionSet& reference) {
  ConditionCounts counts{};
  for (size_t c = 0; c < counts.size(); ++c) {
    counts[c] = {hypothesis[c] && reference[c], hypothesis[c] && !reference[c],
                 !hypothesis[c] && reference[c]};
  }
  return counts;
}

namespace {

double ratio(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

LabelScore score_of(const Counts& c) { return {c.precision(), c.recall(), c.f1()}; }

void add(LabelScore& to, const LabelScore& value, double weight) {
  to.precision += weight * value.precision;
  to.recall += weight * value.recall;
  to.f1 += weight * value.f1;
}

LabelScore over(const LabelScore& sum, double divisor) {
  if (divisor == 0) return {};
  return {sum.precision / divisor, sum.recall / divisor, sum.f1 / divisor};
}

}  // namespace

double Counts::f1() const { return ratio(2 * tp, 2 * tp + fp + fn); }
double Counts::precision() const { return ratio(tp, tp + fp); }
double Counts::recall() const { return ratio(tp, tp + fn); }

double micro_f1(const ConditionCounts& counts) {
  Counts sum;
  for (const Counts& c : counts) sum += c;
  return sum.f1();
}

double label_f1(const ConditionSet& hypothesis, const ConditionSet& reference) {
  const ConditionCounts counts = count_conditions(hypothesis, reference);
  bool empty = true;
  for (const Counts& c : counts) empty &= c.tp + c.fp + c.fn == 0;
  return empty ? 1.0 : micro_f1(counts);
}

double macro_f1(const ConditionCounts& counts) {
  double sum = 0;
  int64_t present = 0;
  for (const Counts& c : counts) {
    if (c.tp + c.fn == 0) continue;
    sum += c.f1();
    ++present;
  }
  return present == 0 ? 0 : sum / static_cast<double>(present);
}

SampleSums& SampleSums::operator+=(const SampleSums& o) {
  precision += o.precision;
  recall += o.recall;
  f1 += o.f1;
  equal += o.equal;
  reports += o.reports;
  return *this;
}

SampleSums sample_sums(const ConditionSet& hypothesis, const ConditionSet& reference,
                       Conditions conditions) {
  Counts own;
  for (const size_t c : conditions) {
    own += {hypothesis[c] && reference[c], hypothesis[c] && !reference[c],
            !hypothesis[c] && reference[c]};
  }
  return {own.precision(), own.recall(), own.f1(), own.fp + own.fn == 0 ? 1 : 0, 1};
}

LabelReport label_report(const ConditionCounts& counts, const SampleSums& sums,
                         Conditions conditions) {
  LabelReport report;
  Counts total;
  LabelScore plain;
  LabelScore by_support;
  for (const size_t c : conditions) {
    const LabelScore score = score_of(counts[c]);
    const int64_t support = counts[c].tp + counts[c].fn;
    report.each.push_back(score);
    report.support.push_back(support);
    total += counts[c];
    add(plain, score, 1);
    add(by_support, score, static_cast<double>(support));
  }
  report.micro = score_of(total);
  report.macro = over(plain, static_cast<double>(conditions.size()));
  report.weighted = over(by_support, static_cast<double>(total.tp + total.fn));
  report.samples = over({sums.precision, sums.recall, sums.f1}, static_cast<double>(sums.reports));
  report.accuracy = ratio(sums.equal, sums.reports);
  report.reports = sums.reports;
  return report;
}

}  // namespace unirg::metrics
