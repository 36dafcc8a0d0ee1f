// SPDX-License-Identifier: Apache-2.0
#include "data/openi.h"

#include <gtest/gtest.h>

#include "base/hash.h"
#include "io/atomic_file.h"
#include "temp_folder.h"

namespace unirg::data {
namespace {

constexpr const char* kReport =
    "<eCitation><uId id=\"CXR7\"/><MeSH><major>Opacity/lung/base/left</major><major> normal "
    "</major></MeSH>"
    "<MedlineCitation><Article><Abstract>"
    "<AbstractText Label=\"COMPARISON\">None.</AbstractText><AbstractText "
    "Label=\"INDICATION\">Chest\n   pain &amp; cough</AbstractText>"
    "<AbstractText Label=\"FINDINGS\"> </AbstractText><AbstractText Label=\"IMPRESSION\">No acute "
    "disease.</AbstractText>"
    "</Abstract></Article></MedlineCitation>"
    "<parentImage id=\"CXR7_1\"/><parentImage id=\"CXR7_2\"/><parentImage "
    "id=\"gone\"/><parentImage id=\"../secret\"/></eCitation>";

TEST(ReadOpeni, gives_sections_terms_and_the_pictures_that_are_there) {
  testing::TempFolder folder;
  const auto images = folder.path() / "images";
  io::make_folders(images);
  for (const char* name : {"CXR7_1.png", "CXR7_2.jpg"}) io::write_file(images / name, "x");
  io::write_file(folder.path() / "secret.png", "x");
  io::write_file(folder.path() / "7.xml", kReport);
  const auto draft = read_openi(folder.path(), "7.xml", images);
  ASSERT_TRUE(draft.has_value()) << draft.error().reason;
  const Study& study = draft->draft.study;
  EXPECT_EQ(study.study_id, "CXR7");
  EXPECT_EQ(study.patient_id, "CXR7") << "the collection does not link studies";
  EXPECT_EQ(study.indication, "Chest pain & cough");
  EXPECT_EQ(study.comparison, "None.");
  EXPECT_FALSE(study.findings.has_value()) << "an empty section is none";
  EXPECT_EQ(study.impression, "No acute disease.");
  EXPECT_EQ(study.extra.at("mesh").dump(), R"(["Opacity/lung/base/left","normal"])");
  EXPECT_EQ(study.source_path, "7.xml");
  EXPECT_EQ(study.source_sha256, sha256_hex(kReport));
  ASSERT_EQ(draft->draft.pictures.size(), 2) << "none that is missing or outside the folder";
  EXPECT_EQ(draft->draft.pictures[0].name, "CXR7_1.png");
  EXPECT_EQ(draft->draft.pictures[1].name, "CXR7_2.jpg");
  EXPECT_EQ(draft->missing, (std::vector<std::string>{"gone", "../secret"}));
  EXPECT_TRUE(read_openi(folder.path(), "7.xml", {})->draft.pictures.empty()) << "reports alone";
}

TEST(ReadOpeni, loses_no_text_of_a_section) {
  testing::TempFolder folder;
  io::write_file(
      folder.path() / "a.xml",
      "<e><uId id=\"x\"/><AbstractText Label=\"FINDINGS\">The heart is normal. <!-- c -->Large "
      "effusion, <b>left</b> <i>base</i>.</AbstractText><AbstractText Label=\"FINDINGS\">"
      "<![CDATA[Air < 2 cm.]]></AbstractText></e>");
  EXPECT_EQ(read_openi(folder.path(), "a.xml", {})->draft.study.findings,
            "The heart is normal. Large effusion, left base. Air < 2 cm.");
  io::write_file(folder.path() / "b.xml",
                 "<e><uId id=\"x\"/><MeSH><major>\n<![CDATA[Cardiomegaly/mild]]></major><major> "
                 "</major></MeSH>"
                 "<AbstractText Label=\"FINDINGS\"><sec>Heart "
                 "normal.</sec><sec>No<br/>effusion,</sec>H<sub>2</sub>O."
                 "</AbstractText></e>");
  const auto report = read_openi(folder.path(), "b.xml", {});
  EXPECT_EQ(report->draft.study.findings, "Heart normal. No effusion, H2O.");
  EXPECT_EQ(report->draft.study.extra.at("mesh").dump(), R"(["Cardiomegaly/mild"])");
}

TEST(ReadOpeni, reads_elements_within_their_own_kind_once) {
  testing::TempFolder folder;
  std::string text = "<e><uId id=\"x\"/><MeSH><major>a<MeSH><major>b</major></MeSH></major></MeSH>";
  const int levels = 50'000;  // once for each level would be 2.5 GB
  for (int i = 0; i < levels; ++i) text += "<AbstractText Label=\"FINDINGS\">w";
  for (int i = 0; i < levels; ++i) text += "</AbstractText>";
  text +=
      "<AbstractText Label=\"FINDINGS\">end</AbstractText><parentImage id=\"gone\"/>"
      "<parentImage id=\"gone\"/></e>";
  io::write_file(folder.path() / "a.xml", text);
  const auto report = read_openi(folder.path(), "a.xml", folder.path());
  ASSERT_TRUE(report) << report.error().reason;
  const std::string findings = report->draft.study.findings.value_or("");
  EXPECT_EQ(findings.size(), 2 * levels + 3) << "each word once";
  EXPECT_EQ(findings.substr(findings.size() - 5), "w end");
  EXPECT_EQ(report->draft.study.extra.at("mesh").dump(), R"(["a b"])");
  EXPECT_EQ(report->missing, std::vector<std::string>{"gone"}) << "told once";
  io::write_file(folder.path() / "b.xml",
                 "<e><uId id=\"x\"/><AbstractText><AbstractText Label=\"IMPRESSION\">Clear."
                 "</AbstractText></AbstractText></e>");
  EXPECT_EQ(read_openi(folder.path(), "b.xml", {})->draft.study.impression, "Clear.")
      << "another kind: its label differs";
}

TEST(ReadOpeni, names_pictures_that_no_file_can_be) {
  testing::TempFolder folder;
  const std::string name(300, 'a');
  io::write_file(folder.path() / "a.xml", "<e><uId id=\"x\"/><parentImage id=\"" + name +
                                              "\"/><parentImage id=\"CXR\xe9\"/></e>");
  io::write_file(folder.path() / "CXR\xe9.png", "x");
  const auto report = read_openi(folder.path(), "a.xml", folder.path());
  ASSERT_TRUE(report) << report.error().reason;
  EXPECT_TRUE(report->draft.pictures.empty());
  EXPECT_EQ(report->missing, (std::vector<std::string>{name, "CXR\xe9"}));
}

TEST(ReadOpeni, says_why_a_file_is_no_report) {
  testing::TempFolder folder;
  io::write_file(folder.path() / "a.xml", "<eCitation><uId id=\"x\"></eCitation>");
  io::write_file(folder.path() / "b.xml", "<eCitation/>");
  EXPECT_EQ(read_openi(folder.path(), "a.xml", {}).error().reason.rfind("not XML: ", 0), 0);
  EXPECT_EQ(read_openi(folder.path(), "b.xml", {}).error().reason,
            "no <uId id=...>: not an Open-i report");
  io::write_file(folder.path() / "c.xml",
                 "<eCitation><uId id=\"x\"/><MeSH><major>a\xecz</major></MeSH></eCitation>");
  EXPECT_EQ(read_openi(folder.path(), "c.xml", {}).error().reason.rfind("a MeSH term is", 0), 0)
      << "found by fuzzing";
}

}  // namespace
}  // namespace unirg::data
