// SPDX-License-Identifier: Apache-2.0
#include "io/run_record.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/hash.h"
#include "io/atomic_file.h"
#include "temp_folder.h"

namespace unirg::io {
namespace {

TEST(RunRecord, holds_what_made_an_output_from_what_with_which_settings) {
  testing::TempFolder folder;
  write_file(folder.path() / "in", "abc");
  RunRecord record("unirg-x", {"unirg-x", "--seed", "7"}, {{"seed", 7}});
  record.add_input(folder.path() / "in");
  record.add_input("elsewhere", "digest-1");
  record.add_output("out", "digest-2");
  record.note("studies", 412);
  const Json json = record.json();
  EXPECT_EQ(json.begin().key(), "schema");
  EXPECT_EQ(json.at("schema"), "unirg.run/1");
  EXPECT_EQ(json.at("tool"), "unirg-x");
  EXPECT_EQ(json.at("command_line"), (Json{"unirg-x", "--seed", "7"}));
  EXPECT_EQ(json.at("config").at("seed"), 7);
  EXPECT_EQ(json.at("inputs").at((folder.path() / "in").string()), sha256_hex("abc"));
  EXPECT_EQ(json.at("inputs").at("elsewhere"), "digest-1");
  EXPECT_EQ(json.at("outputs").at("out"), "digest-2");
  EXPECT_EQ(json.at("notes").at("studies"), 412);
  EXPECT_GE(json.at("wall_s").get<double>(), 0);
  EXPECT_GT(json.at("peak_memory_bytes").get<int64_t>(), 1 << 20);
  EXPECT_FALSE(json.at("host").at("name").get<std::string>().empty());
}

TEST(RunRecord, lies_beside_its_output_and_nowhere_for_a_stream) {
  testing::TempFolder folder;
  RunRecord record("unirg-x", {}, {});
  record.add_input("-");  // standard input has no digest and is not looked for
  record.write_beside(folder.path() / "out.jsonl");
  const Json json = Json::parse(read_file(folder.path() / "out.jsonl.run.json"));
  EXPECT_TRUE(json.at("inputs").empty());
  record.write_beside("-");
  EXPECT_FALSE(std::filesystem::exists("-.run.json"));
}

TEST(RunRecord, a_missing_input_is_no_input) {
  testing::TempFolder folder;
  RunRecord record("unirg-x", {}, {});
  try {
    record.add_input(folder.path() / "none");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::no_input);
  }
}

TEST(DigestPath, of_a_folder_is_over_names_and_digests_in_name_order) {
  testing::TempFolder folder;
  make_folders(folder.path() / "sub");
  make_folders(folder.path() / "training_state");
  write_file(folder.path() / "b", "2");
  write_file(folder.path() / "a", "1");
  write_file(folder.path() / "sub/c", "3");
  write_file(folder.path() / "training_state/state.json", "left out");
  EXPECT_EQ(digest_path(folder.path()),
            sha256_hex("a " + sha256_hex("1") + "\nb " + sha256_hex("2") + "\nsub/c " +
                       sha256_hex("3") + "\n"));
  EXPECT_EQ(digest_path(folder.path() / "a"), sha256_hex("1"));
}

TEST(DigestPath, of_links_is_that_of_what_they_point_to) {
  testing::TempFolder folder;
  std::filesystem::create_directories(folder.path() / "blobs");
  std::filesystem::create_directories(folder.path() / "plain");
  std::filesystem::create_directories(folder.path() / "links");
  write_file(folder.path() / "blobs/5f3a", "weights");
  write_file(folder.path() / "plain/model.safetensors", "weights");
  std::filesystem::create_symlink("../blobs/5f3a", folder.path() / "links/model.safetensors");
  EXPECT_EQ(digest_path(folder.path() / "links"), digest_path(folder.path() / "plain"));
  EXPECT_EQ(digest_path(folder.path() / "links/"), digest_path(folder.path() / "plain"));
}

}  // namespace
}  // namespace unirg::io
