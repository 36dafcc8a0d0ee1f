// SPDX-License-Identifier: Apache-2.0
#include "data/ingest.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "base/error.h"
#include "data/study_loader.h"
#include "image/image.h"
#include "temp_folder.h"

namespace unirg::data {
namespace {

namespace fs = std::filesystem;

Study study_of(const char* id, const char* patient, std::optional<std::string> date) {
  Study s;
  s.study_id = id;
  s.patient_id = patient;
  s.date = std::move(date);
  return s;
}

TEST(LinkPriors, follow_the_dates_of_one_patient) {
  std::vector<Study> studies{study_of("c", "p", "2020-03-01"), study_of("a", "p", "2020-01-01"),
                             study_of("x", "q", "2020-02-01"), study_of("u", "p", std::nullopt)};
  link_priors(studies);
  EXPECT_EQ(studies[0].prior, "a");
  EXPECT_EQ(studies[0].encounter, 2);
  EXPECT_EQ(studies[1].prior, std::nullopt);
  EXPECT_EQ(studies[2].encounter, 1);
  EXPECT_EQ(studies[3].prior, std::nullopt) << "an undated study has no known prior";
}

TEST(LinkPriors, take_no_study_of_the_same_day) {
  std::vector<Study> studies{study_of("a", "p", "2020-01-01"), study_of("b", "p", "2020-02-02"),
                             study_of("c", "p", "2020-02-02"), study_of("d", "p", "2020-02-03")};
  link_priors(studies);
  EXPECT_EQ(studies[1].prior, "a");
  EXPECT_EQ(studies[2].prior, "a") << "nobody knows which of the two came first";
  EXPECT_EQ(studies[2].encounter, 3);
  EXPECT_EQ(studies[3].prior, "c");
}

TEST(LinkPriors, follow_the_order_of_a_source_without_dates) {
  std::vector<Study> studies{study_of("a", "p", std::nullopt), study_of("b", "p", std::nullopt),
                             study_of("c", "p", std::nullopt), study_of("d", "p", "2020-01-01")};
  studies[0].extra["order"] = 10;
  studies[1].extra["order"] = 9;
  link_priors(studies);
  EXPECT_EQ(studies[0].prior, "b");
  EXPECT_EQ(studies[1].prior, std::nullopt);
  EXPECT_EQ(studies[2].prior, std::nullopt) << "nobody knows when it was made";
  EXPECT_EQ(studies[3].prior, std::nullopt);
  EXPECT_EQ(studies[3].encounter, 1);
}

TEST(AssignSplits, hold_out_a_patient_who_was_seen_at_a_held_out_site_and_elsewhere) {
  std::vector<Study> studies{study_of("a", "p", std::nullopt), study_of("b", "p", std::nullopt)};
  studies[1].site = "D";
  assign_splits(studies, {{"train", 1.0}}, {"D"}, 1);
  EXPECT_EQ(studies[0].split, "heldout_site");
  EXPECT_EQ(studies[1].split, "heldout_site");
  studies[0].split = "train";  // by the table
  studies[1].split = "";
  EXPECT_THROW(assign_splits(studies, {{"train", 1.0}}, {"D"}, 1), Error);
}

TEST(AssignSplits, keeps_a_patient_whole_and_does_not_move_when_others_come) {
  std::vector<Study> studies;
  for (int i = 0; i < 2000; ++i)
    studies.push_back(
        study_of(std::to_string(i).c_str(), std::to_string(i / 2).c_str(), std::nullopt));
  std::vector<Study> fewer(studies.begin(), studies.begin() + 500);
  const SplitShares shares{{"train", 0.8}, {"test", 0.2}};
  assign_splits(studies, shares, {}, 1);
  assign_splits(fewer, shares, {}, 1);
  int test = 0;
  for (size_t i = 0; i < studies.size(); ++i) {
    EXPECT_EQ(studies[i].split, studies[i ^ 1].split);
    if (i < fewer.size()) {
      EXPECT_EQ(studies[i].split, fewer[i].split);
    }
    test += studies[i].split == "test";
  }
  EXPECT_NEAR(test / 2000.0, 0.2, 0.04);
}

TEST(AssignSplits, refuses_a_table_that_parts_a_patient) {
  std::vector<Study> studies{study_of("a", "p", std::nullopt), study_of("b", "p", std::nullopt)};
  studies[0].split = "train";
  studies[1].split = "test";
  EXPECT_THROW(assign_splits(studies, {{"train", 1}}, {}, 0), Error);
}

TEST(OrderImages, puts_the_frontal_view_first_then_the_unknown_then_the_larger) {
  std::vector<StudyImage> images(4);
  images[0].id = "lat", images[0].view = "LATERAL", images[0].width = 900, images[0].height = 900;
  images[1].id = "unknown", images[1].view = "", images[1].width = 100, images[1].height = 100;
  images[2].id = "small-pa", images[2].view = "PA", images[2].width = 10, images[2].height = 10;
  images[3].id = "big-ap", images[3].view = "ap", images[3].width = 20, images[3].height = 20;
  order_images(images);
  std::vector<std::string> ids;
  for (const StudyImage& i : images) ids.push_back(i.id);
  EXPECT_EQ(ids, (std::vector<std::string>{"big-ap", "small-pa", "unknown", "lat"}));
}

TEST(OrderImages, leaves_tiles_and_eyes_as_they_come) {
  for (const char* modality : {"SM", "CT", "FFA", "OP", "OPT"})
    EXPECT_TRUE(in_source_order(modality));
  for (const char* modality : {"", "DX", "CR", "MG"}) EXPECT_FALSE(in_source_order(modality));
}

TEST(OrderImages, puts_mammograms_as_they_are_hung) {
  std::vector<StudyImage> images;
  for (const auto& [id, view, side] : std::vector<std::array<const char*, 3>>{{"1", "MLO", "L"},
                                                                              {"2", "ML", "L"},
                                                                              {"3", "CC", "L"},
                                                                              {"4", "", ""},
                                                                              {"5", "mlo", "R"},
                                                                              {"6", "CC", "R"},
                                                                              {"7", "CC", ""},
                                                                              {"8", "CC", "R"}}) {
    StudyImage& image = images.emplace_back();
    image.id = id;
    image.view = view;
    image.width = image.height = 100 - std::ssize(images);
    if (*side != '\0') image.extra["laterality"] = side;
  }
  std::vector<StudyImage> frontal = images;
  order_images(images, "MG");
  std::string ids;
  for (const StudyImage& i : images) ids += i.id;
  EXPECT_EQ(ids, "68375124");
  order_images(frontal, "DX");
  EXPECT_EQ(frontal.front().id, "4") << "of an unknown view, as everywhere";
}

/// A folder of pictures and a table with one of each trouble.
class IngestImages : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(root() / "sub");
    image::Image8 picture{4, 4, 1, std::vector<uint8_t>(16, 7)};
    io::write_file(root() / "flat.png", image::encode_png(picture));
    picture.pixels[3] = 200;
    for (const char* name : {"good.png", "sub/also.png", "orphan.png", "noreport.png"})
      io::write_file(root() / name, image::encode_png(picture));
    io::write_file(root() / "cut.png", image::encode_png(picture).substr(0, 40));
    io::write_file(root() / "README.md", "read me");
    io::write_file(folder.path() / "reports.csv",
                   "study_id,patient_id,file,report\n"
                   "s1,p1,good.png,\"FINDINGS: Lungs are clear. IMPRESSION: Normal.\"\n"
                   "s1,p1,sub/also.png,\"FINDINGS: Lungs are clear. IMPRESSION: Normal.\"\n"
                   "s2,p2,flat.png,FINDINGS: x.\n"
                   "s3,p3,cut.png,FINDINGS: x.\n"
                   "s4,p4,noreport.png,\n"
                   "s5,p5,absent.png,FINDINGS: x.\n"
                   "s1,p1,good.png,FINDINGS: other.\n");
  }
  [[nodiscard]] fs::path root() const { return folder.path() / "in"; }
  IngestCounts run(const char* output, int threads) {
    IngestOptions o;
    o.source = {.source = "images",
                .root = root(),
                .reports = folder.path() / "reports.csv",
                .columns = {},
                .images = {},
                .dataset = "d"};
    o.output = folder.path() / output;
    o.threads = threads;
    io::RunRecord record("test", {}, Json::object());
    IngestCounts counts;
    EXPECT_TRUE(run_ingest(
        o, record, [] { return true; }, counts));
    return counts;
  }
  testing::TempFolder folder;
};

