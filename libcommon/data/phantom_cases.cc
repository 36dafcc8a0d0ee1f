// Probabilities: section 3 of the project's phantom recipe; ambiguity: its section 0.
// SPDX-License-Identifier: Apache-2.0
#include "data/phantom_cases.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <utility>

#include "base/error.h"
#include "base/rng.h"

namespace unirg::data {
namespace {

using image::PhantomMark;
using image::PhantomMarks;

constexpr int kMaxGrade = 3;
/// Patient numbers of the sets start here, so that a set's patients do not move when another set
/// grows.
constexpr int64_t kValidateFirst = 500'000;
constexpr int64_t kTestFirst = 700'000;
constexpr int64_t kMaxStudies = 200'000;

int grade(Rng& rng, const std::vector<double>& weights) {
  return 1 + static_cast<int>(rng.weighted(weights));
}

/// A patient with something, mostly: each finding on its own, so now and then none at all.
PhantomFindings draw_abnormal(Rng& rng) {
  PhantomFindings f;
  PhantomMarks& m = f.marks;
  if (rng.chance(.33)) f.cardiomegaly = grade(rng, {.5, .35, .15});
  if (rng.chance(f.cardiomegaly > 0 ? .30 : .10)) m.edema.grade = grade(rng, {.45, .35, .2});
  for (PhantomMark& effusion : m.effusion) {
    if (rng.chance(m.edema.grade > 0 ? .32 : .13)) effusion.grade = grade(rng, {.5, .3, .2});
  }
  if (rng.chance(.25)) m.consolidation[rng.below(4)].grade = 1;
  if (rng.chance(.18)) {
    const uint64_t which = rng.below(3);  // right, left, both
    if (which != image::kLeft) m.atelectasis[image::kRight].grade = 1;
    if (which != image::kRight) m.atelectasis[image::kLeft].grade = 1;
  }
  if (rng.chance(.10)) m.nodule[rng.below(4)].grade = 1;
  if (rng.chance(.085)) m.pneumothorax[rng.below(2)].grade = grade(rng, {.4, .35, .25});
  if (rng.chance(.09)) m.pacemaker.grade = 1;
  if (rng.chance(.11)) m.line.grade = 1;
  if (rng.chance(.07)) m.tube.grade = 1;
  if (rng.chance(.06)) m.fracture[rng.below(2)].grade = 1;
  return f;
}

PhantomFindings draw_first(Rng& rng) {
  constexpr double kNormal = .38;
  if (rng.chance(kNormal)) return {};
  return draw_abnormal(rng);
}

bool has_marks(const PhantomMarks& marks) {
  bool any = false;
  PhantomMarks::for_each(marks, [&](const PhantomMark& mark) { any = any || mark.grade > 0; });
  return any;
}

bool is_abnormal(const PhantomFindings& f) { return f.cardiomegaly > 0 || has_marks(f.marks); }

/// Same, a step worse, or a step better; below mild it has resolved.
void progress(PhantomMark& mark, Rng& rng) {
  const size_t step = rng.weighted({.5, .2, .3});
  if (mark.grade == 0) return;
  if (step == 1) mark.grade = std::min(mark.grade + 1, kMaxGrade);
  if (step == 2) --mark.grade;
}

/// The same patient later: what was there goes on, and now and then something is added.
PhantomFindings draw_follow_up(const PhantomFindings& prior, Rng& rng) {
  PhantomFindings now = prior;
  progress(now.marks.edema, rng);
  for (PhantomMark& mark : now.marks.effusion) progress(mark, rng);
  for (PhantomMark& mark : now.marks.pneumothorax) progress(mark, rng);
  for (PhantomMark& mark : now.marks.consolidation) {
    if (rng.chance(.3)) mark.grade = 0;
  }
  const bool atelectasis_clears = rng.chance(.4);
  for (PhantomMark& mark : now.marks.atelectasis) {
    if (atelectasis_clears) mark.grade = 0;
  }
  if (!rng.chance(.25)) return now;
  PhantomMarks added = draw_first(rng).marks;
  added.nodule = {};
  std::vector<PhantomMark> fresh;
  PhantomMarks::for_each(added, [&](const PhantomMark& mark) { fresh.push_back(mark); });
  size_t i = 0;
  PhantomMarks::for_each(now.marks, [&](PhantomMark& mark) {
    if (mark.grade == 0) mark.grade = fresh[i].grade;
    ++i;
  });
  return now;
}

PhantomChange change_between(const PhantomMark& before, const PhantomMark& now) {
  if (now.grade == 0) return PhantomChange::none;
  if (before.grade == 0) return PhantomChange::fresh;
  if (now.grade == before.grade) return PhantomChange::same;
  return now.grade > before.grade ? PhantomChange::worse : PhantomChange::better;
}

PhantomChanges changes_between(const PhantomMarks& before, const PhantomMarks& now) {
  PhantomChanges changes;
  changes.edema = change_between(before.edema, now.edema);
  for (size_t i = 0; i < 4; ++i) {
    changes.consolidation[i] = change_between(before.consolidation[i], now.consolidation[i]);
  }
  for (size_t i = 0; i < 2; ++i) {
    changes.effusion[i] = change_between(before.effusion[i], now.effusion[i]);
    changes.pneumothorax[i] = change_between(before.pneumothorax[i], now.pneumothorax[i]);
  }
  return changes;
}

/// Unreported findings where nothing is reported; a heart is never a decoy, its ratios overlap
/// instead.
PhantomMarks draw_decoys(const PhantomConfig& config, const PhantomMarks& reported, Rng& rng) {
  if (!rng.chance(config.decoy_probability)) return {};
  PhantomMarks decoys = draw_abnormal(rng).marks;
  std::vector<bool> taken;
  PhantomMarks::for_each(reported, [&](const PhantomMark& m) { taken.push_back(m.grade > 0); });
  size_t i = 0;
  PhantomMarks::for_each(decoys, [&](PhantomMark& mark) {
    mark.amplitude = rng.uniform(config.decoy_min, config.decoy_max);
    if (taken[i++] || mark.grade == 0) mark = {};
  });
  return decoys;
}

double heart_ratio(const PhantomConfig& config, int cardiomegaly, double quantile) {
  using Range = std::array<double, 2>;
  constexpr std::array<Range, 4> kOverlap{{{.40, .54}, {.48, .58}, {.55, .64}, {.62, .72}}};
  constexpr std::array<Range, 4> kGap{{{.40, .49}, {.53, .57}, {.58, .63}, {.64, .72}}};
  const Range& range = (config.ctr_gap ? kGap : kOverlap)[static_cast<size_t>(cardiomegaly)];
  return range[0] + (range[1] - range[0]) * quantile;
}

image::PhantomLook look_of(char site) {
  switch (site) {
    case 'A':
      return {1.0, 0, 1.0, .03, .5, 0};
    case 'B':
      return {.80, .10, .85, .04, .8, 4};
    case 'C':
      return {1.15, -.05, 1.2, .02, .4, 0};
    default:
      return {.90, .05, 1.1, .05, 1.0, 6};
  }
}

/// Weakly tied to the findings, as referrals are.
std::string draw_indication(const PhantomFindings& f, Rng& rng) {
  static const std::vector<std::string> kIndications{
      "cough", "fever", "dyspnea", "chest pain", "fall", "preoperative", "hypoxia", "follow up"};
  std::vector<double> weights(kIndications.size(), .5);
  const auto any = [](const auto& marks) {
    return std::any_of(marks.begin(), marks.end(), [](const auto& m) { return m.grade > 0; });
  };
  if (any(f.marks.fracture)) weights[4] += 1;
  if (any(f.marks.consolidation)) {
    weights[0] += .5;
    weights[1] += .5;
  }
  if (f.marks.edema.grade > 0 || any(f.marks.effusion)) weights[2] += .7;
  return kIndications[rng.weighted(weights)];
}

struct Patient {
  std::string id;
  char site = 'A';
  std::string sex, race;
  double age = 0;  ///< years at the first study
  std::chrono::sys_days first_day;
  image::PhantomAnatomy anatomy;
  double heart_quantile = .5;  ///< where in the range of its grade the heart's width lies
};

Patient draw_patient(const PhantomConfig& config, std::string_view split, int64_t index) {
  Patient p;
  const bool is_heldout = split == "heldout_site";
  p.site = is_heldout ? 'D' : "ABC"[index % 3];
  const int64_t first = split == "validate" ? kValidateFirst : split == "test" ? kTestFirst : 0;
  p.id = fmt::format("{}-{:06}", p.site, first + index + 1);
  Rng rng(static_cast<uint64_t>(config.seed), "phantom-patient", p.id);
  p.sex.assign(1, rng.chance(.5) ? 'F' : 'M');
  static const std::vector<std::string> kRaces{"White", "Black", "Hispanic", "Asian", "Other"};
  p.race = kRaces[rng.weighted({.58, .17, .12, .08, .05})];
  p.age = std::clamp(rng.normal(62, 16), 18.0, 95.0);
  using namespace std::chrono;
  p.first_day = sys_days{year{2012} / 1 / 1} + days{static_cast<int>(rng.below(3000))};
  p.anatomy.scale = rng.uniform(.96, 1.04);
  for (double& offset : p.anatomy.dome_offset) offset = rng.uniform(-.015, .015);
  p.heart_quantile = rng.uniform();
  return p;
}

std::string pick_share(const Shares& shares, Rng& rng) {
  std::vector<double> weights;
  for (const auto& [name, weight] : shares) weights.push_back(weight);
  return shares[rng.weighted(weights)].first;
}

/// Everything of a study but its findings and changes.
PhantomStudy plan_study(const PhantomConfig& config, const Patient& patient, std::string_view split,
                        int encounter, int day, const PhantomFindings& findings) {
  PhantomStudy s;
  const auto seed = static_cast<uint64_t>(config.seed);
  s.study_id = fmt::format("{}-{}", patient.id, encounter);
  s.patient_id = patient.id;
  s.split = split;
  s.site = patient.site;
  s.encounter = encounter;
  const std::chrono::year_month_day date{patient.first_day + std::chrono::days{day}};
  s.date = fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  s.age = static_cast<int>(patient.age + day / 365.25);
  s.sex = patient.sex;
  s.race = patient.race;

  Rng request(seed, "phantom-request", s.study_id);
  s.indication = draw_indication(findings, request);
  s.view = s.site == 'C' || request.chance(.4) ? "AP" : "PA";  // C works with a portable machine

  s.findings = findings;
  Rng strength(seed, "phantom-conspicuity", s.study_id);
  PhantomMarks::for_each(s.findings.marks, [&](PhantomMark& mark) {
    const double amplitude = strength.uniform(config.conspicuity_min, config.conspicuity_max);
    mark.amplitude = mark.grade > 0 ? amplitude : 1;
  });
  Rng decoys(seed, "phantom-decoy", s.study_id);
  Rng pose(seed, "phantom-pose", s.study_id);
  s.scene.anatomy = patient.anatomy;
  for (double& shift : s.scene.anatomy.shift) shift = pose.normal(0, .012);
  s.scene.anatomy.scale *= 1 + pose.normal(0, .015);
  s.scene.anatomy.cardiothoracic_ratio =
      heart_ratio(config, findings.cardiomegaly, patient.heart_quantile);
  s.scene.findings = s.findings.marks;
  s.scene.decoys = draw_decoys(config, s.findings.marks, decoys);
  s.scene.look = look_of(s.site);

  Rng file(seed, "phantom-file", s.study_id);
  s.monochrome1 = file.chance(config.monochrome1);
  s.modality = file.chance(config.cr) ? "CR" : "DX";
  s.bits = std::stoi(pick_share(config.bits, file));
  s.transfer_syntax = pick_share(config.transfer_syntaxes, file);
  return s;
}

void check_range(std::string_view name, double value, double low, double high) {
  if (value >= low && value <= high) return;
  throw Error(Exit::config,
              fmt::format("value {} of '{}' is outside {}..{}", value, name, low, high));
}

void check_shares(std::string_view name, const Shares& shares,
                  const std::vector<std::string>& known) {
  double total = 0;
  for (const auto& [share, weight] : shares) {
    if (std::find(known.begin(), known.end(), share) == known.end()) {
      throw Error(Exit::config, fmt::format("unknown name '{}' in '{}' (hint: {})", share, name,
                                            fmt::join(known, ", ")));
    }
    check_range(name, weight, 0, 1e9);
    total += weight;
  }
  if (total <= 0) throw Error(Exit::config, fmt::format("no positive weight in '{}'", name));
}

}  // namespace

void check_config(const PhantomConfig& c) {
  const auto studies = static_cast<double>(kMaxStudies);
  check_range("train", static_cast<double>(c.train), 0, studies);
  check_range("validate", static_cast<double>(c.validate), 0, studies);
  check_range("test", static_cast<double>(c.test), 0, studies);
  check_range("heldout", static_cast<double>(c.heldout), 0, studies);
  check_range("side", static_cast<double>(c.side), 16, 4096);
  check_range("conspicuity-max", c.conspicuity_max, 0, 4);
  check_range("conspicuity-min", c.conspicuity_min, 0, c.conspicuity_max);
  check_range("decoy-probability", c.decoy_probability, 0, 1);
  check_range("decoy-max", c.decoy_max, 0, 4);
  check_range("decoy-min", c.decoy_min, 0, c.decoy_max);
  check_range("follow-up", c.follow_up, 0, .5);
  check_range("encounters", static_cast<double>(c.encounters), 1, 20);
  check_range("monochrome1", c.monochrome1, 0, 1);
  check_range("cr", c.cr, 0, 1);
  check_range("phrasings", static_cast<double>(c.phrasings), 1, 10);
  check_shares("bits", c.bits, {"8", "10", "12", "16"});
  check_shares("transfer-syntaxes", c.transfer_syntaxes,
               {"explicit-le", "implicit-le", "jpeg-lossless", "jpeg-ls", "rle", "deflated"});
}

std::vector<PhantomStudy> plan_patient(const PhantomConfig& config, std::string_view split,
                                       int64_t index) {
  const Patient patient = draw_patient(config, split, index);
  Rng rng(static_cast<uint64_t>(config.seed), "phantom-course", patient.id);
  PhantomFindings now = draw_first(rng);
  std::vector<PhantomStudy> studies{plan_study(config, patient, split, 1, 0, now)};

  // Of two encounters at most, one in `odds + 1` studies is a second one; at .25 these are the
  // recipe's 1.3 * .35 and 1.3 * .15.
  const double odds = config.follow_up / (1 - config.follow_up);
  int day = 0;
  for (int encounter = 2; encounter <= config.encounters; ++encounter) {
    if (!rng.chance(3.9 * odds * (is_abnormal(now) ? .35 : .15))) break;
    day += 1 + static_cast<int>(rng.below(400));
    const PhantomFindings before = std::exchange(now, draw_follow_up(now, rng));
    studies.push_back(plan_study(config, patient, split, encounter, day, now));
    studies.back().changes = changes_between(before.marks, now.marks);
  }
  return studies;
}

std::vector<PhantomStudy> plan_phantom(const PhantomConfig& config) {
  check_config(config);
  const std::vector<std::pair<std::string_view, int64_t>> sets{{"train", config.train},
                                                               {"validate", config.validate},
                                                               {"test", config.test},
                                                               {"heldout_site", config.heldout}};
  std::vector<PhantomStudy> all;
  for (const auto& [split, count] : sets) {
    const size_t end = all.size() + static_cast<size_t>(count);
    for (int64_t index = 0; all.size() < end; ++index) {
      for (PhantomStudy& study : plan_patient(config, split, index)) {
        if (all.size() < end) all.push_back(std::move(study));
      }
    }
  }
  return all;
}

std::string_view change_name(PhantomChange change) {
  constexpr std::array<std::string_view, 5> kNames{"", "new", "worse", "better", "same"};
  return kNames[static_cast<size_t>(change)];
}

std::string_view side_name(int side) { return side == image::kRight ? "right" : "left"; }

std::string_view lobe_name(int lobe) {
  constexpr std::array<std::string_view, 4> kNames{"right upper lobe", "right lower lobe",
                                                   "left upper lobe", "left lower lobe"};
  return kNames.at(static_cast<size_t>(lobe));
}

std::string_view severity_name(int grade_number) {
  constexpr std::array<std::string_view, 3> kNames{"mild", "moderate", "severe"};
  return kNames.at(static_cast<size_t>(grade_number - 1));
}

std::string_view size_name(int grade_number) {
  constexpr std::array<std::string_view, 3> kNames{"small", "moderate", "large"};
  return kNames.at(static_cast<size_t>(grade_number - 1));
}

text::Labels condition_labels(const PhantomFindings& f) {
  const auto any = [](const auto& marks) {
    return std::any_of(marks.begin(), marks.end(), [](const auto& m) { return m.grade > 0; });
  };
  const PhantomMarks& m = f.marks;
  const std::map<std::string_view, bool> drawn{
      {"Cardiomegaly", f.cardiomegaly > 0},  {"Lung Lesion", any(m.nodule)},
      {"Edema", m.edema.grade > 0},          {"Consolidation", any(m.consolidation)},
      {"Atelectasis", any(m.atelectasis)},   {"Pneumothorax", any(m.pneumothorax)},
      {"Pleural Effusion", any(m.effusion)}, {"Fracture", any(m.fracture)}};
  text::Labels labels;
  bool any_finding = false;
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto found = drawn.find(text::kConditions[i]);
    if (found == drawn.end()) continue;
    labels[i] = found->second ? 1 : 0;
    any_finding = any_finding || found->second;
  }
  labels[text::kSupportDevices] =
      m.pacemaker.grade > 0 || m.line.grade > 0 || m.tube.grade > 0 ? 1 : 0;
  labels[text::kNoFinding] = any_finding ? 0 : 1;
  return labels;
}

}  // namespace unirg::data
