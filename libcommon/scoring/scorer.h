// The registry of metrics, one for rewards and for evaluation, and the scorer that computes the
// chosen ones. Depends on the families. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <vector>

#include "metrics/label_f1.h"
#include "scoring/family.h"
#include "scoring/metric_options.h"
#include "text/labeler.h"

namespace unirg::scoring {

/// Every per-report metric, in table order. Weights are not read.
std::vector<MetricInfo> known_metrics(const MetricOptions& options);

/// What is computed where no metric is named: those that need no file but the lexicon.
std::vector<std::string> default_metrics();

/// Thread-safe but for fit().
class Scorer {
 public:
  /// \param names metrics by name; empty: default_metrics()
  /// \throws Error(Exit::config) for an unknown metric (with the nearest known one), or what its
  /// family throws: Error(Exit::no_input) naming missing weights or tables
  Scorer(std::vector<std::string> names, const MetricOptions& options);

  [[nodiscard]] const std::vector<MetricInfo>& metrics() const { return chosen_; }
  /// Whether a chosen metric hangs on other studies' references: document frequencies.
  [[nodiscard]] bool needs_fit() const;
  /// Once, before score(), if needs_fit(), and without effect otherwise: every reference of the
  /// run. Signatures in metrics() name them from then on.
  void fit(const std::vector<std::string>& references);
  /// One Scored for each hypothesis, its values in the order of metrics().
  [[nodiscard]] std::vector<Scored> score(const TextGroup& group) const;

  /// Threads to call score() from: more than `asked` where most of them wait for a judge's server.
  /// Everything but judges then runs on `asked` threads at once. To be called before score().
  /// \param group_size hypotheses of a group, which a judge is asked about side by side
  int threads(int64_t asked, int64_t group_size = 1);

  /// Whether a metric over the rule labeler's reading was chosen.
  [[nodiscard]] bool reads_labels() const { return labeler_.has_value(); }
  /// Conditions the rule labeler finds called. \pre reads_labels()
  [[nodiscard]] metrics::ConditionSet called(const std::string& text) const;
  /// What called() hangs on, for signatures of corpus metrics over it. \pre reads_labels()
  [[nodiscard]] std::string label_signature() const;

 private:
  /// Where a chosen metric's value stands.
  struct Place {
    size_t family, metric;
  };
  [[nodiscard]] std::vector<Scored> score_family(size_t family, const TextGroup& group) const;

  std::vector<std::unique_ptr<Family>> families_;
  std::vector<MetricInfo> chosen_;
  std::vector<Place> places_;
  std::optional<text::Labeler> labeler_;
  bool uncertain_is_positive_, details_;
  std::vector<bool> waits_;      ///< of each family: for a server, not for a core
  int64_t waiting_threads_ = 1;  ///< requests that may be under way at once
  std::unique_ptr<std::counting_semaphore<>> cores_;  ///< where more threads than cores score
};

}  // namespace unirg::scoring
