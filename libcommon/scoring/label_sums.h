// The sums that corpus label F1 is made of, from one report's labels. Depends on metrics.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "metrics/label_f1.h"

namespace unirg::scoring {

/// tp, fp, fn for each of the 14 conditions in CheXpert's order, then precision, recall, f1, equal
/// and 1 of this report over all 14, and the same over the five: 52 numbers that add up.
constexpr size_t kLabelSums = 52;
std::vector<double> label_sums(const metrics::ConditionSet& hypothesis,
                               const metrics::ConditionSet& reference);

/// The report of summed label_sums(). \param sums kLabelSums numbers \param five over the five
/// conditions instead of all
metrics::LabelReport label_report(const double* sums, bool five);

}  // namespace unirg::scoring
