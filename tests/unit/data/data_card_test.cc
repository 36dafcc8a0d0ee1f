// SPDX-License-Identifier: Apache-2.0
#include "data/data_card.h"

#include <gtest/gtest.h>

namespace unirg::data {
namespace {

TEST(Distribution, quantiles_are_nearest_ranks) {
  EXPECT_TRUE(distribution({}).is_null());
  EXPECT_EQ(distribution({4, 1, 3, 2}).dump(),
            R"({"count":4,"min":1.0,"q1":1.0,"median":2.0,"q3":3.0,"max":4.0,"mean":2.5})");
  const Json five = distribution({50, 10, 20, 40, 30});  // ranks 2, 3, 4
  EXPECT_EQ(five["q1"], 20);
  EXPECT_EQ(five["median"], 30);
  EXPECT_EQ(five["q3"], 40);
  EXPECT_EQ(distribution({7})["q1"], 7);
}

/// Three studies of two patients at two sites.
std::vector<Study> three_studies() {
  std::vector<Study> studies(3);
  Study& a = studies[0];
  a.study_id = "a", a.patient_id = "p", a.dataset = "d", a.site = "north", a.split = "train";
  a.date = "2020-03-01";
  a.age = 61;
  a.sex = "F";
  a.findings = "Lungs are clear.";
  a.impression = "Normal.";
  a.images.resize(2);
  a.images[0].view = "PA";
  a.labels = {{"Edema", 1}, {"Fracture", std::nullopt}};
  Study& b = studies[1];
  b = a;
  b.study_id = "b", b.date = "2021-01-01", b.prior = "a", b.age = 62;
  b.findings.reset();
  b.impression = "Lungs are clear.";
  b.images.resize(1);
  b.labels[0].value = -1;
  Study& c = studies[2];
  c.study_id = "c", c.patient_id = "q", c.dataset = "d", c.split = "test";
  c.indication = "Cough | fever.";
  return studies;
}

DataCard card_of(const std::vector<Study>& studies) {
  DataCard card({});
  for (const Study& study : studies) card.add(study);
  return card;
}

TEST(DataCard, counts_tiles_by_slide_and_resolution) {
  EXPECT_TRUE(card_of(three_studies()).json()["tiles"].is_null());
  std::vector<Study> studies = three_studies();
  studies[0].images[0].source = studies[0].images[1].source = "one.svs";
  studies[0].images[0].extra["tile"] = studies[0].images[1].extra["tile"] = {{"mpp", 0.5}};
  studies[1].images[0].source = "two.svs";
  studies[1].images[0].extra["tile"] = {{"mpp", nullptr}};
  const Json card = card_of(studies).json();
  EXPECT_EQ(card["tiles"].dump(),
            R"({"images":3,"slides":2,"microns_per_pixel":{"0.5":2,"not known":1}})");
  EXPECT_NE(card_markdown(card).find("3 images are tiles of 2 slides."), std::string::npos);
}

TEST(DataCard, counts_sides_slices_and_what_mammograms_state) {
  std::vector<Study> studies = three_studies();
  EXPECT_EQ(card_of(studies).json()["laterality"].dump(), "{}");
  EXPECT_TRUE(card_of(studies).json()["breast"].is_null());
  EXPECT_TRUE(card_of(studies).json()["ct"].is_null());
  studies[0].modality = "MG";
  studies[0].extra["birads"] = "4A";
  studies[0].images[0].extra["laterality"] = "R";
  studies[1].modality = "CT";
  studies[1].images[0].extra["slice"] = {{"stack", 1}};
  studies[1].images[0].extra["window"] = "lung";
  studies[2].images.resize(1);
  studies[2].images[0].extra["montage"] = {{"stack", 1}};
  const Json card = card_of(studies).json();
  EXPECT_EQ(card["laterality"].dump(), R"({"R":1})");
  EXPECT_EQ(card["breast"].dump(), R"({"birads":{"4A":1},"density":{"not known":1}})");
  EXPECT_EQ(card["ct"].dump(), R"({"slices":1,"montages":1,"windows":{"file":1,"lung":1}})");
  const std::string text = card_markdown(card);
  for (const char* line : {"1 images are slices of CT, 1 are montages of them.",
                           "| 4A | 1 | 100.0% |", "| R | 1 | 100.0% |"})
    EXPECT_NE(text.find(line), std::string::npos) << line;
}

TEST(DataCard, counts_by_hand) {
  const Json card = card_of(three_studies()).json();
  EXPECT_EQ(card["schema"], "unirg.data-card/1");
  EXPECT_EQ(card["studies"], 3);
  EXPECT_EQ(card["patients"], 2);
  EXPECT_EQ(card["images"], 3);
  EXPECT_EQ(card["with_prior"], 1);
  EXPECT_EQ(card["dated"], 2);
  EXPECT_EQ(card["first_date"], "2020-03-01");
  EXPECT_EQ(card["last_date"], "2021-01-01");
  EXPECT_EQ(card["splits"].dump(), R"({"test":{"studies":1,"patients":1,"images":0},)"
                                   R"("train":{"studies":2,"patients":1,"images":3}})");
  EXPECT_EQ(card["sites"].dump(),
            R"({"d":{"studies":1,"patients":1,"images":0,"splits":{"test":1}},)"
            R"("north":{"studies":2,"patients":1,"images":3,"splits":{"train":2}}})")
      << "a study without a site is counted under its dataset";
  EXPECT_EQ(card["views"].dump(), R"({"PA":2,"not known":1})");
  EXPECT_EQ(card["images_per_study"].dump(), R"({"0":1,"1":1,"2":1})");
  EXPECT_EQ(card["studies_per_patient"].dump(), R"({"1":1,"2":1})");
  EXPECT_EQ(card["age"]["mean"], 61.5);
  EXPECT_EQ(card["age_decades"].dump(), R"({"60-69":2})");
  EXPECT_EQ(card["sex"].dump(), R"({"F":2,"not known":1})");
  EXPECT_EQ(card["labels"].dump(),
            R"({"studies":2,"conditions":{)"
            R"("Edema":{"positive":1,"negative":0,"uncertain":1,"not_mentioned":0},)"
            R"("Fracture":{"positive":0,"negative":0,"uncertain":0,"not_mentioned":2}}})");
  EXPECT_EQ(card["words"]["report"]["count"], 2);
  EXPECT_EQ(card["words"]["report"]["max"], 4);
  EXPECT_EQ(card["words"]["indication"]["min"], 2);
  EXPECT_TRUE(card["words"]["technique"].is_null());
  EXPECT_TRUE(card["rejected"].is_null());
}

TEST(DataCard, measures_the_boilerplate_of_sites) {
  std::vector<Study> studies = three_studies();
  studies[1].patient_id = "r";  // now two patients have "lungs are clear"
  const Json b = card_of(studies).json()["boilerplate"];
  EXPECT_EQ(b["sites"].size(), 1U) << "d has no report";
  const Json& north = b["sites"]["north"];
  EXPECT_EQ(north["words"], 3 + 1 + 3);
  EXPECT_DOUBLE_EQ(north["template_share"], 6.0 / 7.0);
  EXPECT_TRUE(north["own_share"].is_null()) << "there is no other site";
  EXPECT_DOUBLE_EQ(north["template_report_share"], 0.5);
  EXPECT_EQ(north["most"].dump(), R"([{"sentence":"lungs are clear","patients":2}])");
}

TEST(DataCard, counts_the_reasons_of_what_was_rejected) {
  DataCard card({});
  card.add_rejected("");
  EXPECT_EQ(card.json()["rejected"].dump(), R"({"count":0,"reasons":{}})");
  for (const char* reason : {"file is empty", "no file 'a'", "no file 'b'"})
    card.add_rejected(reason);
  EXPECT_EQ(card.json()["rejected"].dump(),
            R"({"count":3,"reasons":{"file is empty":1,"no file '...'":2}})");
}

TEST(DataCard, eleven_studies_are_ten_and_more) {
  DataCard card({});
  for (int k = 0; k < 11; ++k) {
    Study study;
    study.study_id = std::to_string(k), study.patient_id = "p";
    card.add(study);
  }
  EXPECT_EQ(card.json()["studies_per_patient"].dump(), R"({"10+":1})");
}

TEST(CardMarkdown, has_tables_that_names_cannot_break) {
  std::vector<Study> studies = three_studies();
  studies[0].site = "north|south";
  const std::string text = card_markdown(card_of(studies).json());
  EXPECT_NE(text.find("| north\\|south | 1 | 1 | 2 | 0 | 1 |\n"), std::string::npos) << text;
  EXPECT_NE(text.find("| all | 3 | 2 | 3 |\n"), std::string::npos) << text;
  EXPECT_NE(text.find("| F | 2 | 66.7% |\n"), std::string::npos) << text;
  EXPECT_NE(text.find("Not known: these records"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("\n") && !text.ends_with("\n\n"));
  EXPECT_FALSE(card_markdown(DataCard({}).json()).empty()) << "a card of nothing";
}

}  // namespace
}  // namespace unirg::data
