// SPDX-License-Identifier: Apache-2.0
#include "evaluation/score_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>

#include "base/error.h"
#include "base/parallel.h"

namespace unirg::evaluation {
namespace {

using scoring::NamedReport;
using ById = std::unordered_map<std::string, const NamedReport*>;

ById by_id(const std::vector<NamedReport>& reports, const char* what) {
  ById map;
  for (const NamedReport& report : reports) {
    if (!map.emplace(report.study_id, &report).second) {
      throw Error(Exit::data,
                  fmt::format("study '{}' has two {} (hint: unirg-eval scores one report a study; "
                              "unirg-reward scores samples)",
                              report.study_id, what));
    }
  }
  return map;
}

/// The splits asked for, else those that the reports come from.
std::set<std::string> wanted_splits(const ById& reports, const std::vector<NamedReport>& references,
                                    const ScoreRunOptions& options) {
  std::set<std::string> splits(options.splits.begin(), options.splits.end());
  for (const std::string& split : splits) {
    const bool known = std::any_of(references.begin(), references.end(), [&](const NamedReport& r) {
      return r.study && r.study->split == split;
    });
    if (!known)
      throw Error(
          Exit::data,
          fmt::format("no reference of split '{}' (hint: splits are those of study records)",
                      split));
  }
  if (!splits.empty()) return splits;
  for (const NamedReport& reference : references) {
    if (reference.study && reports.contains(reference.study_id))
      splits.insert(reference.study->split);
  }
  return splits;
}

void check_referenced(const std::vector<NamedReport>& reports, const ById& references) {
  for (const NamedReport& report : reports) {
    if (!references.contains(report.study_id))
      throw Error(Exit::data,
                  fmt::format("study '{}' has a report but no reference", report.study_id));
  }
}

bool has_nothing_to_score(const NamedReport& reference, scoring::Sections sections) {
  return scoring::scored_texts(reference, reference, sections).reference.empty();
}

struct Pair {
  const NamedReport* report;
  const NamedReport* reference;
};

std::vector<std::string> reference_texts(const std::vector<Pair>& pairs,
                                         scoring::Sections sections) {
  std::vector<std::string> texts;
  for (const Pair& pair : pairs)
    texts.push_back(scoring::scored_texts(*pair.report, *pair.reference, sections).reference);
  return texts;
}

}  // namespace

ScoreRun score_run(scoring::Scorer& scorer, const std::vector<NamedReport>& reports,
                   const std::vector<NamedReport>& references, const ScoreRunOptions& options) {
  const ById report_of = by_id(reports, "reports");
  check_referenced(reports, by_id(references, "references"));
  const std::set<std::string> splits = wanted_splits(report_of, references, options);
  ScoreRun run;
  std::vector<Pair> pairs;
  for (const NamedReport& reference : references) {
    if (reference.study && !splits.contains(reference.study->split)) continue;
    const auto report = report_of.find(reference.study_id);
    if (has_nothing_to_score(reference, options.sections)) {
      ++run.empty_reference;
    } else if (report != report_of.end()) {
      pairs.push_back({report->second, &reference});
    } else if (++run.missing; !options.allow_missing) {
      throw Error(
          Exit::data,
          fmt::format(
              "study '{}' has a reference but no report (hint: --allow-missing leaves it out)",
              reference.study_id));
    }
  }
  scorer.fit(reference_texts(pairs, options.sections));
  ordered_parallel(
      options.threads, static_cast<int64_t>(pairs.size()),
      [&](int64_t i) {
        const Pair& pair = pairs[static_cast<size_t>(i)];
        Score score = make_score(
            scorer, *pair.reference,
            scoring::scored_texts(*pair.report, *pair.reference, options.sections), *pair.report);
        score.system = options.system;
        score.seed = options.seed;
        if (options.temporal || !has_prior(*pair.reference))
          score.temporal = temporal_of(*pair.reference, options.temporal.get());
        return score;
      },
      [&](int64_t, Score score) {
        run.scores.push_back(std::move(score));
        return !options.stopped();
      });
  if (run.scores.size() < pairs.size())
    throw Error(Exit::interrupted, "stopped before all reports were scored (hint: run it again)");
  return run;
}

}  // namespace unirg::evaluation
