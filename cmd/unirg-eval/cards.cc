// SPDX-License-Identifier: Apache-2.0
#include "cards.h"

#include <fmt/format.h>

#include <set>

#include "base/error.h"
#include "scoring/reports.h"

namespace unirg {
namespace {

using evaluation::Score;

std::string report_text(const data::Study& study) {
  const scoring::NamedReport report{.study_id = study.study_id,
                                    .report = {study.findings, study.impression}};
  return scoring::section_text(report, scoring::Sections::both);
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
    for (const size_t k : evaluation::evenly_spread(studies.size(), limit))
      chosen.insert(studies[k]);
  }
  return chosen;
}

/// The value of --rollouts in parts.
struct RolloutFiles {
  std::string tag, name;
  std::filesystem::path rollouts, rewards;
};

RolloutFiles parse_rollouts(const std::string& value) {
  const size_t equals = value.find('=');
  const std::string head = equals == std::string::npos ? "" : value.substr(0, equals);
  const std::string files = equals == std::string::npos ? value : value.substr(equals + 1);
  const size_t colon = files.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == files.size()) {
    throw Error(Exit::usage,
                fmt::format("bad value '{}' for 'rollouts': expected [TAG[:NAME]=]ROLLOUTS:REWARDS",
                            value));
  }
  const size_t name = head.find(':');
  RolloutFiles parts{head.substr(0, name), name == std::string::npos ? "" : head.substr(name + 1),
                     files.substr(0, colon), files.substr(colon + 1)};
  return parts;
}

/// "seed 1, round 24"; without either, what the page calls rollouts anyway.
std::string title_of(const RolloutFiles& files) {
  if (files.tag.empty()) return files.name.empty() ? "rollouts" : files.name;
  return "seed " + files.tag + (files.name.empty() ? "" : ", " + files.name);
}

}  // namespace

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

std::vector<evaluation::Mark> CardMaker::marks(const std::string& text) const {
  return evaluation::mark_statements(text, labeler.read(text));
}

evaluation::StudyCard CardMaker::card(const Score& score) const {
  evaluation::StudyCard card{.study_id = score.study_id,
                             .split = score.split,
                             .site = score.site,
                             .seed = score.seed,
                             .indication = "",
                             .reference = score.reference,
                             .marks = marks(score.reference),
                             .conditions = score.present};
  const auto set = sets.find(score.seed);
  if (set == sets.end()) return card;
  const data::Study* study = set->second->find(score.study_id);
  if (!study)
    throw Error(Exit::data,
                fmt::format("study '{}' of the scores is not among the studies of tag '{}'",
                            score.study_id, score.seed));
  card.indication = study->indication.value_or("");
  card.image = pictures.add(*set->second, *study);
  const data::Study* prior = study->prior ? set->second->find(*study->prior) : nullptr;
  if (prior)
    card.prior = {prior->study_id, prior->date.value_or(""), report_text(*prior),
                  pictures.add(*set->second, *prior)};
  return card;
}

std::vector<evaluation::StudyCard> CardMaker::studies(const std::vector<Score>& scores) const {
  const auto chosen = chosen_studies(scores, limit);
  std::vector<evaluation::StudyCard> cards;
  std::map<std::pair<std::string, std::string>, size_t> place;
  for (const Score& score : scores) {
    const std::pair key{score.seed, score.study_id};
    if (!chosen.contains(key)) continue;
    const auto [it, is_new] = place.emplace(key, cards.size());
    if (is_new) cards.push_back(card(score));
    cards[it->second].texts.push_back({score.system, score.text, score.metrics, marks(score.text)});
  }
  return cards;
}

void CardMaker::describe(evaluation::RolloutCard& card, const std::string& tag) const {
  for (evaluation::RolloutSample& sample : card.samples) sample.marks = marks(sample.text);
  const auto set = sets.find(tag);
  if (set == sets.end()) return;
  const data::Study* study = set->second->find(card.study_id);
  if (!study)
    throw Error(Exit::data,
                fmt::format("study '{}' of the rollouts is not among the studies of tag '{}'",
                            card.study_id, tag));
  card.split = study->split;
  card.indication = study->indication.value_or("");
  card.reference = report_text(*study);
  card.marks = marks(card.reference);
  card.image = pictures.add(*set->second, *study);
}

evaluation::RolloutSet CardMaker::rollouts(const std::string& value, io::RunRecord& record) const {
  const RolloutFiles files = parse_rollouts(value);
  record.add_input(files.rollouts);
  record.add_input(files.rewards);
  evaluation::RolloutSet set{
      title_of(files), evaluation::join_samples(data::read_generations(files.rollouts).records,
                                                data::read_rewards(files.rewards).records, limit)};
  for (evaluation::RolloutCard& card : set.cards) describe(card, files.tag);
  return set;
}

}  // namespace unirg
