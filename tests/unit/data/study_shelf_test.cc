// SPDX-License-Identifier: Apache-2.0
#include "data/study_shelf.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "temp_folder.h"

namespace unirg::data {
namespace {

Study full_study() {
  Study s;
  s.study_id = "s", s.patient_id = "p", s.dataset = "d", s.site = "north", s.split = "train";
  s.date = "2020-02-29";
  s.age = 61.3;
  s.sex = "F", s.race = "White";
  s.indication = "Cough.", s.findings = "Clear.\n\xe2\x80\x9cQuoted\xe2\x80\x9d";
  s.labels = {{"Edema", 1}, {"Fracture", -1}, {"Pneumonia", std::nullopt}};
  s.modality = "DX", s.style = "terse";
  s.source_path = "t.csv:2", s.source_sha256 = "abc";
  StudyImage image;
  image.id = "i", image.view = "PA", image.shard = "images-00000.tar", image.offset = 512;
  image.bytes = 100, image.width = 4, image.height = 5, image.sha256 = "x", image.decoder = "dcmtk";
  image.source = "a/b.dcm", image.pixels_sha256 = "y", image.burned_in_annotation = "YES";
  image.overlays = 2;
  s.images = {image, image};
  s.extra["order"] = 7;
  s.extra["mesh"] = {"normal", "lung"};
  return s;
}

TEST(StudyShelf, gives_back_studies_as_they_were) {
  const testing::TempFolder folder;
  StudyShelf shelf(folder.path());
  Study plain;
  plain.study_id = "plain";
  shelf.add(plain);
  shelf.add(full_study());
  ASSERT_EQ(shelf.size(), 2U);
  EXPECT_EQ(to_json(shelf.get(1)).dump(), to_json(full_study()).dump());
  EXPECT_EQ(to_json(shelf.get(0)).dump(), to_json(plain).dump());
}

TEST(StudyShelf, keeps_what_json_could_not) {
  const testing::TempFolder folder;
  StudyShelf shelf(folder.path());
  Study study = full_study();
  study.age = std::numeric_limits<double>::infinity();
  study.findings = "not UTF-8: \xff";
  study.extra["date"] = "another date";  // a field of the record, too
  shelf.add(study);
  const Study back = shelf.get(0);
  EXPECT_TRUE(std::isinf(*back.age));
  EXPECT_EQ(back.findings, "not UTF-8: \xff");
  EXPECT_EQ(back.date, "2020-02-29");
  EXPECT_EQ(back.extra, study.extra);
}

TEST(Drafts, have_the_pictures_that_came_one_by_one_in_their_order) {
  const testing::TempFolder folder;
  Drafts drafts(folder.path());
  FileList files("/in");
  for (const char* name : {"a", "b", "c", "d"}) files.add(name);
  drafts.set_files(std::move(files));
  Draft first;
  first.study = full_study();
  first.place = {"t.csv", 3};
  Draft second;
  second.study.study_id = "second";
  second.pictures.push_back({"own", "/elsewhere/own", "AP", true});
  EXPECT_EQ(drafts.add(first), 0U);
  EXPECT_EQ(drafts.add(second), 1U);
  EXPECT_FALSE(drafts.has_pictures(0));
  drafts.add_picture(0, 3, "LATERAL");
  drafts.add_picture(1, 1, "");
  drafts.add_picture(0, 0, "PA");
  EXPECT_TRUE(drafts.has_pictures(0));
  EXPECT_TRUE(drafts.has_picture(0, 0, true));
  EXPECT_TRUE(drafts.has_picture(0, 0, false)) << "and it stays the key picture";
  EXPECT_FALSE(drafts.has_picture(0, 1, true));
  const Draft draft = drafts.get(0);
  EXPECT_EQ(to_json(draft.study), to_json(first.study));
  EXPECT_EQ(draft.place.file, "t.csv");
  EXPECT_EQ(draft.place.line, 3);
  ASSERT_EQ(draft.pictures.size(), 2U);
  EXPECT_EQ(draft.pictures[0].name, "d");
  EXPECT_EQ(draft.pictures[0].path, "/in/d");
  EXPECT_EQ(draft.pictures[0].view, "LATERAL");
  EXPECT_FALSE(draft.pictures[0].is_key);
  EXPECT_EQ(draft.pictures[1].name, "a");
  EXPECT_TRUE(draft.pictures[1].is_key);
  const Draft other = drafts.get(1);
  ASSERT_EQ(other.pictures.size(), 2U);
  EXPECT_EQ(other.pictures[0].path, "/elsewhere/own");
  EXPECT_TRUE(other.pictures[0].is_key);
  EXPECT_EQ(other.pictures[1].name, "b");
}

TEST(Drafts, are_replaced_and_put_in_another_order) {
  const testing::TempFolder folder;
  Drafts drafts(folder.path());
  for (const char* id : {"a", "b", "c"}) {
    Draft draft;
    draft.study.study_id = id;
    drafts.add(draft);
  }
  Draft draft = drafts.report(1);
  draft.study.findings = "Clear.";
  draft.report_file = "sr.dcm";
  drafts.replace(1, draft);
  drafts.set_order({2, 1});
  ASSERT_EQ(drafts.size(), 2U);
  EXPECT_EQ(drafts.get(0).study.study_id, "c");
  EXPECT_EQ(drafts.get(1).study.findings, "Clear.");
  EXPECT_EQ(report_files(drafts.get(1)), 1);
}

}  // namespace
}  // namespace unirg::data
