// ROUGE-L F1 as Google's rouge-score computes it (no stemming), and COCO's form. Pure strings.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace unirg::metrics {

/// rouge-score's tokens: lower case, runs of [a-z0-9].
std::vector<std::string> rouge_tokens(std::string_view text);

/// Length of the longest common subsequence; O(n m) time, O(min) memory.
size_t longest_common_subsequence(const std::vector<std::string>& a,
                                  const std::vector<std::string>& b);

/// F-measure of LCS precision and recall: (1 + beta^2) P R / (R + beta^2 P), 0 when there is no
/// common token. beta = 1: rouge-score; beta = 1.2: COCO caption evaluation (on its own tokens).
/// \returns 0..1 \see Lin 2004, "ROUGE: a package for automatic evaluation of summaries", section 3
double rouge_l(const std::vector<std::string>& hypothesis,
               const std::vector<std::string>& reference, double beta = 1.0);

}  // namespace unirg::metrics
