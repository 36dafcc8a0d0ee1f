// SPDX-License-Identifier: Apache-2.0
#include "data/exclusion.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "data/leaks.h"
#include "io/atomic_file.h"
#include "temp_folder.h"

namespace unirg::data {
namespace {

using Paths = std::vector<std::string>;

TEST(PictureTails, are_what_pictures_are_told_apart_by) {
  EXPECT_EQ(picture_tails("/data/p10/p1/s2/x.jpg"), (Paths{"s2/x", "p1/s2/x"}));
  EXPECT_EQ(picture_tails("CXR1/0.png"), Paths{"CXR1/0"});
  EXPECT_EQ(picture_tails("x.png"), Paths{});
}

TEST(Exclusion, of_paths_of_three_parts_is_not_misled_by_two) {
  const testing::TempFolder folder;
  io::write_file(folder.path() / "l.json",
                 R"({"q": {"image_path": ["valid/patient1/study1/view1.jpg"], "report": "A b."}})");
  Exclusion exclusion;
  read_exclusion(folder.path() / "l.json", exclusion);
  EXPECT_TRUE(exclusion.has("other", {"PNG/valid/patient1/study1/view1.png"}));
  EXPECT_FALSE(exclusion.has("other", {"PNG/train/patient2/study1/view1.png"}));
  EXPECT_TRUE(exclusion.has("q", {}));
  ASSERT_EQ(exclusion.reports.size(), 1U);
  EXPECT_EQ(exclusion.reports[0].text, "A b.");
}

TEST(Exclusion, of_study_records_knows_their_pictures) {
  const testing::TempFolder folder;
  Study study;
  study.study_id = "a";
  study.findings = "One two three four five six.";
  study.images.push_back({});
  study.images[0].sha256 = "digest";
  io::write_file(folder.path() / "s.jsonl", io::json_line(to_json(study)));
  Exclusion exclusion;
  read_exclusion(folder.path() / "s.jsonl", exclusion);
  EXPECT_TRUE(exclusion.digests.contains("digest"));
  Study trained = study;
  trained.study_id = "b";
  trained.split = "train";
  const Leaks leaks = find_leaks([&](const StudyTaker& take) { take(trained); }, exclusion, 0.8);
  EXPECT_EQ(leaks.trained, 1);
  EXPECT_EQ(leaks.tested, 1);
  ASSERT_EQ(leaks.image.size(), 1U);
  ASSERT_EQ(leaks.text.size(), 1U);
  EXPECT_EQ(leaks.text[0].of, "a");
}

TEST(Exclusion, of_nothing_is_refused) {
  const testing::TempFolder folder;
  io::write_file(folder.path() / "empty.txt", "# only a comment\n\n");
  Exclusion exclusion;
  EXPECT_THROW(read_exclusion(folder.path() / "empty.txt", exclusion), Error);
  EXPECT_THROW(read_exclusion(folder.path() / "absent.txt", exclusion), Error);
}

}  // namespace
}  // namespace unirg::data
