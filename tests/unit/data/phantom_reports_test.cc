// SPDX-License-Identifier: Apache-2.0
#include "data/phantom_reports.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "data/phantom_folder.h"

namespace unirg::data {
namespace {

PhantomStudy plain_study(char site) {
  PhantomStudy study;
  study.site = site;
  study.study_id = std::string(1, site) + "-000001-1";
  study.view = "PA";
  study.indication = "chest pain";
  return study;
}

TEST(PhantomReports, ANormalStudyOfEachHouseReadsAsTheHouseWritesIt) {
  const std::map<char, std::string> expected{
      {'B',
       "Cardiomediastinal silhouette within normal limits. Lungs are clear. No pneumothorax or "
       "pleural effusion. No acute osseous abnormality."},
      {'D',
       "Chest radiograph one view. Normal heart size. No pleural effusion or pneumothorax. The "
       "lungs are clear. No acute fracture."}};
  for (const auto& [site, findings] : expected) {
    const PhantomReport report = write_report({}, plain_study(site), "");
    EXPECT_EQ(report.findings, findings);
  }
  EXPECT_EQ(write_report({}, plain_study('B'), "").impression,
            "No acute cardiopulmonary abnormality.");
}

TEST(PhantomReports, TheTextHasTheFiveHeadingsAndQuotesThePriorImpression) {
  const PhantomReport report = write_report({}, plain_study('D'), "Mild cardiomegaly.");
  EXPECT_EQ(report_text(report),
            "INDICATION: Chest pain.\nTECHNIQUE: Frontal chest radiograph, PA view.\n"
            "COMPARISON: Mild cardiomegaly.\nFINDINGS: " +
                report.findings + "\nIMPRESSION: No acute cardiopulmonary disease.\n");
  EXPECT_EQ(write_report({}, plain_study('D'), "").comparison, "None.");
}

TEST(PhantomReports, EqualEffusionsOfBothSidesBecomeOneSentence) {
  PhantomStudy study = plain_study('B');
  study.findings.marks.effusion = {image::PhantomMark{2, 1}, image::PhantomMark{2, 1}};
  EXPECT_EQ(write_report({}, study, "").impression, "Moderate bilateral pleural effusions.");
  study.findings.marks.effusion[1].grade = 3;
  EXPECT_EQ(write_report({}, study, "").impression,
            "Moderate right pleural effusion. Large left pleural effusion.");
}

TEST(PhantomReports, ChangesAreSaidInTheSentenceAndBeforeTheImpression) {
  PhantomStudy study = plain_study('B');
  study.findings.marks.edema.grade = 1;
  study.changes.edema = PhantomChange::fresh;
  const PhantomReport report = write_report({}, study, "No acute disease.");
  EXPECT_NE(report.findings.find(", new since prior."), std::string::npos) << report.findings;
  EXPECT_EQ(report.impression, "New mild pulmonary edema.");
}

TEST(PhantomReports, HalfNegativesNameOnlyWhatIsAbsent) {
  PhantomStudy study = plain_study('A');
  study.findings.marks.effusion[image::kLeft].grade = 1;
  const std::string findings = write_report({}, study, "").findings;
  EXPECT_NE(findings.find("There is no pneumothorax."), std::string::npos) << findings;
  EXPECT_EQ(findings.find("no pleural effusion"), std::string::npos);
}

TEST(PhantomReports, OnePhrasingGivesOneSentenceAndTenGiveTen) {
  std::map<int64_t, std::set<std::string>> seen;
  for (const int64_t phrasings : {1, 10}) {
    PhantomConfig config;
    config.phrasings = phrasings;
    for (int i = 0; i < 200; ++i) {
      PhantomStudy study = plain_study('B');
      study.study_id += std::to_string(i);
      study.findings.cardiomegaly = 2;
      const std::string findings = write_report(config, study, "").findings;
      seen[phrasings].insert(findings.substr(0, findings.find('.')));
    }
  }
  EXPECT_EQ(seen[1], (std::set<std::string>{"The heart is moderately enlarged"}));
  EXPECT_EQ(seen[10].size(), 10U);
}

TEST(PhantomReports, AConsolidationIsMostlyAPneumoniaWhereCoughOrFeverAskForIt) {
  std::map<std::string, int> pneumonias;
  for (const char* indication : {"fever", "fall"}) {
    for (int i = 0; i < 400; ++i) {
      PhantomStudy study = plain_study('B');
      study.study_id += std::to_string(i);
      study.indication = indication;
      study.findings.marks.consolidation[0].grade = 1;
      pneumonias[indication] +=
          write_report({}, study, "").impression == "Right upper lobe pneumonia.";
    }
  }
  EXPECT_NEAR(pneumonias["fever"], 360, 25);
  EXPECT_NEAR(pneumonias["fall"], 40, 25);
}

TEST(PhantomReports, NegativesHaveOneWordingUnlessToldOtherwise) {
  for (const bool one : {true, false}) {
    PhantomConfig config;
    config.varied_negatives = !one;
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
      PhantomStudy study = plain_study('B');
      study.study_id += std::to_string(i);
      seen.insert(write_report(config, study, "").findings);
    }
    EXPECT_EQ(seen.size() == 1, one);
  }
}

TEST(PhantomReports, ReportsAreProseOfTheRecipesLengthAndASmallVocabulary) {
  PhantomConfig config;
  config.train = 3000;
  config.validate = config.test = config.heldout = 300;
  std::set<std::string> vocabulary;
  std::vector<size_t> lengths;
  for (const PhantomCase& phantom : make_cases(config)) {
    const PhantomReport& report = phantom.report;
    for (const std::string* prose : {&report.findings, &report.impression}) {
      ASSERT_FALSE(prose->empty());
      EXPECT_EQ(prose->back(), '.');
      EXPECT_TRUE(std::isupper(static_cast<unsigned char>(prose->front()))) << *prose;
      EXPECT_EQ(prose->find_first_of("{}"), std::string::npos);
      EXPECT_EQ(prose->find(".."), std::string::npos);
    }
    std::istringstream words(report.findings + " " + report.impression);
    size_t length = 0;
    for (std::string word; words >> word; ++length) {
      std::erase_if(word, [](char c) { return c == '.' || c == ','; });
      std::transform(word.begin(), word.end(), word.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      vocabulary.insert(word);
    }
    lengths.push_back(length);
  }
  std::sort(lengths.begin(), lengths.end());
  EXPECT_GT(lengths[lengths.size() / 20], 15U);
  EXPECT_LT(lengths[lengths.size() * 19 / 20], 75U);
  EXPECT_LT(vocabulary.size(), 190U);
}

}  // namespace
}  // namespace unirg::data
