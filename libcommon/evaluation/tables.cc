// Comparisons as text. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "evaluation/comparison.h"
#include "evaluation/leaderboard.h"
#include "evaluation/table_parts.h"

namespace unirg::evaluation {
namespace {

using data::Json;

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

/// The few metrics of tables that have a row for each part and system.
std::vector<std::string> few_metrics(const Comparison& c, const std::string& split) {
  std::vector<std::string> few{"bleu2", "label-f1", "entity-f1", "errors", "micro-f1", "macro-f1"};
  const std::vector<std::string> rows = metric_rows(results_of(c, split));
  std::erase_if(few, [&](const std::string& name) {
    return std::find(rows.begin(), rows.end(), name) == rows.end();
  });
  if (few.empty()) few.assign(rows.begin(), rows.begin() + std::min<long>(6, std::ssize(rows)));
  return few;
}

/// A row for each group and system; the first metric with its interval.
std::string group_table(const Comparison& c, const Grouping& grouping) {
  std::vector<std::string> columns = few_metrics(c, grouping.split);
  const std::string first = metric_rows(results_of(c, grouping.split)).front();
  std::erase(columns, first);
  columns.insert(columns.begin(), first);
  std::vector<std::string> head{grouping.by, "reports", "system"};
  head.insert(head.end(), columns.begin(), columns.end());
  std::string text = header(head);
  for (const Group& group : grouping.groups) {
    for (const std::string& system : c.systems) {
      const auto it = group.systems.find(system);
      if (it == group.systems.end()) continue;
      std::vector<std::string> cells{group.label, fmt::format("{}", group.reports), system};
      for (const std::string& name : columns) {
        const Interval* v = find(it->second, name);
        cells.push_back(v ? interval_text(*v, has_intervals(c) && name == first) : "");
      }
      text += row(cells);
    }
  }
  return text;
}

/// Empty where there is no value.
std::string tsv_cell(double value) { return std::isfinite(value) ? fmt::format("{}", value) : ""; }

/// A bound of an interval: null where there was no bootstrap.
Json bound(const Comparison& c, double value) {
  return has_intervals(c) ? Json(value) : Json(nullptr);
}

Json interval_json(const Comparison& c, const Interval& v) {
  return {{"mean", v.value}, {"lo", bound(c, v.lo)}, {"hi", bound(c, v.hi)}};
}

/// groups.<by>.<split>.<label>
Json groups_json(const Comparison& c) {
  Json groups = Json::object();
  for (const Grouping& grouping : c.groupings) {
    for (const Group& group : grouping.groups) {
      Json& entry = groups[grouping.by][grouping.split][group.label];
      entry["n"] = group.reports;
      for (const auto& [system, metrics] : group.systems) {
        for (const auto& [name, v] : metrics) entry["systems"][system][name] = interval_json(c, v);
      }
    }
  }
  return groups;
}

/// Lines of one system in one group, or in all of a split.
void add_tsv(const Comparison& c, const std::string& where,
             const std::vector<std::pair<std::string, Interval>>& metrics,
             const std::function<int64_t(const std::string&)>& reports, std::string& text) {
  for (const auto& [name, v] : metrics)
    text += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\n", where, name, tsv_cell(v.value),
                        has_intervals(c) ? tsv_cell(v.lo) : "",
                        has_intervals(c) ? tsv_cell(v.hi) : "", reports(name));
}

}  // namespace

Json summary_json(const Comparison& c, const std::map<std::string, std::string>& signatures) {
  Json systems = Json::object();
  for (const std::string& system : c.systems) {
    for (const std::string& split : c.splits) {
      const auto it = c.results.find({system, split});
      if (it == c.results.end()) continue;
      for (const auto& [name, v] : it->second.metrics) {
        Json& entry = systems[system][split][name] = interval_json(c, v);
        entry["n"] = it->second.valued.at(name);
      }
    }
  }
  Json paired = Json::object();
  for (const Comparison::Pair& pair : c.pairs) {
    for (const auto& [name, d] : pair.metrics) {
      paired[pair.a + "-" + pair.b][pair.split][name] = {
          {"diff", d.value},    {"lo", bound(c, d.lo)},         {"hi", bound(c, d.hi)},
          {"p", bound(c, d.p)}, {"p_holm", bound(c, d.p_holm)}, {"n", pair.reports.at(name)}};
    }
  }
  Json named = Json::object();
  for (const auto& [name, signature] : signatures) named[name] = signature;
  return {{"schema", "unirg.summary/1"},    {"systems", std::move(systems)},
          {"paired", std::move(paired)},    {"groups", groups_json(c)},
          {"signatures", std::move(named)}, {"seeds", c.seeds}};
}

std::string markdown_tables(const Comparison& c, const LeaderboardOptions& options,
                            const std::map<std::string, std::string>& signatures) {
  const char* const interval =
      has_intervals(c) ? " and 95% interval (bootstrap over patients)" : "";
  std::string text;
  for (const std::string& split : c.splits) {
    const std::string where = split.empty() ? "" : split + ": ";
    text += fmt::format("### {}{}\n\n", where, counted(c, split));
    if (results_of(c, split).size() > 1)
      text += fmt::format("Leaderboard.\n\n{}\n", leaderboard_markdown(c, split, options));
    text += fmt::format("Mean{}.\n\n{}\n", interval, system_table(c, split));
    if (const std::string pairs = pair_table(c, split); !pairs.empty())
      text += fmt::format("Paired difference{}.\n\n{}\n", interval, pairs);
    if (results_of(c, split).front()->labelled)
      text += fmt::format("F1 per condition.\n\n{}\n", condition_table(c, split));
    for (const Grouping& grouping : c.groupings) {
      if (grouping.split == split)
        text += fmt::format("By {}.\n\n{}\n", grouping.by, group_table(c, grouping));
    }
  }
  if (signatures.empty()) return text;
  text += "Signatures:\n\n";
  for (const auto& [name, signature] : signatures) text += fmt::format("    {}\n", signature);
  return text;
}

std::string tsv_table(const Comparison& c) {
  std::string text = "system\tsplit\tby\tgroup\tmetric\tmean\tlo\thi\tn\n";
  for (const std::string& system : c.systems) {
    for (const std::string& split : c.splits) {
      const auto it = c.results.find({system, split});
      if (it == c.results.end()) continue;
      add_tsv(
          c, fmt::format("{}\t{}\t\t", system, split), it->second.metrics,
          [&](const std::string& name) { return it->second.valued.at(name); }, text);
    }
  }
  for (const Grouping& grouping : c.groupings) {
    for (const Group& group : grouping.groups) {
      for (const auto& [system, metrics] : group.systems)
        add_tsv(
            c, fmt::format("{}\t{}\t{}\t{}", system, grouping.split, grouping.by, group.label),
            metrics, [&](const std::string&) { return group.reports; }, text);
    }
  }
  return text;
}

}  // namespace unirg::evaluation
