// SPDX-License-Identifier: Apache-2.0
#include "data/study_loader.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/error.h"
#include "temp_folder.h"

namespace unirg::data {
namespace {

/// Two studies; the picture of the second is no picture.
class Loader : public ::testing::Test {
 protected:
  Loader() {
    io::TarWriter shard(folder.path() / "images.tar");
    std::string lines;
    for (const char* id : {"a", "b"}) {
      Study study;
      study.study_id = id;
      study.split = *id == 'a' ? "train" : "test";
      const std::string bytes = *id == 'a' ? image::encode_png(picture) : "no picture";
      const io::TarSpan span = shard.add(id, bytes);
      StudyImage image;
      image.id = std::string(id) + "1";
      image.shard = "images.tar";
      image.offset = span.offset;
      image.bytes = span.bytes;
      study.images = {image};
      lines += io::json_line(to_json(study));
    }
    shard.commit();
    io::write_file(folder.path() / "studies.jsonl", lines);
  }
  void expect_failure(const std::function<void(const StudySet&)>& act,
                      const std::string& words) const {
    const StudySet set(folder.path() / "studies.jsonl");
    try {
      act(set);
      FAIL() << "no error: " << words;
    } catch (const Error& e) {
      EXPECT_EQ(e.exit(), Exit::data);
      EXPECT_NE(std::string(e.what()).find(words), std::string::npos) << e.what();
    }
  }
  testing::TempFolder folder;
  const image::Image8 picture{2, 2, 1, {1, 2, 3, 4}};
};

TEST_F(Loader, finds_studies_and_decodes_their_pictures) {
  const StudySet set(folder.path() / "studies.jsonl");
  EXPECT_EQ(set.find("b"), &set.studies()[1]);
  EXPECT_EQ(set.find("c"), nullptr);
  EXPECT_EQ(set.load_image(set.studies()[0], set.studies()[0].images[0]), picture);
  EXPECT_EQ(set.image_bytes(set.studies()[1].images[0]), "no picture");
}

TEST_F(Loader, names_study_and_image_of_a_picture_that_does_not_decode) {
  expect_failure(
      [](const StudySet& set) {
        (void)set.load_image(set.studies()[1], set.studies()[1].images[0]);
      },
      "study 'b', image 'b1'");
}

TEST_F(Loader, gives_splits_in_file_order_and_lists_those_there_are) {
  const StudySet set(folder.path() / "studies.jsonl");
  EXPECT_EQ(set.of_splits({}).size(), 2);
  EXPECT_EQ(set.of_splits({"test", "train"}),
            (std::vector<const Study*>{&set.studies()[0], &set.studies()[1]}));
  EXPECT_EQ(set.of_splits({"test"}), std::vector<const Study*>{&set.studies()[1]});
  expect_failure(
      [](const StudySet& s) {
        (void)s.of_splits({"train", "validate"});
      },
      "no study of split 'validate' (hint: the file has test, train)");
}

}  // namespace
}  // namespace unirg::data
