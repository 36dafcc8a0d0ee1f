// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/error.h"
#include "io/atomic_file.h"
#include "scoring/reports.h"
#include "scoring/scorer.h"
#include "temp_folder.h"

namespace unirg::scoring {
namespace {

const std::string kLexicon = std::string(UNIRG_SOURCE_DIR) + "/share/lexicon/chest.yaml";

TEST(LoadReports, reads_every_kind_of_file_alike) {
  testing::TempFolder folder;
  const auto path = [&](const char* name) { return folder.path() / name; };
  io::write_file(path("a.jsonl"), R"({"study_id":"s1","text":"Findings: F. Impression: I."})"
                                  "\n");
  io::write_file(path("b.csv"), "study_id,report\ns1,\"Findings: F. Impression: I.\"\n");
  io::write_file(
      path("c.json"),
      R"({"s1":{"section_findings":"F.","section_impression":"I.","age":NaN,"model_prediction":"Findings: P."}})");
  for (const char* name : {"a.jsonl", "b.csv", "c.json"}) {
    const auto reports = load_reports(path(name), false).records;
    ASSERT_EQ(reports.size(), 1u) << name;
    EXPECT_EQ(scored_text(reports[0].report, Sections::both), "Findings: F. Impression: I.")
        << name;
    EXPECT_EQ(scored_text(reports[0].report, Sections::impression), "Impression: I.") << name;
  }
  EXPECT_EQ(scored_text(load_reports(path("c.json"), true).records[0].report, Sections::both),
            "Findings: P.");
}

TEST(LoadReports, says_where_a_line_is_wrong) {
  testing::TempFolder folder;
  io::write_file(folder.path() / "a.jsonl",
                 "{\"study_id\":\"s\",\"text\":\"x\"}\n{\"study_id\":3}\n");
  try {
    (void)load_reports(folder.path() / "a.jsonl", true);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::data);
    EXPECT_NE(std::string(e.what()).find("a.jsonl:2: field 'study_id': expected string"),
              std::string::npos)
        << e.what();
  }
}

TEST(Scorer, gives_an_identical_report_full_marks_and_no_errors) {
  const Scorer scorer({}, kLexicon);
  const Prepared p = scorer.prepare(
      "Findings: Small left pleural effusion. No pneumothorax. Impression: Small left pleural "
      "effusion.");
  const auto values = scorer.score(p, p);
  for (size_t i = 0; i < values.size(); ++i) {
    const std::string& name = scorer.metrics()[i].name;
    if (name == "words") continue;
    EXPECT_NEAR(values[i], name == "errors" ? 0 : 1, 1e-12) << name;
  }
}

TEST(Scorer, unknown_metric_is_a_config_error_that_lists_the_known) {
  try {
    const Scorer scorer({"bleu7"}, kLexicon);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::config);
    EXPECT_NE(std::string(e.what()).find("bleu2"), std::string::npos);
  }
}

}  // namespace
}  // namespace unirg::scoring
