// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include <fmt/format.h>

#include <map>
#include <memory>
#include <set>

#include "base/error.h"
#include "cli/installed.h"
#include "data/study_loader.h"
#include "evaluation/report_page.h"
#include "evaluation/series.h"
#include "io/atomic_file.h"
#include "scoring/scorer.h"

namespace unirg {
namespace {

using evaluation::Score;
using StudySets = std::map<std::string, std::unique_ptr<data::StudySet>>;  ///< by seed tag

/// "TAG=FILE", or "FILE" for the tag "".
StudySets load_studies(const std::vector<std::string>& values, io::RunRecord& record) {
  StudySets sets;
  for (const std::string& value : values) {
    const size_t equals = value.find('=');
    const std::string tag = equals == std::string::npos ? "" : value.substr(0, equals);
    const std::string file = equals == std::string::npos ? value : value.substr(equals + 1);
    sets[tag] = std::make_unique<data::StudySet>(file);
    record.add_input(file);
  }
  return sets;
}

/// "CHART:NAME=FILE:FIELD"
evaluation::Curve load_curve(const std::string& value, io::RunRecord& record) {
  const size_t colon = value.find(':');
  const size_t equals = value.find('=', colon == std::string::npos ? 0 : colon);
  const size_t last = value.rfind(':');
  if (colon == std::string::npos || equals == std::string::npos || last < equals) {
    throw Error(Exit::usage,
                fmt::format("bad value '{}' for 'curve': expected CHART:NAME=FILE:FIELD", value));
  }
  const std::string file = value.substr(equals + 1, last - equals - 1);
  record.add_input(file);
  return {value.substr(0, colon), value.substr(colon + 1, equals - colon - 1), "step",
          evaluation::read_series(file, value.substr(last + 1))};
}

/// The studies to show: `limit` of each split, evenly spread over the order of the score records.
std::set<std::pair<std::string, std::string>> chosen_studies(const std::vector<Score>& scores,
                                                             int64_t limit) {
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> by_split;
  for (const Score& score : scores) {
    if (score.system == scores.front().system)
      by_split[score.split].emplace_back(score.seed, score.study_id);
  }
  std::set<std::pair<std::string, std::string>> chosen;
  for (const auto& [split, studies] : by_split) {
    const size_t count =
        limit == 0 ? studies.size() : std::min(studies.size(), static_cast<size_t>(limit));
    for (size_t i = 0; i < count; ++i) chosen.insert(studies[i * studies.size() / count]);
  }
  return chosen;
}

evaluation::StudyCard make_card(const Score& score, const StudySets& sets) {
  evaluation::StudyCard card;
  card.study_id = score.study_id;
  card.split = score.split;
  card.site = score.site;
  card.seed = score.seed;
  card.reference = score.reference;
  card.conditions = score.present;
  const auto set = sets.find(score.seed);
  if (set == sets.end()) return card;
  const data::Study* study = set->second->find(score.study_id);
  if (!study)
    throw Error(Exit::data,
                fmt::format("study '{}' of the scores is not among the studies of tag '{}'",
                            score.study_id, score.seed));
  card.indication = study->indication.value_or("");
  if (!study->images.empty()) card.image_png = set->second->image_bytes(study->images.front());
  return card;
}

std::vector<evaluation::StudyCard> make_cards(const std::vector<Score>& scores,
                                              const StudySets& sets, int64_t limit) {
  const auto chosen = chosen_studies(scores, limit);
  std::vector<evaluation::StudyCard> cards;
  std::map<std::pair<std::string, std::string>, size_t> place;
  for (const Score& score : scores) {
    const std::pair key{score.seed, score.study_id};
    if (!chosen.contains(key)) continue;
    const auto [it, is_new] = place.emplace(key, cards.size());
    if (is_new) cards.push_back(make_card(score, sets));
    cards[it->second].texts.push_back({score.system, score.text, score.metrics});
  }
  return cards;
}

}  // namespace

void write_report(const EvalToolOptions& o, const std::vector<Score>& scores,
                  const evaluation::Comparison& comparison,
                  const std::map<std::string, std::string>& signatures, io::RunRecord& record) {
  evaluation::ReportPage page;
  page.title = o.title;
  page.comparison = comparison;
  page.signatures = signatures;
  page.metrics = scoring::known_metrics(o.scoring);
  page.studies = make_cards(scores, load_studies(o.studies, record), o.shown_studies);
  for (const std::string& value : o.curves) page.curves.push_back(load_curve(value, record));
  io::AtomicFile out(o.html);
  out.write(evaluation::report_page(page, io::read_file(cli::installed_file("report/report.css")),
                                    io::read_file(cli::installed_file("report/report.js"))));
  out.commit();
  record.add_output(o.html, out.sha256());
}

}  // namespace unirg
