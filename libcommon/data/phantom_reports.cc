// Wording: section 4 of the project's phantom recipe. {m} is a severity, {s} a size, {d} a side,
// {l} a lobe.
// SPDX-License-Identifier: Apache-2.0
#include "data/phantom_reports.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <vector>

#include "base/error.h"
#include "base/rng.h"

namespace unirg::data {
namespace {

using Phrases = std::vector<std::string_view>;
using image::PhantomMark;

const Phrases kCardiomegaly{"the heart is {m}ly enlarged",
                            "{m} cardiomegaly is present",
                            "there is {m} enlargement of the cardiac silhouette",
                            "cardiac silhouette is {m}ly enlarged",
                            "enlarged heart of {m} degree",
                            "increased cardiothoracic ratio consistent with {m} cardiomegaly",
                            "heart size is {m}ly enlarged",
                            "cardiomegaly, {m}",
                            "a {m}ly enlarged heart is noted",
                            "{m}ly enlarged cardiac silhouette"};
const Phrases kEffusion{"there is a {s} {d} pleural effusion",
                        "{s} {d} pleural effusion",
                        "{d} pleural effusion of {s} size",
                        "a {s} {d} effusion is seen",
                        "blunting of the {d} costophrenic angle by a {s} effusion",
                        "{s} amount of {d} pleural fluid",
                        "pleural effusion on the {d}, {s} in size",
                        "layering {s} {d} pleural effusion",
                        "evidence of a {s} {d} pleural effusion",
                        "the {d} costophrenic angle is blunted by a {s} effusion"};
const Phrases kBilateralEffusion{"there are {s} bilateral pleural effusions",
                                 "{s} bilateral pleural effusions",
                                 "bilateral pleural effusions of {s} size",
                                 "{s} bilateral effusions are seen",
                                 "blunting of the bilateral costophrenic angles by {s} effusions",
                                 "{s} amount of bilateral pleural fluid",
                                 "pleural effusions on both sides, {s} in size",
                                 "layering {s} bilateral pleural effusions",
                                 "evidence of {s} bilateral pleural effusions",
                                 "the costophrenic angles are blunted by {s} bilateral effusions"};
const Phrases kPneumothorax{
    "there is a {s} {d} pneumothorax",       "{s} {d} pneumothorax",
    "{d} apical pneumothorax of {s} size",   "a {s} {d} pneumothorax is noted",
    "pneumothorax on the {d}, {s} in size",  "evidence of a {s} {d} pneumothorax",
    "apical {d} pneumothorax, {s} in size",  "visible pleural line of a {s} {d} pneumothorax",
    "the {d} lung shows a {s} pneumothorax", "known {s} {d} pneumothorax"};
const Phrases kConsolidation{"there is consolidation in the {l}",
                             "{l} consolidation",
                             "focal airspace opacity in the {l} concerning for pneumonia",
                             "patchy opacity is seen in the {l}",
                             "airspace disease in the {l}",
                             "consolidation in the {l}",
                             "the {l} shows consolidation",
                             "dense consolidation of the {l}",
                             "evidence of consolidation in the {l}",
                             "a consolidation is seen in the {l}"};
const Phrases kNodule{"there is a nodule in the {l}",
                      "{l} nodule is seen",
                      "a small nodular density projects over the {l}",
                      "rounded nodule in the {l}",
                      "nodule in the {l}",
                      "the {l} contains a nodule",
                      "solitary nodule of the {l}",
                      "evidence of a nodule in the {l}",
                      "focal nodular density in the {l}",
                      "well defined nodule in the {l}"};
const Phrases kEdema{"there is {m} pulmonary edema",
                     "{m} interstitial edema",
                     "{m} pulmonary vascular congestion with edema",
                     "findings of {m} pulmonary edema",
                     "vascular congestion and {m} edema are present",
                     "pulmonary edema, {m}",
                     "the lungs show {m} pulmonary edema",
                     "interstitial edema of {m} degree",
                     "evidence of {m} pulmonary edema",
                     "perihilar edema, {m}"};
const Phrases kAtelectasis{
    "there is {d} basilar atelectasis",    "{d} basilar atelectasis",
    "linear atelectasis at the {d} base",  "{d} lower lung atelectasis is seen",
    "streaky atelectasis in the {d} base", "atelectasis at the {d} base",
    "the {d} base shows atelectasis",      "subsegmental atelectasis at the {d} base",
    "discoid atelectasis at the {d} base", "bandlike atelectasis at the {d} base"};
const Phrases kBilateralAtelectasis{"there is bilateral basilar atelectasis",
                                    "bilateral basilar atelectasis",
                                    "linear atelectasis at the bilateral bases",
                                    "bilateral lower lung atelectasis is seen",
                                    "streaky atelectasis in the bilateral bases",
                                    "atelectasis at the bilateral bases",
                                    "both bases show atelectasis",
                                    "subsegmental atelectasis at the bilateral bases",
                                    "discoid atelectasis at the bilateral bases",
                                    "bandlike atelectasis at the bilateral bases"};
const Phrases kPacemaker{"a pacemaker is in place",
                         "dual lead pacemaker is present",
                         "left chest wall pacemaker is noted",
                         "pacemaker over the left chest",
                         "cardiac pacemaker is seen",
                         "the pacemaker leads are in place",
                         "implanted pacemaker is present",
                         "there is a pacemaker",
                         "transvenous pacemaker is in place",
                         "status post pacemaker placement"};
const Phrases kLine{"central line tip projects over the SVC",
                    "a central line is in place",
                    "there is a central venous catheter with tip in the SVC",
                    "the central venous catheter ends in the SVC",
                    "right central line is seen",
                    "tip of the central line is in the SVC",
                    "venous catheter with its tip in the SVC",
                    "indwelling central venous catheter",
                    "SVC catheter is in place",
                    "status post central line placement"};
const Phrases kTube{"endotracheal tube terminates above the carina",
                    "an endotracheal tube is in place",
                    "the tip of the endotracheal tube is above the carina",
                    "tip of the endotracheal tube is above the carina",
                    "ET tube is in place",
                    "there is an endotracheal tube",
                    "intubated, with the endotracheal tube above the carina",
                    "tracheal tube ends above the carina",
                    "orotracheal tube is in place",
                    "status post placement of an endotracheal tube"};
const Phrases kFracture{"there is a {d} rib fracture",
                        "{d} rib fracture is seen",
                        "displaced fracture of a {d} rib",
                        "acute {d} rib fracture",
                        "fracture of a {d} rib",
                        "the {d} ribs show a fracture",
                        "nondisplaced {d} rib fracture",
                        "evidence of a {d} rib fracture",
                        "cortical step of a {d} rib fracture",
                        "a {d} rib fracture is present"};

enum class Organ { device, heart, lungs, pleura, bones };

/// A site's way of reporting. Openers may be absent; of several lines one is drawn.
struct House {
  std::array<Organ, 5> order;
  Phrases openers;
  double opener_share;
  std::string_view heart, lungs, pleura, bones;  ///< without a finding
  std::string_view no_pneumothorax, no_effusion, no_consolidation;
  Phrases normal;  ///< impression without a finding
};

using enum Organ;
const std::array<House, 4> kHouses{
    {{{device, heart, lungs, pleura, bones},
      {"frontal view of the chest was obtained"},
      .9,
      "the heart size is normal and the mediastinal contours are unremarkable",
      "the lungs are clear without focal consolidation",
      "there is no pleural effusion or pneumothorax",
      "the osseous structures are intact",
      "there is no pneumothorax",
      "there is no pleural effusion",
      "there is no focal consolidation",
      {"no acute cardiopulmonary process"}},
     {{heart, lungs, pleura, bones, device},
      {},
      0,
      "cardiomediastinal silhouette within normal limits",
      "lungs are clear",
      "no pneumothorax or pleural effusion",
      "no acute osseous abnormality",
      "no pneumothorax",
      "no pleural effusion",
      "no focal consolidation",
      {"no acute cardiopulmonary abnormality"}},
     {{lungs, pleura, heart, device, bones},
      {"single portable view of the chest", "portable chest radiograph"},
      1,
      "cardiac and mediastinal contours are normal",
      "lungs are well expanded and clear with no focal opacity",
      "no effusion or pneumothorax is seen",
      "bony structures are unremarkable",
      "no pneumothorax is seen",
      "no effusion is seen",
      "no focal consolidation is seen",
      {"normal chest radiograph", "no acute disease"}},
     {{heart, pleura, lungs, device, bones},
      {"chest radiograph one view"},
      1,
      "normal heart size",
      "the lungs are clear",
      "no pleural effusion or pneumothorax",
      "no acute fracture",
      "no pneumothorax",
      "no pleural effusion",
      "no focal consolidation",
      {"no acute cardiopulmonary disease"}}}};

struct Words {
  std::string_view severity = {}, size = {}, side = {}, lobe = {};
};

std::string fill(std::string_view phrase, const Words& words) {
  std::string out;
  for (size_t i = 0; i < phrase.size(); ++i) {
    if (phrase[i] != '{') {
      out += phrase[i];
      continue;
    }
    const char slot = phrase[i + 1];
    const std::string_view word = slot == 'm'   ? words.severity
                                  : slot == 's' ? words.size
                                  : slot == 'd' ? words.side
                                                : words.lobe;
    UNIRG_ASSERT(!word.empty() && phrase[i + 2] == '}', "phrase with an unknown or unfilled slot");
    out += word;
    i += 2;
  }
  return out;
}

/// Collects findings and impression while walking the organs.
class Writer {
 public:
  Writer(const PhantomConfig& config, const PhantomStudy& study)
      : config_(config),
        study_(study),
        marks_(study.findings.marks),
        house_(kHouses.at(static_cast<size_t>(study.site - 'A'))),
        rng_(static_cast<uint64_t>(config.seed), "phantom-report", study.study_id) {}

