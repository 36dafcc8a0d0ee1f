// ROUGE-1, -2 and -L F1 as Google's rouge-score 0.1.2 computes them, and COCO's form of ROUGE-L.
// Pure strings and numbers. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "metrics/ngrams.h"

namespace unirg::metrics {

/// rouge-score's tokens: lower case (as Python lowers: U+0130 gives an i, the Kelvin sign a k),
/// runs of [a-z0-9].
std::vector<std::string> rouge_tokens(std::string_view text);
/// The same with rouge-score's stemmer: tokens of more than three letters by porter_stem().
std::vector<std::string> rouge_stems(std::vector<std::string> tokens);

/// F-measure of LCS precision and recall: (1 + beta^2) P R / (R + beta^2 P), 0 when there is no
/// common token. beta = 1: rouge-score; beta = 1.2: COCO caption evaluation (on its own tokens).
/// \returns 0..1 \see Lin 2004, "ROUGE: a package for automatic evaluation of summaries", section 3
double rouge_l(const std::vector<std::string>& hypothesis,
               const std::vector<std::string>& reference, double beta = 1.0);

/// Length of the longest common subsequence of token numbers, 64 tokens of the reference a step
/// (bit-parallel: Crochemore et al. 2001; Hyyro 2004); O(n m / 64) time.
size_t longest_common_subsequence(const Ids& hypothesis, const Ids& reference);
double rouge_l(const Ids& hypothesis, const Ids& reference, double beta = 1.0);

/// ROUGE-1 and ROUGE-2 as rouge-score gives them: F1 of clipped n-gram matches over the n-grams of
/// either side. \param matched clipped matches \returns 0..1
double rouge_n(size_t matched, size_t hypothesis_grams, size_t reference_grams);

/// COCO's tokens for ROUGE-L: split at every single space, so that a text without a word is one
/// empty token, and two such texts score 1, as upstream. \returns parts of `prepared`
std::vector<std::string_view> coco_rouge_tokens(std::string_view prepared);

}  // namespace unirg::metrics
