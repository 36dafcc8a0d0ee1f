// The registry of metrics, one for rewards and for evaluation, and the scorer that computes the
// chosen ones for pairs of reports. Everything about a reference is computed once. Depends on
// metrics, text. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "metrics/entity_f1.h"
#include "metrics/label_f1.h"
#include "scoring/family.h"
#include "text/labeler.h"

namespace unirg::scoring {

/// Every per-report metric, in table order. \param lexicon_version enters the signatures of labeled
/// metrics
std::vector<MetricInfo> known_metrics(const std::string& lexicon_version);

/// A report with what the metrics need of it.
struct Prepared {
  std::string text;
  std::vector<std::string> bleu_tokens, rouge_tokens;
  metrics::ConditionSet called{};
  metrics::EntitySets entities;
};

/// Thread-safe.
class Scorer {
 public:
  /// \param names metrics by name; empty: all
  /// \param uncertain_is_positive whether an uncertain mention counts as called in label F1
  /// \throws Error(Exit::config) for an unknown metric (with the known ones), and what the lexicon
  /// file throws
  Scorer(std::vector<std::string> names, const std::filesystem::path& lexicon,
         bool uncertain_is_positive = false);

  [[nodiscard]] const std::vector<MetricInfo>& metrics() const { return chosen_; }
  [[nodiscard]] Prepared prepare(const std::string& text) const;
  /// In the order of metrics().
  [[nodiscard]] std::vector<double> score(const Prepared& hypothesis,
                                          const Prepared& reference) const;

 private:
  text::Labeler labeler_;
  bool uncertain_is_positive_;
  std::vector<MetricInfo> chosen_;
};

}  // namespace unirg::scoring
