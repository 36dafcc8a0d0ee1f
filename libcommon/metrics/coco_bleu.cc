// SPDX-License-Identifier: Apache-2.0
#include "metrics/coco_bleu.h"

#include <cmath>

#include "base/error.h"

namespace unirg::metrics {

BleuStatistics& BleuStatistics::operator+=(const BleuStatistics& other) {
  for (size_t n = 0; n < correct.size(); ++n) {
    correct[n] += other.correct[n];
    guessed[n] += other.guessed[n];
  }
  hypothesis_length += other.hypothesis_length;
  reference_length += other.reference_length;
  return *this;
}

std::vector<double> BleuStatistics::numbers() const {
  std::vector<double> all;
  all.reserve(10);
  all.insert(all.end(), correct.begin(), correct.end());
  all.insert(all.end(), guessed.begin(), guessed.end());
  all.push_back(hypothesis_length);
  all.push_back(reference_length);
  return all;
}

BleuStatistics BleuStatistics::from_numbers(const std::vector<double>& numbers) {
  if (numbers.size() != 10) throw Error(Exit::internal, "statistic 'coco-bleu' needs ten numbers");
  BleuStatistics s;
  for (size_t n = 0; n < 4; ++n) {
    s.correct[n] = numbers[n];
    s.guessed[n] = numbers[4 + n];
  }
  s.hypothesis_length = numbers[8];
  s.reference_length = numbers[9];
  return s;
}

BleuStatistics bleu_statistics(const ReferenceGrams& reference, size_t reference_length,
                               const Ids& hypothesis) {
  BleuStatistics s;
  const auto matched = reference.matches(hypothesis);
  for (size_t n = 0; n < 4; ++n) {
    s.correct[n] = static_cast<double>(matched[n]);
    s.guessed[n] = static_cast<double>(gram_total(hypothesis.size(), n + 1));
  }
  s.hypothesis_length = static_cast<double>(hypothesis.size());
  s.reference_length = static_cast<double>(reference_length);
  return s;
}

std::array<double, 4> coco_bleu(const BleuStatistics& s) {
  constexpr double kTiny = 1e-15, kSmall = 1e-9;
  const double ratio = (s.hypothesis_length + kTiny) / (s.reference_length + kSmall);
  const double brevity = ratio < 1 ? std::exp(1 - 1 / ratio) : 1.0;
  std::array<double, 4> bleu{};
  double product = 1;
  for (size_t n = 0; n < 4; ++n) {
    product *= (s.correct[n] + kTiny) / (s.guessed[n] + kSmall);
    bleu[n] = std::pow(product, 1.0 / static_cast<double>(n + 1)) * brevity;
  }
  return bleu;
}

}  // namespace unirg::metrics