  PhantomReport write(std::string_view prior_impression);

 private:
  void device_part();
  void heart_part();
  void lungs_part();
  void pleura_part();
  void bones_part();
  void effusion(size_t side, bool is_bilateral);

  void sentence(std::string_view text) { add_sentence(findings_, text); }
  static void add_sentence(std::string& prose, std::string_view text) {
    if (!prose.empty()) prose += ' ';
    const size_t begin = prose.size();
    prose.append(text).append(".");
    prose[begin] = static_cast<char>(std::toupper(static_cast<unsigned char>(prose[begin])));
  }
  /// A finding: its sentence, and its line of the impression unless that is empty.
  void positive(const Phrases& phrases, const Words& words, std::string_view impression,
                PhantomChange change = PhantomChange::none);
  /// The house's sentence for a negative, or with several phrasings that of any house.
  void negative(std::string_view House::*line) {
    sentence((config_.varied_negatives ? kHouses[rng_.below(4)] : house_).*line);
  }
  [[nodiscard]] std::string_view change_word(PhantomChange change);
  [[nodiscard]] bool suggests_infection() const;

  const PhantomConfig& config_;
  const PhantomStudy& study_;
  const image::PhantomMarks& marks_;
  const House& house_;
  Rng rng_;
  std::string findings_, impression_;
};

std::string_view Writer::change_word(PhantomChange change) {
  const bool first = rng_.chance(.5);
  switch (change) {
    case PhantomChange::none:
      return "";
    case PhantomChange::fresh:
      return "new";
    case PhantomChange::worse:
      return first ? "increased" : "worsened";
    case PhantomChange::better:
      return first ? "decreased" : "improved";
    case PhantomChange::same:
      return first ? "unchanged" : "stable";
  }
  return "";
}

void Writer::positive(const Phrases& phrases, const Words& words, std::string_view impression,
                      PhantomChange change) {
  const size_t ways = std::min(phrases.size(), static_cast<size_t>(config_.phrasings));
  std::string text = fill(phrases[rng_.below(ways)], words);
  const std::string_view word = change_word(change);
  if (!word.empty()) text += fmt::format(", {} {} prior", word, word == "new" ? "since" : "from");
  sentence(text);
  if (impression.empty()) return;
  const std::string line = fill(impression, words);
  add_sentence(impression_, word.empty() ? line : fmt::format("{} {}", word, line));
}

void Writer::device_part() {
  if (marks_.pacemaker.grade > 0) positive(kPacemaker, {}, "");
  if (marks_.line.grade > 0) positive(kLine, {}, "");
  if (marks_.tube.grade > 0) positive(kTube, {}, "");
}

void Writer::heart_part() {
  const int grade = study_.findings.cardiomegaly;
  if (grade == 0) return negative(&House::heart);
  positive(kCardiomegaly, {.severity = severity_name(grade)}, "{m} cardiomegaly");
}

/// What turns a consolidation into a pneumonia is what the referrer asks, as in a clinic.
bool Writer::suggests_infection() const {
  return study_.indication == "cough" || study_.indication == "fever";
}

void Writer::lungs_part() {
  bool any = false;
  bool any_consolidation = false;
  if (marks_.edema.grade > 0) {
    positive(kEdema, {.severity = severity_name(marks_.edema.grade)}, "{m} pulmonary edema",
             study_.changes.edema);
    any = true;
  }
  for (size_t lobe = 0; lobe < 4; ++lobe) {
    if (marks_.consolidation[lobe].grade == 0) continue;
    const bool says_pneumonia = rng_.chance(suggests_infection() ? .9 : .1);
    positive(kConsolidation, {.lobe = lobe_name(static_cast<int>(lobe))},
             says_pneumonia ? "{l} pneumonia" : "{l} consolidation",
             study_.changes.consolidation[lobe]);
    any = any_consolidation = true;
  }
  for (size_t lobe = 0; lobe < 4; ++lobe) {
    if (marks_.nodule[lobe].grade == 0) continue;
    positive(kNodule, {.lobe = lobe_name(static_cast<int>(lobe))}, "{l} nodule");
    any = true;
  }
  const auto& atelectasis = marks_.atelectasis;
  if (atelectasis[0].grade > 0 && atelectasis[1].grade > 0) {
    positive(kBilateralAtelectasis, {}, "bilateral basilar atelectasis");
    any = true;
  } else if (atelectasis[0].grade > 0 || atelectasis[1].grade > 0) {
    const int side = atelectasis[0].grade > 0 ? image::kRight : image::kLeft;
    positive(kAtelectasis, {.side = side_name(side)}, "{d} basilar atelectasis");
    any = true;
  }
  if (!any) return negative(&House::lungs);
  constexpr double kSaysNoConsolidation = .8;
  if (!any_consolidation && rng_.chance(kSaysNoConsolidation)) negative(&House::no_consolidation);
}

void Writer::effusion(size_t side, bool is_bilateral) {
  Words words{.size = size_name(marks_.effusion[side].grade)};
  if (is_bilateral) {
    return positive(kBilateralEffusion, words, "{s} bilateral pleural effusions",
                    study_.changes.effusion[side]);
  }
  words.side = side_name(static_cast<int>(side));
  positive(kEffusion, words, "{s} {d} pleural effusion", study_.changes.effusion[side]);
}

void Writer::pleura_part() {
  const auto& e = marks_.effusion;
  const bool is_bilateral = e[0].grade > 0 && e[0].grade == e[1].grade &&
                            study_.changes.effusion[0] == study_.changes.effusion[1];
  bool any_effusion = false;
  for (size_t side = 0; side < 2; ++side) {
    if (e[side].grade == 0 || (is_bilateral && side == 1)) continue;
    effusion(side, is_bilateral);
    any_effusion = true;
  }
  bool any_pneumothorax = false;
  for (size_t side = 0; side < 2; ++side) {
    const int grade = marks_.pneumothorax[side].grade;
    if (grade == 0) continue;
    positive(kPneumothorax, {.size = size_name(grade), .side = side_name(static_cast<int>(side))},
             "{s} {d} pneumothorax", study_.changes.pneumothorax[side]);
    any_pneumothorax = true;
  }
  if (!any_effusion && !any_pneumothorax) return negative(&House::pleura);
  if (!any_pneumothorax) negative(&House::no_pneumothorax);
  if (!any_effusion) negative(&House::no_effusion);
}

void Writer::bones_part() {
  bool any = false;
  for (size_t side = 0; side < 2; ++side) {
    if (marks_.fracture[side].grade == 0) continue;
    positive(kFracture, {.side = side_name(static_cast<int>(side))}, "{d} rib fracture");
    any = true;
  }
  if (!any) negative(&House::bones);
}

PhantomReport Writer::write(std::string_view prior_impression) {
  if (rng_.chance(house_.opener_share)) sentence(rng_.pick(house_.openers));
  for (const Organ organ : house_.order) {
    switch (organ) {
      case Organ::device:
        device_part();
        break;
      case Organ::heart:
        heart_part();
        break;
      case Organ::lungs:
        lungs_part();
        break;
      case Organ::pleura:
        pleura_part();
        break;
      case Organ::bones:
        bones_part();
        break;
    }
  }
  if (impression_.empty()) add_sentence(impression_, rng_.pick(house_.normal));
  PhantomReport report;
  add_sentence(report.indication, study_.indication);
  report.technique = fmt::format("Frontal chest radiograph, {} view.", study_.view);
  report.comparison = prior_impression.empty() ? "None." : std::string(prior_impression);
  report.findings = findings_;
  report.impression = impression_;
  return report;
}

}  // namespace

PhantomReport write_report(const PhantomConfig& config, const PhantomStudy& study,
                           std::string_view prior_impression) {
  return Writer(config, study).write(prior_impression);
}

std::string report_text(const PhantomReport& report) {
  return fmt::format(
      "INDICATION: {}\nTECHNIQUE: {}\nCOMPARISON: {}\nFINDINGS: {}\nIMPRESSION: {}\n",
      report.indication, report.technique, report.comparison, report.findings, report.impression);
}

}  // namespace unirg::data
