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
