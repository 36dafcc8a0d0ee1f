// SPDX-License-Identifier: Apache-2.0
#include "data/phantom_cases.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/error.h"

namespace unirg::data {
namespace {

PhantomConfig sizes(int64_t train, int64_t validate, int64_t test, int64_t heldout) {
  PhantomConfig config;
  config.train = train;
  config.validate = validate;
  config.test = test;
  config.heldout = heldout;
  return config;
}

std::map<std::string_view, double> prevalence(const std::vector<PhantomStudy>& studies) {
  std::map<std::string_view, double> share;
  for (const PhantomStudy& study : studies) {
    bool any = false;
    const text::Labels labels = condition_labels(study.findings);
    for (size_t i = 0; i < labels.size(); ++i) {
      if (labels[i] != 1) continue;
      share[text::kConditions[i]] += 1.0 / static_cast<double>(studies.size());
      any = any || i != text::kNoFinding;
    }
    if (!any) share["normal"] += 1.0 / static_cast<double>(studies.size());
  }
  return share;
}

TEST(PhantomCases, PrevalencesAreThoseOfTheRecipe) {
  const auto share = prevalence(plan_phantom(sizes(5000, 0, 0, 0)));
  const std::map<std::string_view, double> expected{
      {"normal", .43},        {"Cardiomegaly", .22},    {"Pleural Effusion", .20},
      {"Consolidation", .16}, {"Support Devices", .18}, {"Edema", .10},
      {"Atelectasis", .11},   {"Lung Lesion", .07},     {"Pneumothorax", .06},
      {"Fracture", .05}};
  for (const auto& [name, value] : expected) EXPECT_NEAR(share.at(name), value, .025) << name;
}

TEST(PhantomCases, SetsHaveTheirSizesTheirSitesAndTheirOwnPatients) {
  const auto studies = plan_phantom(sizes(400, 50, 70, 90));
  std::map<std::string, int64_t> count;
  std::map<std::string, std::string> set_of_patient;
  std::set<std::string> ids;
  for (const PhantomStudy& study : studies) {
    ++count[study.split];
    EXPECT_EQ(set_of_patient.emplace(study.patient_id, study.split).first->second, study.split);
    EXPECT_TRUE(ids.insert(study.study_id).second) << study.study_id;
    EXPECT_EQ(study.site == 'D', study.split == "heldout_site");
    EXPECT_EQ(study.study_id, study.patient_id + "-" + std::to_string(study.encounter));
  }
  EXPECT_EQ(count, (std::map<std::string, int64_t>{
                       {"train", 400}, {"validate", 50}, {"test", 70}, {"heldout_site", 90}}));
}

TEST(PhantomCases, AQuarterOfTheStudiesAreFollowUpsAndTheShareIsAnOption) {
  for (const double share : {0.0, .25, .4}) {
    PhantomConfig config = sizes(4000, 0, 0, 0);
    config.follow_up = share;
    double seconds = 0;
    for (const PhantomStudy& study : plan_phantom(config)) seconds += study.encounter == 2;
    EXPECT_NEAR(seconds / 4000, share, share == 0 ? 0 : .035);
  }
}

TEST(PhantomCases, APatientHasAsManyStudiesAsAskedForAndTheFirstTwoStayAsTheyAre) {
  PhantomConfig config = sizes(3000, 0, 0, 0);
  config.follow_up = .4;
  std::map<std::string, std::string> second;  // date
  for (const PhantomStudy& study : plan_phantom(config)) {
    EXPECT_LE(study.encounter, 2);
    if (study.encounter == 2) second[study.study_id] = study.date;
  }
  config.encounters = 6;
  std::map<int, int> seen;
  const auto studies = plan_phantom(config);
  for (size_t i = 1; i < studies.size(); ++i) {
    const PhantomStudy& now = studies[i];
    ++seen[now.encounter];
    if (now.encounter == 1) continue;
    EXPECT_EQ(now.patient_id, studies[i - 1].patient_id);
    EXPECT_EQ(now.encounter, studies[i - 1].encounter + 1);
    EXPECT_GT(now.date, studies[i - 1].date);
    if (now.encounter == 2) {
      EXPECT_EQ(now.date, second.at(now.study_id));
    }
  }
  EXPECT_EQ(seen.size(), 6U);
  EXPECT_GT(seen[5], 50);
}

TEST(PhantomCases, AStudyDoesNotDependOnHowManyOthersAreMade) {
  const auto few = plan_phantom(sizes(30, 10, 10, 10));
  const auto many = plan_phantom(sizes(100, 40, 40, 40));
  std::map<std::string, const PhantomStudy*> by_id;
  for (const PhantomStudy& study : many) by_id[study.study_id] = &study;
  for (const PhantomStudy& study : few) {
    const PhantomStudy& other = *by_id.at(study.study_id);
    EXPECT_EQ(study.findings.marks, other.findings.marks);
    EXPECT_EQ(study.scene.decoys, other.scene.decoys);
    EXPECT_EQ(study.scene.anatomy, other.scene.anatomy);
    EXPECT_EQ(study.date, other.date);
    EXPECT_EQ(study.transfer_syntax, other.transfer_syntax);
  }
}

TEST(PhantomCases, FollowUpsComeLaterWithTheSameBodyAndChangesThatMatchTheGrades) {
  const auto studies = plan_phantom(sizes(3000, 0, 0, 0));
  std::map<PhantomChange, int> seen;
  for (size_t i = 1; i < studies.size(); ++i) {
    const PhantomStudy& now = studies[i];
    if (now.encounter == 1) {
      EXPECT_EQ(now.changes.edema, PhantomChange::none);
      continue;
    }
    const PhantomStudy& before = studies[i - 1];
    ASSERT_EQ(now.patient_id, before.patient_id);
    EXPECT_GT(now.date, before.date);
    EXPECT_GE(now.age, before.age);
    EXPECT_EQ(now.sex, before.sex);
    EXPECT_EQ(now.scene.anatomy.dome_offset, before.scene.anatomy.dome_offset);
    EXPECT_EQ(now.findings.cardiomegaly, before.findings.cardiomegaly);
    for (size_t side = 0; side < 2; ++side) {
      const int a = before.findings.marks.effusion[side].grade;
      const int b = now.findings.marks.effusion[side].grade;
      const PhantomChange change = now.changes.effusion[side];
      ++seen[change];
      const PhantomChange expected = b == 0   ? PhantomChange::none
                                     : a == 0 ? PhantomChange::fresh
                                     : b > a  ? PhantomChange::worse
                                     : b < a  ? PhantomChange::better
                                              : PhantomChange::same;
      EXPECT_EQ(change, expected);
    }
  }
  EXPECT_EQ(seen.size(), 5U);  // every kind of change occurs
}

TEST(PhantomCases, ConspicuityAndDecoysKeepTheirRangesAndShares) {
  const PhantomConfig config = sizes(3000, 0, 0, 0);
  double with_decoys = 0;
  double least = 9;
  double most = 0;
  for (const PhantomStudy& study : plan_phantom(config)) {
    std::vector<int> reported;
    image::PhantomMarks::for_each(study.findings.marks, [&](const image::PhantomMark& mark) {
      reported.push_back(mark.grade);
      if (mark.grade == 0) return;
      least = std::min(least, mark.amplitude);
      most = std::max(most, mark.amplitude);
    });
    bool any = false;
    size_t i = 0;
    image::PhantomMarks::for_each(study.scene.decoys, [&](const image::PhantomMark& mark) {
      if (mark.grade > 0) {
        any = true;
        EXPECT_EQ(reported[i], 0);
        EXPECT_GE(mark.amplitude, .15);
        EXPECT_LE(mark.amplitude, .6);
      }
      ++i;
    });
    with_decoys += any;
  }
  EXPECT_NEAR(least, .25, .01);
  EXPECT_NEAR(most, 1.0, .01);
  // Some draws hold nothing, or only a large heart or what is reported already.
  EXPECT_LT(with_decoys / 3000, .45);
  EXPECT_GT(with_decoys / 3000, .45 * .65);
}

TEST(PhantomCases, NoDecoysAndPlainFindingsCanBeHad) {
  PhantomConfig config = sizes(300, 0, 0, 0);
  config.decoy_probability = 0;
  config.conspicuity_min = 1;
  for (const PhantomStudy& study : plan_phantom(config)) {
    EXPECT_EQ(study.scene.decoys, image::PhantomMarks{});
    image::PhantomMarks::for_each(study.findings.marks, [](const image::PhantomMark& mark) {
      EXPECT_EQ(mark.amplitude, 1.0);
    });
  }
}

TEST(PhantomCases, HeartRatiosOfNormalAndEnlargedOverlapUnlessToldNotTo) {
  for (const bool overlap : {true, false}) {
    PhantomConfig config = sizes(3000, 0, 0, 0);
    config.ctr_gap = !overlap;
    double widest_normal = 0;
    double narrowest_mild = 1;
    for (const PhantomStudy& study : plan_phantom(config)) {
      const double ratio = study.scene.anatomy.cardiothoracic_ratio;
      if (study.findings.cardiomegaly == 0) widest_normal = std::max(widest_normal, ratio);
      if (study.findings.cardiomegaly == 1) narrowest_mild = std::min(narrowest_mild, ratio);
    }
    EXPECT_EQ(widest_normal > narrowest_mild, overlap);
  }
}

TEST(PhantomCases, LabelsFollowTheDrawnFindings) {
  PhantomFindings f;
  f.cardiomegaly = 2;
  f.marks.effusion[image::kLeft].grade = 1;
  std::map<std::string_view, std::optional<int>> value;
  const text::Labels labels = condition_labels(f);
  for (size_t i = 0; i < labels.size(); ++i) value[text::kConditions[i]] = labels[i];
  EXPECT_EQ(value["Cardiomegaly"], 1);
  EXPECT_EQ(value["Pleural Effusion"], 1);
  EXPECT_EQ(value["Edema"], 0);
  EXPECT_EQ(value["No Finding"], 0);
  EXPECT_EQ(value["Support Devices"], 0);
  EXPECT_EQ(value["Pneumonia"], std::nullopt);

  PhantomFindings devices;
  devices.marks.tube.grade = 1;
  EXPECT_EQ(condition_labels(devices)[text::kNoFinding], 1);  // devices are no finding
  EXPECT_EQ(condition_labels(devices)[text::kSupportDevices], 1);
}

TEST(PhantomCases, AConfigurationOutOfRangeNamesItsKey) {
  PhantomConfig config;
  config.bits = {{"9", 1.0}};
  try {
    check_config(config);
    FAIL() << "9 bits accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::config);
    EXPECT_NE(std::string(error.what()).find("unknown name '9' in 'bits'"), std::string::npos);
  }
  config = {};
  config.conspicuity_min = .9;
  config.conspicuity_max = .5;
  EXPECT_THROW(check_config(config), Error);
  config = {};
  config.transfer_syntaxes = {{"rle", 0.0}};
  EXPECT_THROW(check_config(config), Error);
}

}  // namespace
}  // namespace unirg::data
