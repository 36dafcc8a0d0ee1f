// SPDX-License-Identifier: Apache-2.0
#include "evaluation/table_parts.h"

#include <fmt/format.h>

#include <cmath>

namespace unirg::evaluation {
namespace {

/// The rows that stand first, in this order; every other metric follows in the order of the scores.
const std::vector<std::string>& first_metrics() {
  static const std::vector<std::string> names{"composite", "bleu2",  "rouge-l",  "label-f1",
                                              "entity-f1", "errors", "micro-f1", "macro-f1",
                                              "call-rate", "words"};
  return names;
}

}  // namespace

std::vector<std::string> metric_rows(const std::vector<const SystemResult*>& results) {
  std::vector<std::string> rows;
  const auto has = [&](const std::string& name) {
    return std::any_of(results.begin(), results.end(), [&](const SystemResult* result) {
      return std::any_of(result->metrics.begin(), result->metrics.end(),
                         [&](const auto& metric) { return metric.first == name; });
    });
  };
  for (const std::string& name : first_metrics()) {
    if (has(name)) rows.push_back(name);
  }
  for (const SystemResult* result : results) {
    for (const auto& [name, value] : result->metrics) {
      if (std::find(rows.begin(), rows.end(), name) == rows.end()) rows.push_back(name);
    }
  }
  return rows;
}

std::vector<const SystemResult*> results_of(const Comparison& c, const std::string& split) {
  std::vector<const SystemResult*> results;
  for (const std::string& system : c.systems) {
    const auto it = c.results.find({system, split});
    if (it != c.results.end()) results.push_back(&it->second);
  }
  return results;
}

std::string row(const std::vector<std::string>& cells) {
  std::string text = "|";
  for (const std::string& cell : cells) text += " " + cell + " |";
  return text + "\n";
}

std::string header(std::vector<std::string> cells) {
  std::string text = row(cells);
  for (std::string& cell : cells) cell = "---";
  return text + row(cells);
}

std::string interval_text(const Interval& v, bool with_bounds) {
  if (!std::isfinite(v.value)) return "none";
  if (!with_bounds) return fmt::format("{:.3f}", v.value);
  return fmt::format("{:.3f} [{:.3f}, {:.3f}]", v.value, v.lo, v.hi);
}

std::string difference_text(const Difference& d, bool with_bounds) {
  if (!std::isfinite(d.value)) return "none";
  if (!with_bounds) return fmt::format("{:+.3f}", d.value);
  return fmt::format("{:+.3f} [{:+.3f}, {:+.3f}]", d.value, d.lo, d.hi);
}

}  // namespace unirg::evaluation