TEST_F(IngestImages, accounts_for_every_file_and_row) {
  const IngestCounts counts = run("out", 1);
  EXPECT_EQ(counts.files, 7);
  EXPECT_EQ(counts.used, 2);
  EXPECT_EQ(counts.ignored, 1);
  EXPECT_EQ(counts.refused, 4);  // flat, cut, orphan, noreport
  EXPECT_EQ(counts.used + counts.refused + counts.ignored, counts.files);
  std::map<std::string, std::string> reasons;
  io::JsonlReader reader(folder.path() / "out/rejected.jsonl");
  while (auto line = reader.next())
    reasons[fmt::format("{}:{}", (*line)->object.at("file").get<std::string>(),
                        (*line)->object.at("line").get<int64_t>())] =
        (*line)->object.at("reason").get<std::string>();
  EXPECT_NE(reasons["flat.png:0"].find("one value"), std::string::npos);
  EXPECT_NE(reasons["orphan.png:0"].find("missing report"), std::string::npos);
  EXPECT_NE(reasons["noreport.png:0"].find("empty report"), std::string::npos);
  EXPECT_NE(reasons["reports.csv:7"].find("missing image"), std::string::npos);
  EXPECT_NE(reasons["reports.csv:8"].find("duplicate study id 's1'"), std::string::npos);
  const StudySet set(folder.path() / "out/studies.jsonl");
  ASSERT_EQ(set.studies().size(), 1u);
  const Study& study = set.studies()[0];
  EXPECT_EQ(study.images.size(), 2u);
  EXPECT_EQ(study.findings, "Lungs are clear.");
  EXPECT_EQ(set.load_image(study, study.images[1]).pixels[3], 200);
}

