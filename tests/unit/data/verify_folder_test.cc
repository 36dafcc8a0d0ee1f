// SPDX-License-Identifier: Apache-2.0
#include "data/verify_folder.h"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "base/error.h"
#include "base/hash.h"
#include "data/records.h"
#include "io/atomic_file.h"
#include "io/tar.h"
#include "temp_folder.h"

namespace unirg::data {
namespace {

namespace fs = std::filesystem;

/// A folder of two studies with a picture each in one shard, as a run writes it.
class VerifyFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    io::TarWriter tar(folder() / "images-00000.tar");
    for (const char* id : {"a", "b"}) {
      const std::string picture = std::string(3000, id[0]);
      const io::TarSpan span = tar.add(std::string(id) + "/x.png", picture);
      Study study;
      study.study_id = study.patient_id = id;
      StudyImage image;
      image.id = "x", image.shard = "images-00000.tar", image.sha256 = sha256_hex(picture);
      image.offset = span.offset, image.bytes = span.bytes;
      study.images.push_back(image);
      studies_.push_back(study);
    }
    tar.commit();
    io::write_file(folder() / "DONE", "");
    write();
  }
  /// The records as they are now, and the run record of all.
  void write() {
    std::string lines;
    for (const Study& study : studies_) lines += io::json_line(to_json(study));
    io::write_file(folder() / "studies.jsonl", lines);
    write_run({"studies.jsonl", "images-00000.tar"});
  }
  void write_run(const std::vector<std::string>& files) {
    io::Json run = {{"schema", "unirg.run/1"}, {"tool", "unirg-ingest"}};
    for (const std::string& file : files)
      run["outputs"]["elsewhere/st/" + file] = sha256_file(folder() / file);
    io::write_file(folder() / "run.json", run.dump());
  }
  void change_byte(const char* file, int64_t at) const {
    std::fstream stream(folder() / file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(at).put('?');
  }
  [[nodiscard]] std::string problems(int threads = 1) const {
    std::string text;
    for (const FolderProblem& p :
         verify_folder(folder(), threads, [](int64_t) { return true; }).problems)
      text += p.file + ": " + p.what + "\n";
    return text;
  }
  [[nodiscard]] fs::path folder() const { return temp_.path(); }

  testing::TempFolder temp_;
  std::vector<Study> studies_;
};

constexpr const char* kDiffers = ": its bytes are not those the run record tells of\n";

TEST_F(VerifyFolder, finds_nothing_in_a_folder_as_it_was_written) {
  const FolderCheck check = verify_folder(folder(), 2, [](int64_t) { return true; });
  EXPECT_TRUE(check.problems.empty());
  EXPECT_EQ(check.files, 2);
  EXPECT_EQ(check.pictures, 2);
  EXPECT_EQ(check.unrecorded, 0);
  EXPECT_TRUE(check.whole);
}

TEST_F(VerifyFolder, names_a_picture_whose_byte_changed_and_its_shard) {
  change_byte("images-00000.tar", studies_[1].images[0].offset + 2999);
  EXPECT_EQ(problems(), std::string("images-00000.tar") + kDiffers +
                            "images-00000.tar: image 'x' of studies.jsonl:2: its bytes are not "
                            "those it tells of\n");
}

TEST_F(VerifyFolder, names_the_shard_alone_if_the_change_is_in_no_picture) {
  change_byte("images-00000.tar", 3);
  EXPECT_EQ(problems(), std::string("images-00000.tar") + kDiffers);
}

TEST_F(VerifyFolder, checks_pictures_alone_where_the_run_record_is_an_older_one) {
  write_run({"studies.jsonl"});
  change_byte("images-00000.tar", studies_[0].images[0].offset);
  EXPECT_EQ(problems(),
            "images-00000.tar: image 'x' of studies.jsonl:1: its bytes are not those it tells "
            "of\n");
  EXPECT_EQ(verify_folder(folder(), 1, [](int64_t) { return true; }).unrecorded, 1);
}

TEST_F(VerifyFolder, names_what_is_missing) {
  fs::remove(folder() / "images-00000.tar");
  EXPECT_EQ(problems(), "images-00000.tar: missing\n");
  fs::remove(folder() / "studies.jsonl");
  fs::remove(folder() / "DONE");
  EXPECT_EQ(problems(),
            "DONE: missing: the folder is not complete\nimages-00000.tar: missing\n"
            "studies.jsonl: missing\n");
  fs::remove(folder() / "run.json");
  EXPECT_EQ(problems(),
            "DONE: missing: the folder is not complete\nrun.json: missing\n"
            "studies.jsonl: missing\n");
  EXPECT_THROW(verify_folder(folder() / "absent", 1, [](int64_t) { return true; }), Error);
}

TEST_F(VerifyFolder, names_a_shard_that_was_cut) {
  fs::resize_file(folder() / "images-00000.tar",
                  static_cast<uint64_t>(studies_[1].images[0].offset) + 10);
  EXPECT_EQ(problems(), std::string("images-00000.tar") + kDiffers +
                            "images-00000.tar: image 'x' of studies.jsonl:2: the file ends before "
                            "it\n");
}

TEST_F(VerifyFolder, names_records_that_changed) {
  studies_[0].images[0].sha256 = std::string(64, '0');
  studies_[1].images[0].offset = studies_[0].images[0].offset + 1;
  std::string lines;
  for (const Study& study : studies_) lines += io::json_line(to_json(study));
  io::write_file(folder() / "studies.jsonl", lines + "{}\n");
  EXPECT_EQ(problems(2),
            "studies.jsonl: line 3: field 'schema' is missing\n"
            "images-00000.tar: image 'x' of studies.jsonl:2: its bytes are those of another, too\n"
            "images-00000.tar: image 'x' of studies.jsonl:1: its bytes are not those it tells of\n"
            "studies.jsonl" +
                std::string(kDiffers));
  studies_[1].images[0].offset = std::numeric_limits<int64_t>::max() - 1;
  studies_[0].images.clear();
  write();
  EXPECT_EQ(problems(),
            "images-00000.tar: image 'x' of studies.jsonl:2: the file ends before it\n");
}

TEST_F(VerifyFolder, refuses_a_run_record_of_something_else) {
  for (const char* text : {"{", "[]", R"({"tool":"unirg-sft","outputs":{}})",
                           R"({"tool":"unirg-ingest","outputs":{"a":1}})",
                           R"({"tool":"unirg-ingest","outputs":{}})"}) {
    io::write_file(folder() / "run.json", text);
    EXPECT_NE(problems().find("run.json: not the run record of an ingested folder\n"),
              std::string::npos)
        << text;
  }
}

TEST_F(VerifyFolder, stops_when_it_is_told_to) {
  EXPECT_FALSE(verify_folder(folder(), 1, [](int64_t) { return false; }).whole);
}

}  // namespace
}  // namespace unirg::data
