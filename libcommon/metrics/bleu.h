// BLEU-2 as ReXrank computes it (rajpurkarlab/CXR-Report-Metric, BLEU part). Pure strings.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "metrics/ngrams.h"

namespace unirg::metrics {

/// ReXrank's tokens: lower case (ASCII), every "." as a token of its own, split on the space
/// character only.
std::vector<std::string> rexrank_tokens(std::string_view text);

/// Sentence BLEU with 1- and 2-grams, weights 1/2: clipped precisions, a zero numerator of an order
/// above 1 smoothed to 0.1 (Chen and Cherry 2014, smoothing 1), 0 without a common word, brevity
/// penalty exp(1 - r/h) when h <= r. \returns 0..1
double bleu2(const std::vector<std::string>& hypothesis, const std::vector<std::string>& reference);
/// The same of token numbers. \param reference of order 2 or more
double bleu2(const Ids& hypothesis, const ReferenceGrams& reference, size_t reference_length);

}  // namespace unirg::metrics
