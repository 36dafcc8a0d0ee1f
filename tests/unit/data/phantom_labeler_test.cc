// What the phantom draws and what the labeler reads from its reports must agree, or rewards teach
// the wrong thing.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>

#include "data/phantom_folder.h"
#include "text/labeler.h"

namespace unirg::data {
namespace {

const std::filesystem::path kLexicon =
    std::filesystem::path(UNIRG_SOURCE_DIR) / "share/lexicon/chest.yaml";

std::vector<PhantomCase> many_cases() {
  PhantomConfig config;
  config.seed = 11;
  config.phrasings = 10;
  config.train = 1500;
  config.validate = config.test = 0;
  config.heldout = 500;
  return make_cases(config);
}

/// What is known of a condition, over all its mentions in a text.
struct Seen {
  std::set<std::string> sides, zones, severities, changes;
  bool operator==(const Seen&) const = default;
};

/// The lexicon has one scale: a small effusion is mild, a large one severe.
std::string scale(int grade) { return std::string(severity_name(grade)); }

void add_lobe(Seen& seen, size_t lobe) {
  seen.sides.insert(lobe < 2 ? "right" : "left");
  seen.zones.insert(lobe % 2 == 0 ? "upper" : "lower");
}

void add_change(Seen& seen, PhantomChange change) {
  if (change != PhantomChange::none) seen.changes.insert(std::string(change_name(change)));
}

std::map<std::string_view, Seen> drawn(const PhantomStudy& study) {
  const image::PhantomMarks& m = study.findings.marks;
  std::map<std::string_view, Seen> all;
  if (study.findings.cardiomegaly > 0) {
    all["Cardiomegaly"].severities.insert(scale(study.findings.cardiomegaly));
  }
  if (m.edema.grade > 0) {
    all["Edema"].severities.insert(scale(m.edema.grade));
    add_change(all["Edema"], study.changes.edema);
  }
  for (size_t lobe = 0; lobe < 4; ++lobe) {
    if (m.consolidation[lobe].grade > 0) {
      add_lobe(all["Consolidation"], lobe);
      add_change(all["Consolidation"], study.changes.consolidation[lobe]);
    }
    if (m.nodule[lobe].grade > 0) add_lobe(all["Lung Lesion"], lobe);
  }
  for (size_t side = 0; side < 2; ++side) {
    const std::string name(side_name(static_cast<int>(side)));
    if (m.atelectasis[side].grade > 0) all["Atelectasis"].sides.insert(name);
    if (m.fracture[side].grade > 0) all["Fracture"].sides.insert(name);
    if (m.effusion[side].grade > 0) {
      all["Pleural Effusion"].sides.insert(name);
      all["Pleural Effusion"].severities.insert(scale(m.effusion[side].grade));
      add_change(all["Pleural Effusion"], study.changes.effusion[side]);
    }
    if (m.pneumothorax[side].grade > 0) {
      all["Pneumothorax"].sides.insert(name);
      all["Pneumothorax"].severities.insert(scale(m.pneumothorax[side].grade));
      add_change(all["Pneumothorax"], study.changes.pneumothorax[side]);
    }
  }
  return all;
}

/// The same from the labeler's positive entities; attributes that the phantom does not grade are
/// left out.
std::map<std::string_view, Seen> read(const text::Reading& reading) {
  static const std::set<std::string_view> kPaired{"Consolidation",    "Lung Lesion",
                                                  "Atelectasis",      "Fracture",
                                                  "Pleural Effusion", "Pneumothorax"};
  static const std::set<std::string_view> kZoned{"Consolidation", "Lung Lesion"};
  static const std::set<std::string_view> kGraded{"Cardiomegaly", "Edema", "Pleural Effusion",
                                                  "Pneumothorax"};
  static const std::set<std::string_view> kIgnored{"Support Devices", "Pneumonia", "Lung Opacity"};
  std::map<std::string_view, Seen> all;
  for (const text::Entity& entity : reading.entities) {
    const std::string_view name = text::kConditions[entity.condition];
    // "opacity ... concerning for pneumonia, unchanged": the change is told of the pneumonia.
    if (name == "Pneumonia" && !entity.change.empty()) {
      all["Consolidation"].changes.insert(entity.change);
    }
    if (entity.presence != text::Presence::positive || kIgnored.contains(name)) continue;
    Seen& seen = all[name];
    for (const std::string& location : entity.locations) {
      const bool both = location == "bilateral";
      if (kPaired.contains(name) && (both || location == "left")) seen.sides.insert("left");
      if (kPaired.contains(name) && (both || location == "right")) seen.sides.insert("right");
      if (kZoned.contains(name) && (location == "upper" || location == "lower")) {
        seen.zones.insert(location);
      }
    }
    if (kGraded.contains(name) && !entity.severity.empty()) seen.severities.insert(entity.severity);
    if (!entity.change.empty()) seen.changes.insert(entity.change);
  }
  return all;
}

std::string show(const Seen& seen) {
  std::string text;
  for (const auto* words : {&seen.sides, &seen.zones, &seen.severities, &seen.changes}) {
    for (const std::string& word : *words) text += word + " ";
    text += "| ";
  }
  return text;
}

TEST(PhantomLabeler, EveryDrawnConditionComesBackFromFindingsAndImpression) {
  const text::Labeler labeler(kLexicon);
  for (const PhantomCase& phantom : many_cases()) {
    const std::string prose = phantom.report.findings + "\n" + phantom.report.impression;
    const text::Labels labels = labeler.read(prose).labels;
    const text::Labels truth = condition_labels(phantom.study.findings);
    for (size_t i = 0; i < truth.size(); ++i) {
      if (!truth[i]) continue;
      EXPECT_EQ(labels[i] == 1, truth[i] == 1) << text::kConditions[i] << ": " << prose;
    }
    if (::testing::Test::HasFailure()) return;  // one report is enough to read
  }
}

TEST(PhantomLabeler, SidesLobesSeveritiesAndChangesComeBackFromTheFindings) {
  const text::Labeler labeler(kLexicon);
  for (const PhantomCase& phantom : many_cases()) {
    const auto truth = drawn(phantom.study);
    const auto found = read(labeler.read(phantom.report.findings));
    for (const auto& [name, seen] : truth) {
      ASSERT_TRUE(found.contains(name)) << name << ": " << phantom.report.findings;
      EXPECT_TRUE(found.at(name) == seen) << name << ": " << phantom.report.findings << "\nread "
                                          << show(found.at(name)) << "\ndrawn " << show(seen);
    }
    EXPECT_EQ(found.size(), truth.size()) << phantom.report.findings;
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(PhantomLabeler, SeveritiesAndSidesComeBackFromTheImpressionAlone) {
  const text::Labeler labeler(kLexicon);
  for (const PhantomCase& phantom : many_cases()) {
    auto truth = drawn(phantom.study);
    const auto found = read(labeler.read(phantom.report.impression));
    for (auto& [name, seen] : truth) {
      if (name == "Consolidation") continue;  // the impression may call it pneumonia
      ASSERT_TRUE(found.contains(name)) << name << ": " << phantom.report.impression;
      EXPECT_EQ(found.at(name).sides, seen.sides) << phantom.report.impression;
      EXPECT_EQ(found.at(name).severities, seen.severities) << phantom.report.impression;
      EXPECT_EQ(found.at(name).changes, seen.changes) << phantom.report.impression;
    }
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace unirg::data
