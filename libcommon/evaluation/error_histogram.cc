// SPDX-License-Identifier: Apache-2.0
#include "evaluation/error_histogram.h"

#include <algorithm>
#include <cmath>

namespace unirg::evaluation {
namespace {

std::optional<double> errors_of(const Score& score) {
  const auto it = std::find_if(score.metrics.begin(), score.metrics.end(),
                               [](const auto& metric) { return metric.first == "errors"; });
  return it == score.metrics.end() ? std::nullopt : it->second;
}

}  // namespace

size_t error_bin(double errors) {
  return static_cast<size_t>(std::clamp(std::round(errors), 1.0, 4.0)) - 1;
}

std::vector<ErrorHistogram> error_histograms(const std::vector<Score>& scores) {
  std::vector<ErrorHistogram> all;
  for (const Score& score : scores) {
    const std::optional<double> errors = errors_of(score);
    if (!errors || !std::isfinite(*errors)) continue;
    auto it = std::find_if(all.begin(), all.end(), [&](const ErrorHistogram& h) {
      return h.system == score.system && h.split == score.split;
    });
    if (it == all.end()) it = all.insert(all.end(), {score.system, score.split, {}});
    ++it->reports[error_bin(*errors)];
  }
  return all;
}

}  // namespace unirg::evaluation
