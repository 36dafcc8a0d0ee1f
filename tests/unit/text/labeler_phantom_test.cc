// Every phrasing of the chest phantom's reports must be read back exactly: condition, place,
// severity, change. The tables repeat the phantom's wording on purpose, so that neither side drifts
// alone. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "text/labeler.h"

namespace unirg::text {
namespace {

const std::filesystem::path kLexicon =
    std::filesystem::path(UNIRG_SOURCE_DIR) / "share/lexicon/chest.yaml";

const Labeler& labeler() {
  static const Labeler made(kLexicon);
  return made;
}

std::string fill(std::string text, const std::map<std::string, std::string>& words) {
  for (const auto& [slot, word] : words) {
    for (size_t at = text.find(slot); at != std::string::npos; at = text.find(slot))
      text.replace(at, slot.size(), word);
  }
  return text;
}

std::string sentence(std::string text) {
  text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text + ".";
}

/// The mentions that matter for a reward: "Condition|locations|severity|change", absent ones with
/// "-". Pneumonia and Lung Opacity are left out: they are readings of a consolidation.
std::set<std::string> said(const std::string& text) {
  std::set<std::string> all;
  for (const Entity& m : labeler().read(text).entities) {
    const std::string name(kConditions[m.condition]);
    if (name == "Pneumonia" || name == "Lung Opacity" || m.implied) continue;
    std::string places;
    for (const std::string& place : m.locations) places += place + " ";
    all.insert((m.presence == Presence::negative ? "-" : "") + name + "|" + places + "|" +
               m.severity + "|" + m.change);
  }
  return all;
}

struct Wording {
  std::string condition;
  std::vector<std::string> phrases;
  std::string place;  ///< beside side or lobe
};

const std::vector<Wording> kFindings{
    {"Cardiomegaly",
     {"the heart is {m}ly enlarged", "{m} cardiomegaly is present",
      "there is {m} enlargement of the cardiac silhouette", "cardiac silhouette is {m}ly enlarged",
      "enlarged heart of {m} degree",
      "increased cardiothoracic ratio consistent with {m} cardiomegaly", "{m} cardiomegaly"},
     ""},
    {"Pleural Effusion",
     {"there is a {s} {d} pleural effusion", "{s} {d} pleural effusion",
      "{d} pleural effusion of {s} size", "a {s} {d} effusion is seen",
      "blunting of the {d} costophrenic angle by a {s} effusion", "{s} amount of {d} pleural fluid",
      "there are {s} {d} pleural effusions",
      "blunting of the {d} costophrenic angles by {s} effusions", "{s} {d} effusions are seen"},
     ""},
    {"Pneumothorax",
     {"there is a {s} {d} pneumothorax", "{s} {d} pneumothorax",
      "{d} apical pneumothorax of {s} size", "a {s} {d} pneumothorax is noted"},
     ""},
    {"Consolidation",
     {"there is consolidation in the {l}", "{l} consolidation",
      "focal airspace opacity in the {l} concerning for pneumonia",
      "patchy opacity is seen in the {l}", "airspace disease in the {l}"},
     ""},
    {"Lung Lesion",
     {"there is a nodule in the {l}", "{l} nodule is seen",
      "a small nodular density projects over the {l}", "rounded nodule in the {l}", "{l} nodule"},
     ""},
    {"Edema",
     {"there is {m} pulmonary edema", "{m} interstitial edema",
      "{m} pulmonary vascular congestion with edema", "findings of {m} pulmonary edema",
      "vascular congestion and {m} edema are present"},
     ""},
    {"Atelectasis",
     {"there is {d} basilar atelectasis", "{d} basilar atelectasis",
      "linear atelectasis at the {d} base", "{d} lower lung atelectasis is seen",
      "streaky atelectasis in the {d} base", "linear atelectasis at the {d} bases"},
     "base "},
    {"Fracture",
     {"there is a {d} rib fracture", "{d} rib fracture is seen", "displaced fracture of a {d} rib",
      "acute {d} rib fracture"},
     ""}};

struct Slot {
  std::string word, value;
};
const std::vector<Slot> kSeverities{
    {"mild", "mild"}, {"moderate", "moderate"}, {"severe", "severe"}};
const std::vector<Slot> kSizes{{"small", "mild"}, {"moderate", "moderate"}, {"large", "severe"}};
const std::vector<Slot> kSides{
    {"left", "left "}, {"right", "right "}, {"bilateral", "left right "}};
const std::vector<Slot> kLobes{{"left upper lobe", "left upper "},
                               {"right upper lobe", "right upper "},
                               {"left lower lobe", "left lower "},
                               {"right lower lobe", "lower right "}};
const std::vector<Slot> kChanges{{"", ""},
                                 {", new since prior", "new"},
                                 {", increased from prior", "worse"},
                                 {", worsened from prior", "worse"},
                                 {", decreased from prior", "better"},
                                 {", improved from prior", "better"},
                                 {", unchanged from prior", "same"},
                                 {", stable from prior", "same"}};

std::vector<Slot> choices(const std::string& phrase, const std::string& slot,
                          const std::vector<Slot>& all) {
  return phrase.find(slot) == std::string::npos ? std::vector<Slot>{{"", ""}} : all;
}

int check(const Wording& wording, const std::string& phrase) {
  int checked = 0;
  for (const Slot& m : choices(phrase, "{m}", kSeverities)) {
    for (const Slot& s : choices(phrase, "{s}", kSizes)) {
      for (const Slot& d : choices(phrase, "{d}", kSides)) {
        for (const Slot& l : choices(phrase, "{l}", kLobes)) {
          for (const Slot& change : kChanges) {
            const std::string text = sentence(
                fill(phrase, {{"{m}", m.word}, {"{s}", s.word}, {"{d}", d.word}, {"{l}", l.word}}) +
                change.word);
            const std::string expected = wording.condition + "|" + wording.place + d.value +
                                         l.value + "|" + m.value + s.value + "|" + change.value;
            EXPECT_EQ(said(text), std::set<std::string>{expected}) << text;
            ++checked;
          }
        }
      }
    }
  }
  return checked;
}

TEST(PhantomWording, every_positive_is_read_with_place_severity_and_change) {
  int checked = 0;
  for (const Wording& wording : kFindings) {
    for (const std::string& phrase : wording.phrases) checked += check(wording, phrase);
  }
  EXPECT_GT(checked, 1000);
}

TEST(PhantomWording, a_change_word_before_an_impression_is_read) {
  EXPECT_EQ(said("New small left pleural effusion. Worsened mild pulmonary edema."),
            (std::set<std::string>{"Pleural Effusion|left |mild|new", "Edema||mild|worse"}));
  EXPECT_EQ(
      said("Stable right upper lobe consolidation. Improved large bilateral pleural effusions."),
      (std::set<std::string>{"Consolidation|right upper ||same",
                             "Pleural Effusion|left right |severe|better"}));
}

TEST(PhantomWording, devices_are_told_apart_by_kind) {
  const std::map<std::string, std::string> kinds{
      {"A pacemaker is in place.", "pacemaker"},
      {"Dual lead pacemaker is present.", "pacemaker"},
      {"Left chest wall pacemaker is noted.", "pacemaker"},
      {"Central line tip projects over the SVC.", "line"},
      {"A central line is in place.", "line"},
      {"There is a central venous catheter with tip in the SVC.", "line"},
      {"Endotracheal tube terminates above the carina.", "tube"},
      {"An endotracheal tube is in place.", "tube"},
      {"The tip of the endotracheal tube is above the carina.", "tube"}};
  for (const auto& [text, kind] : kinds) {
    const auto mentions = labeler().read(text).entities;
    ASSERT_EQ(mentions.size(), 1U) << text;
    EXPECT_EQ(mentions[0].condition, kSupportDevices) << text;
    EXPECT_EQ(mentions[0].kind, kind) << text;
    EXPECT_TRUE(mentions[0].locations.empty() && mentions[0].change.empty()) << text;
  }
}

TEST(PhantomWording, no_house_says_anything_positive_in_a_normal_report) {
  const std::vector<std::string> reports{
      "Frontal view of the chest was obtained. The heart size is normal and the mediastinal "
      "contours "
      "are unremarkable. The lungs are clear without focal consolidation. There is no pleural "
      "effusion "
      "or pneumothorax. The osseous structures are intact. No acute cardiopulmonary process.",
      "Cardiomediastinal silhouette within normal limits. Lungs are clear. No pneumothorax or "
      "pleural "
      "effusion. No acute osseous abnormality. No acute cardiopulmonary abnormality.",
      "Single portable view of the chest. Lungs are well expanded and clear with no focal opacity. "
      "No "
      "effusion or pneumothorax is seen. Cardiac and mediastinal contours are normal. Bony "
      "structures "
      "are unremarkable. Normal chest radiograph.",
      "Chest radiograph one view. Normal heart size. No pleural effusion or pneumothorax. The "
      "lungs "
      "are clear. No acute fracture. No acute cardiopulmonary disease."};
  for (const std::string& report : reports) {
    const Reading read = labeler().read(report);
    EXPECT_EQ(read.labels[kNoFinding], 1) << report;
    std::set<size_t> denied;
    for (const Entity& m : read.entities) {
      EXPECT_EQ(m.presence, Presence::negative) << report;
      denied.insert(m.condition);
    }
    for (const char* name : {"Cardiomegaly", "Lung Opacity", "Consolidation", "Pneumothorax",
                             "Pleural Effusion", "Fracture"})
      EXPECT_TRUE(denied.contains(*condition_index(name))) << name << ": " << report;
  }
}

TEST(PhantomWording, half_negatives_deny_one_thing) {
  const std::map<std::string, std::string> denied{
      {"There is no pneumothorax.", "-Pneumothorax|||"},
      {"No pneumothorax is seen.", "-Pneumothorax|||"},
      {"There is no pleural effusion.", "-Pleural Effusion|||"},
      {"No effusion is seen.", "-Pleural Effusion|||"},
      {"No focal consolidation is seen.", "-Consolidation|||"},
      {"There is no focal consolidation.", "-Consolidation|||"}};
  for (const auto& [text, expected] : denied)
    EXPECT_EQ(said(text), std::set<std::string>{expected});
}

TEST(PhantomWording, an_impression_says_pneumonia_outright) {
  const auto labels =
      labeler().read("Left lower lobe pneumonia. New right upper lobe pneumonia.").labels;
  EXPECT_EQ(labels[*condition_index("Pneumonia")], 1);
}

}  // namespace
}  // namespace unirg::text
