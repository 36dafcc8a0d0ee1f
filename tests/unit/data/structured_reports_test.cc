// SPDX-License-Identifier: Apache-2.0
#include "data/structured_reports.h"

#include <gtest/gtest.h>

namespace unirg::data {
namespace {

Draft draft_of(const char* id, const char* picture) {
  Draft draft;
  draft.study.study_id = id;
  if (picture != nullptr) draft.pictures.push_back({picture, picture, ""});
  return draft;
}

std::string reason_of(const std::vector<Refusal>& refusals, const std::string& file) {
  for (const Refusal& r : refusals) {
    if (r.file == file) return r.reason;
  }
  return "";
}

TEST(StructuredReports, TheNewestWithTextIsTheStudys) {
  std::vector<Draft> drafts{draft_of("s", "s.dcm")};
  std::vector<Refusal> refusals;
  attach_reports({{"old", "20240101", "FINDINGS:\nOld.", 0},
                  {"new", "20240102", "FINDINGS:\nNew.\n\nIMPRESSION:\nNormal.", 0},
                  {"empty", "20240103", "COMPARISON:\nNone.", 0}},
                 drafts, refusals);
  EXPECT_EQ(drafts[0].study.findings, "New.");
  EXPECT_EQ(drafts[0].study.impression, "Normal.");
  EXPECT_EQ(drafts[0].report_file, "new");
  EXPECT_EQ(drafts[0].study.source_path, "new");
  ASSERT_EQ(refusals.size(), 2U);
  EXPECT_EQ(reason_of(refusals, "old"), "another structured report of its study is newer");
  EXPECT_EQ(reason_of(refusals, "empty"), "structured report without findings or impression");
}

TEST(StructuredReports, ATablesReportStaysAndItsGapsAreFilled) {
  std::vector<Draft> drafts{draft_of("a", "a.dcm"), draft_of("b", "b.dcm"), draft_of("c", nullptr)};
  for (Draft& draft : drafts) draft.place = {"t.csv", 2};
  drafts[0].study.impression = "Own.";
  drafts[1].study.indication = "Cough.";
  drafts[1].study.source_path = "t.csv:2";
  std::vector<Refusal> refusals;
  attach_reports({{"1", "", "FINDINGS:\nOther.", 0},
                  {"2", "", "HISTORY:\nPain.\n\nFINDINGS:\nClear.", 1},
                  {"3", "", "FINDINGS:\nClear.", 2}},
                 drafts, refusals);
  EXPECT_EQ(drafts[0].study.findings, std::nullopt);
  EXPECT_EQ(drafts[1].study.indication, "Cough.");
  EXPECT_EQ(drafts[1].study.findings, "Clear.");
  EXPECT_EQ(drafts[1].study.source_path, "t.csv:2");
  EXPECT_EQ(reason_of(refusals, "1"), "the table gives the report of its study");
  EXPECT_EQ(reason_of(refusals, "3"), "structured report of a study without an image");
}

TEST(StructuredReports, StudiesWithoutARowNeedAReport) {
  for (const bool allowed : {false, true}) {
    std::vector<Draft> drafts{draft_of("row", nullptr), draft_of("told", "told.dcm"),
                              draft_of("untold", "untold.dcm"), draft_of("bare", nullptr)};
    std::vector<Refusal> refusals;
    attach_reports({{"sr", "", "FINDINGS:\nClear.", 1}, {"sr2", "", "FINDINGS:\nClear.", 3}},
                   drafts, refusals);
    drop_unreported(allowed, 1, drafts, refusals);
    std::vector<std::string> ids;
    for (const Draft& draft : drafts) ids.push_back(draft.study.study_id);
    EXPECT_EQ(ids, allowed ? (std::vector<std::string>{"row", "told", "untold"})
                           : (std::vector<std::string>{"row", "told"}));
    EXPECT_EQ(reason_of(refusals, "sr2"), "structured report of a study without an image");
    EXPECT_EQ(reason_of(refusals, "untold.dcm").starts_with("missing report"), !allowed);
  }
}

}  // namespace
}  // namespace unirg::data
