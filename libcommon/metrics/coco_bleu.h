// BLEU-1..4 as COCO caption evaluation computes it (PyPI pycocoevalcap 1.2), of one report and of a
// corpus. Pure numbers. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <vector>

#include "metrics/ngrams.h"

namespace unirg::metrics {

/// What BLEU is made of; adds up over reports.
struct BleuStatistics {
  std::array<double, 4> correct{};  ///< clipped n-gram matches
  std::array<double, 4> guessed{};  ///< n-grams of the hypothesis
  double hypothesis_length = 0;     ///< tokens
  double reference_length = 0;

  BleuStatistics& operator+=(const BleuStatistics& other);
  /// correct 1..4, guessed 1..4, hypothesis length, reference length
  [[nodiscard]] std::vector<double> numbers() const;
  /// The reverse. \throws Error(Exit::internal) unless there are ten
  static BleuStatistics from_numbers(const std::vector<double>& numbers);
};

BleuStatistics bleu_statistics(const ReferenceGrams& reference, size_t reference_length,
                               const Ids& hypothesis);

/// BLEU-1..4: BLEU-k is the k-th root of prod_(n<=k) (correct_n + 1e-15) / (guessed_n + 1e-9),
/// times exp(1 - 1/q) where q = (hypothesis length + 1e-15) / (reference length + 1e-9) is below 1.
/// So equal texts give 0.99999999993 and not 1, as the original. Of one report's statistics the
/// report's BLEU; of a sum over reports corpus BLEU, which is not the mean of the reports'.
/// \see Papineni et al. 2002; pycocoevalcap 1.2, bleu_scorer
std::array<double, 4> coco_bleu(const BleuStatistics& statistics);

}  // namespace unirg::metrics
