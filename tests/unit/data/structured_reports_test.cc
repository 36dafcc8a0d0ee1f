// SPDX-License-Identifier: Apache-2.0
#include "data/structured_reports.h"

#include <gtest/gtest.h>

#include "temp_folder.h"

namespace unirg::data {
namespace {

/// Drafts with a picture each, or none.
class Folder {
 public:
  Folder() : drafts(temp_.path()), reports(temp_.path()) {
    FileList files(temp_.path());
    for (const char* name : {"0.dcm", "1.dcm", "2.dcm", "3.dcm"}) files.add(name);
    drafts.set_files(std::move(files));
  }
  void add(const Draft& draft, bool has_picture) {
    const uint32_t number = drafts.add(draft);
    if (has_picture) drafts.add_picture(number, number, "");
  }

 private:
  testing::TempFolder temp_;

 public:
  Drafts drafts;
  FoundReports reports;
};

Draft draft_of(const char* id) {
  Draft draft;
  draft.study.study_id = id;
  return draft;
}

std::string reason_of(const std::vector<Refusal>& refusals, const std::string& file) {
  for (const Refusal& r : refusals) {
    if (r.file == file) return r.reason;
  }
  return "";
}

TEST(StructuredReports, TheNewestWithTextIsTheStudys) {
  Folder folder;
  folder.add(draft_of("s"), true);
  std::vector<Refusal> refusals;
  folder.reports.add({"old", "20240101", "FINDINGS:\nOld.", 0});
  folder.reports.add({"new", "20240102", "FINDINGS:\nNew.\n\nIMPRESSION:\nNormal.", 0});
  folder.reports.add({"empty", "20240103", "COMPARISON:\nNone.", 0});
  folder.reports.attach(folder.drafts, refusals);
  const Draft draft = folder.drafts.get(0);
  EXPECT_EQ(draft.study.findings, "New.");
  EXPECT_EQ(draft.study.impression, "Normal.");
  EXPECT_EQ(draft.report_file, "new");
  EXPECT_EQ(draft.study.source_path, "new");
  EXPECT_EQ(draft.pictures.size(), 1U);
  ASSERT_EQ(refusals.size(), 2U);
  EXPECT_EQ(reason_of(refusals, "old"), "another structured report of its study is newer");
  EXPECT_EQ(reason_of(refusals, "empty"), "structured report without findings or impression");
}

TEST(StructuredReports, OfTwoOfOneTimeTheLaterFileIsTaken) {
  Folder folder;
  folder.add(draft_of("s"), true);
  std::vector<Refusal> refusals;
  // By the letters of their paths, where '-' comes before '/'.
  folder.reports.add({"a/1", "20240101", "FINDINGS:\nLater.", 0});
  folder.reports.add({"a-b/1", "20240101", "FINDINGS:\nEarlier.", 0});
  folder.reports.attach(folder.drafts, refusals);
  EXPECT_EQ(folder.drafts.get(0).study.findings, "Later.");
}

TEST(StructuredReports, ATablesReportStaysAndItsGapsAreFilled) {
  Folder folder;
  Draft a = draft_of("a"), b = draft_of("b"), c = draft_of("c");
  for (Draft* draft : {&a, &b, &c}) draft->place = {"t.csv", 2};
  a.study.impression = "Own.";
  b.study.indication = "Cough.";
  b.study.source_path = "t.csv:2";
  folder.add(a, true);
  folder.add(b, true);
  folder.add(c, false);
  std::vector<Refusal> refusals;
  folder.reports.add({"1", "", "FINDINGS:\nOther.", 0});
  folder.reports.add({"2", "", "HISTORY:\nPain.\n\nFINDINGS:\nClear.", 1});
  folder.reports.add({"3", "", "FINDINGS:\nClear.", 2});
  folder.reports.attach(folder.drafts, refusals);
  EXPECT_EQ(folder.drafts.get(0).study.findings, std::nullopt);
  const Study study = folder.drafts.get(1).study;
  EXPECT_EQ(study.indication, "Cough.");
  EXPECT_EQ(study.findings, "Clear.");
  EXPECT_EQ(study.source_path, "t.csv:2");
  EXPECT_EQ(reason_of(refusals, "1"), "the table gives the report of its study");
  EXPECT_EQ(reason_of(refusals, "3"), "structured report of a study without an image");
}

TEST(StructuredReports, StudiesWithoutARowNeedAReport) {
  for (const bool allowed : {false, true}) {
    Folder folder;
    folder.add(draft_of("row"), false);
    folder.add(draft_of("told"), true);
    folder.add(draft_of("untold"), true);
    folder.add(draft_of("bare"), false);
    std::vector<Refusal> refusals;
    folder.reports.add({"sr", "", "FINDINGS:\nClear.", 1});
    folder.reports.add({"sr2", "", "FINDINGS:\nClear.", 3});
    folder.reports.attach(folder.drafts, refusals);
    drop_unreported(allowed, 1, folder.drafts, refusals);
    std::vector<std::string> ids;
    for (size_t i = 0; i < folder.drafts.size(); ++i)
      ids.push_back(folder.drafts.get(i).study.study_id);
    EXPECT_EQ(ids, allowed ? (std::vector<std::string>{"row", "told", "untold"})
                           : (std::vector<std::string>{"row", "told"}));
    EXPECT_EQ(reason_of(refusals, "sr2"), "structured report of a study without an image");
    EXPECT_EQ(reason_of(refusals, "2.dcm").starts_with("missing report"), !allowed);
  }
}

}  // namespace
}  // namespace unirg::data