TEST_F(IngestImages, gives_the_same_bytes_at_any_thread_count) {
  run("one", 1);
  run("three", 3);
  for (const char* file : {"studies.jsonl", "rejected.jsonl", "images-00000.tar"}) {
    EXPECT_EQ(io::read_file(folder.path() / "one" / file),
              io::read_file(folder.path() / "three" / file))
        << file;
  }
}

TEST(IngestOpeni, reads_sections_and_refuses_what_is_no_report) {
  testing::TempFolder folder;
  fs::create_directories(folder.path() / "in");
  io::write_file(
      folder.path() / "in/1.xml",
      "<eCitation><uId id=\"CXR1\"/><MeSH><major>normal</major></MeSH><Abstract><AbstractText "
      "Label=\"INDICATION\">Cough"
      "</AbstractText><AbstractText Label=\"FINDINGS\">Lungs  are "
      "clear.</AbstractText></Abstract></eCitation>");
  io::write_file(folder.path() / "in/2.xml", "<eCitation><uId id=\"CXR2\"/></eCitation>");
  io::write_file(folder.path() / "in/3.xml", "<unclosed");
  IngestOptions o;
  o.source.source = "openi";
  o.source.root = folder.path() / "in";
  o.output = folder.path() / "out";
  io::RunRecord record("test", {}, Json::object());
  IngestCounts counts;
  ASSERT_TRUE(run_ingest(
      o, record, [] { return true; }, counts));
  EXPECT_EQ(counts.used, 1);
  EXPECT_EQ(counts.refused, 2);
  const auto studies = read_studies(folder.path() / "out/studies.jsonl").records;
  EXPECT_EQ(studies.at(0).findings, "Lungs are clear.");
  EXPECT_EQ(studies.at(0).indication, "Cough");
}

}  // namespace
}  // namespace unirg::data
