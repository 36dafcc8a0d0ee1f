// Where the labels objective's targets come from. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <set>

#include "policy/report_writer.h"
#include "train/labels.h"

namespace unirg::train {
namespace {

/// Names of everything a study's report says is there: "Edema", "Edema severity mild",
/// "Consolidation left lower", "Support Devices pacemaker" (kinds of one condition look alike but
/// for devices).
std::set<std::string> stated_attributes(const data::Study& study, const text::Labeler& labeler) {
  std::set<std::string> names;
  const text::Reading reading = labeler.read(policy::target_text(study, {}));
  for (const text::Entity& entity : reading.entities) {
    if (entity.presence != text::Presence::positive) continue;
    const std::string condition(text::kConditions[entity.condition]);
    names.insert(condition);
    if (!entity.severity.empty()) names.insert(condition + " severity " + entity.severity);
    if (entity.condition == text::kSupportDevices) names.insert(condition + " " + entity.kind);
    std::string place;
    for (const std::string& location : entity.locations)
      place += " " + location;  // set order: left|right before lower|upper
    if (!place.empty()) names.insert(condition + place);
  }
  return names;
}

}  // namespace

LabelTargets label_targets(const std::vector<const data::Study*>& studies,
                           const text::Labeler& labeler, const std::vector<std::string>& names,
                           double min_share) {
  std::vector<std::set<std::string>> stated;
  std::map<std::string, double> counts;
  for (const data::Study* study : studies) {
    stated.push_back(stated_attributes(*study, labeler));
    for (const std::string& name : stated.back()) ++counts[name];
  }
  LabelTargets targets{names, {}};
  for (const auto& [name, count] : counts) {
    if (names.empty() && count >= min_share * static_cast<double>(studies.size()))
      targets.names.push_back(name);
  }
  for (size_t i = 0; i < studies.size(); ++i) {
    std::vector<float> row;
    for (const std::string& name : targets.names)
      row.push_back(stated[i].contains(name) ? 1.0F : 0.0F);
    for (const data::ConditionLabel& label : studies[i]->labels) {  // the record's own labels win
      const auto it = std::find(targets.names.begin(), targets.names.end(), label.condition);
      if (it == targets.names.end() || !label.value) continue;
      row[static_cast<size_t>(it - targets.names.begin())] =
          *label.value == -1 ? -1.0F : static_cast<float>(*label.value);
    }
    targets.rows.push_back(std::move(row));
  }
  return targets;
}

}  // namespace unirg::train
