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

double Counts::f1() const {
  const auto denominator = static_cast<double>(2 * tp + fp + fn);
  return denominator == 0 ? 0 : 2.0 * static_cast<double>(tp) / denominator;
}

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

}  // namespace unirg::metrics
