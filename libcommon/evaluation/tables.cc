// Comparisons as text. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "evaluation/comparison.h"

namespace unirg::evaluation {
namespace {

using data::Json;

/// The rows that stand first, in this order; every other metric follows in the order of the scores.
const std::vector<std::string>& first_metrics() {
  static const std::vector<std::string> names{"composite", "bleu2",  "rouge-l",  "label-f1",
                                              "entity-f1", "errors", "micro-f1", "macro-f1",
                                              "call-rate", "words"};
  return names;
}

/// The rows of a table of these results.
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

template <typename Pairs>
const typename Pairs::value_type::second_type* find(const Pairs& pairs, const std::string& name) {
  const auto it =
      std::find_if(pairs.begin(), pairs.end(), [&](const auto& p) { return p.first == name; });
  return it == pairs.end() ? nullptr : &it->second;
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

std::string interval_text(const Interval& v, bool with_interval) {
  if (std::isnan(v.value)) return "none";
  if (!with_interval) return fmt::format("{:.3f}", v.value);
  return fmt::format("{:.3f} [{:.3f}, {:.3f}]", v.value, v.lo, v.hi);
}

std::string difference_text(const Difference& d, bool with_interval) {
  if (std::isnan(d.value)) return "none";
  if (!with_interval) return fmt::format("{:+.3f}", d.value);
  return fmt::format("{:+.3f} [{:+.3f}, {:+.3f}]", d.value, d.lo, d.hi);
}

/// " (12 of 15)" where some reports have no value.
std::string valued_text(int64_t valued, int64_t reports) {
  return valued == reports ? "" : fmt::format(" ({} of {})", valued, reports);
}

std::string system_table(const Comparison& c, const std::string& split) {
  std::vector<std::string> head{"metric"};
  head.insert(head.end(), c.systems.begin(), c.systems.end());
  std::string text = header(head);
  for (const std::string& name : metric_rows(results_of(c, split))) {
    std::vector<std::string> cells{name};
    for (const std::string& system : c.systems) {
      const auto it = c.results.find({system, split});
      const Interval* v = it == c.results.end() ? nullptr : find(it->second.metrics, name);
      cells.push_back(v ? interval_text(*v, has_intervals(c)) +
                              valued_text(it->second.valued.at(name), it->second.reports)
                        : "");
    }
    text += row(cells);
  }
  return text;
}

std::string pair_table(const Comparison& c, const std::string& split) {
  std::vector<const Comparison::Pair*> pairs;
  std::vector<std::string> head{"difference"};
  for (const Comparison::Pair& pair : c.pairs) {
    if (pair.split != split) continue;
    pairs.push_back(&pair);
    head.push_back(pair.a + " - " + pair.b);
  }
  if (pairs.empty()) return "";
  std::string text = header(head);
  for (const std::string& name : metric_rows(results_of(c, split))) {
    if (!find(pairs.front()->metrics, name)) continue;
    std::vector<std::string> cells{name};
    for (const Comparison::Pair* pair : pairs) {
      const Difference& d = *find(pair->metrics, name);
      cells.push_back(difference_text(d, has_intervals(c)) +
                      valued_text(pair->reports.at(name), c.results.at({pair->a, split}).reports));
    }
    text += row(cells);
  }
  return text;
}

/// "450 reports of each system"; compare() has seen to it that they are the same ones.
std::string counted(const Comparison& c, const std::string& split) {
  for (const std::string& system : c.systems) {
    const auto it = c.results.find({system, split});
    if (it != c.results.end()) return fmt::format("{} reports of each system", it->second.reports);
  }
  return "no reports";
}

std::string condition_table(const Comparison& c, const std::string& split) {
  std::vector<std::string> head{"condition", "in references"};
  head.insert(head.end(), c.systems.begin(), c.systems.end());
  std::string text = header(head);
  for (size_t k = 0; k < text::kNoFinding; ++k) {
    std::vector<std::string> cells{std::string(text::kConditions[k]), ""};
    int64_t present = 0;
    int64_t called = 0;
    for (const std::string& system : c.systems) {
      const auto it = c.results.find({system, split});
      if (it == c.results.end()) {
        cells.emplace_back();
        continue;
      }
      const metrics::Counts& counts = it->second.conditions[k];
      present = counts.tp + counts.fn;
      called += counts.tp + counts.fp;
      cells.push_back(fmt::format("{:.3f}", counts.f1()));
    }
    cells[1] = fmt::format("{}", present);
    if (present + called > 0) text += row(cells);
  }
  return text;
}

std::string site_table(const Comparison& c, const std::string& split) {
  std::vector<std::string> columns{"bleu2",  "label-f1", "entity-f1",
                                   "errors", "micro-f1", "macro-f1"};
  const std::vector<std::string> rows = metric_rows(results_of(c, split));
  std::erase_if(columns, [&](const std::string& name) {
    return std::find(rows.begin(), rows.end(), name) == rows.end();
  });
  if (columns.empty())
    columns.assign(rows.begin(), rows.begin() + std::min<long>(6, std::ssize(rows)));
  std::vector<std::string> head{"site", "system"};
  head.insert(head.end(), columns.begin(), columns.end());
  std::string text = header(head);
  for (const std::string& site : c.sites.at(split)) {
    for (const std::string& system : c.systems) {
      const auto it = c.by_site.find({system, split + "/" + site});
      if (it == c.by_site.end()) continue;
      std::vector<std::string> cells{site, system};
      for (const std::string& name : columns)
        cells.push_back(it->second.contains(name) ? interval_text(it->second.at(name), false) : "");
      text += row(cells);
    }
  }
  return text;
}

/// Empty where there is no value.
std::string tsv_cell(double value) { return std::isnan(value) ? "" : fmt::format("{}", value); }

/// A bound of an interval: null where there was no bootstrap.
Json bound(const Comparison& c, double value) {
  return has_intervals(c) ? Json(value) : Json(nullptr);
}

}  // namespace

Json summary_json(const Comparison& c, const std::map<std::string, std::string>& signatures) {
  Json systems = Json::object();
  for (const std::string& system : c.systems) {
    for (const std::string& split : c.splits) {
      const auto it = c.results.find({system, split});
      if (it == c.results.end()) continue;
      for (const auto& [name, v] : it->second.metrics)
        systems[system][split][name] = {{"mean", v.value},
                                        {"lo", bound(c, v.lo)},
                                        {"hi", bound(c, v.hi)},
                                        {"n", it->second.valued.at(name)}};
    }
  }
  Json paired = Json::object();
  for (const Comparison::Pair& pair : c.pairs) {
    for (const auto& [name, d] : pair.metrics) {
      paired[pair.a + "-" + pair.b][pair.split][name] = {{"diff", d.value},
                                                         {"lo", bound(c, d.lo)},
                                                         {"hi", bound(c, d.hi)},
                                                         {"p", bound(c, d.p)},
                                                         {"n", pair.reports.at(name)}};
    }
  }
  Json named = Json::object();
  for (const auto& [name, signature] : signatures) named[name] = signature;
  return {{"schema", "unirg.summary/1"},
          {"systems", std::move(systems)},
          {"paired", std::move(paired)},
          {"signatures", std::move(named)},
          {"seeds", c.seeds}};
}

std::string markdown_tables(const Comparison& c,
                            const std::map<std::string, std::string>& signatures) {
  const char* const interval =
      has_intervals(c) ? " and 95% interval (bootstrap over patients)" : "";
  std::string text;
  for (const std::string& split : c.splits) {
    const std::string where = split.empty() ? "" : split + ": ";
    text += fmt::format("### {}{}\n\nMean{}.\n\n{}\n", where, counted(c, split), interval,
                        system_table(c, split));
    if (const std::string pairs = pair_table(c, split); !pairs.empty())
      text += fmt::format("Paired difference{}.\n\n{}\n", interval, pairs);
    if (results_of(c, split).front()->labelled)
      text += fmt::format("F1 per condition.\n\n{}\n", condition_table(c, split));
    if (c.sites.at(split).size() > 1)
      text += fmt::format("Per site.\n\n{}\n", site_table(c, split));
  }
  if (signatures.empty()) return text;
  text += "Signatures:\n\n";
  for (const auto& [name, signature] : signatures) text += fmt::format("    {}\n", signature);
  return text;
}

std::string tsv_table(const Comparison& c) {
  std::string text = "system\tsplit\tmetric\tmean\tlo\thi\tn\n";
  for (const std::string& system : c.systems) {
    for (const std::string& split : c.splits) {
      const auto it = c.results.find({system, split});
      if (it == c.results.end()) continue;
      for (const auto& [name, v] : it->second.metrics)
        text += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\n", system, split, name, tsv_cell(v.value),
                            has_intervals(c) ? tsv_cell(v.lo) : "",
                            has_intervals(c) ? tsv_cell(v.hi) : "", it->second.valued.at(name));
    }
  }
  return text;
}

}  // namespace unirg::evaluation
