// SPDX-License-Identifier: Apache-2.0
#include "io/atomic_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"
#include "io/run_record.h"
#include "temp_folder.h"

namespace unirg::io {
namespace {

namespace fs = std::filesystem;

size_t entries(const fs::path& folder) {
  return static_cast<size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(AtomicFile, appears_only_at_commit) {
  testing::TempFolder folder;
  const fs::path path = folder.path() / "out";
  AtomicFile file(path);
  file.write("hello ");
  file.write("world");
  EXPECT_FALSE(fs::exists(path));
  file.commit();
  EXPECT_EQ(read_file(path), "hello world");
  EXPECT_EQ(file.sha256(), sha256_hex("hello world"));
  EXPECT_EQ(entries(folder.path()), 1u);
}

TEST(AtomicFile, leaves_nothing_when_abandoned_and_keeps_the_old_file) {
  testing::TempFolder folder;
  const fs::path path = folder.path() / "out";
  write_file(path, "old");
  {
    AtomicFile file(path);
    file.write("new");
  }
  EXPECT_EQ(read_file(path), "old");
  EXPECT_EQ(entries(folder.path()), 1u);
}

TEST(AtomicFile, in_a_missing_folder_cannot_be_created) {
  try {
    AtomicFile file("/nonexistent/folder/out");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::cannot_create);
  }
}

TEST(AtomicFile, sealed_has_its_digest_and_is_not_there_yet) {
  testing::TempFolder folder;
  AtomicFile file(folder.path() / "f");
  file.write("abc");
  file.seal();
  EXPECT_EQ(file.sha256(), sha256_hex("abc"));
  EXPECT_FALSE(fs::exists(folder.path() / "f"));
  file.commit();
  EXPECT_EQ(read_file(folder.path() / "f"), "abc");
}

TEST(AtomicFile, writes_through_to_what_is_no_regular_file) {
  AtomicFile file("/dev/null");
  file.write("abc");
  file.commit();
  EXPECT_TRUE(is_special("/dev/null"));
}

TEST(AtomicFile, removes_what_a_dead_run_left_and_nothing_of_a_living_one) {
  testing::TempFolder folder;
  const fs::path path = folder.path() / "f";
  AtomicFile living(path);  // holds a temporary name of this process
  std::string name;
  for (const auto& entry : fs::directory_iterator(folder.path())) name = entry.path().filename();
  const std::string pid = std::to_string(::getpid());
  const size_t at = name.rfind("-" + pid + "-");
  ASSERT_NE(at, std::string::npos) << name;
  // Process ids end well below this one.
  write_file(folder.path() / (name.substr(0, at) + "-999999999-0"), "half");
  EXPECT_EQ(entries(folder.path()), 2u);
  AtomicFile next(path);
  EXPECT_EQ(entries(folder.path()), 2u) << "the living one's and the next one's";
}

TEST(FolderLock, lets_one_in) {
  testing::TempFolder folder;
  {
    const FolderLock lock(folder.path());
    EXPECT_THROW(FolderLock again(folder.path()), Error);
  }
  EXPECT_NO_THROW(FolderLock again(folder.path()));
}

TEST(AtomicFolder, replaces_an_existing_folder_in_one_step) {
  testing::TempFolder folder;
  const fs::path path = folder.path() / "checkpoint";
  for (const char* content : {"first", "second"}) {
    AtomicFolder made(path);
    write_file(made.temporary() / "weights", content);
    made.commit();
    EXPECT_EQ(read_file(path / "weights"), content);
    EXPECT_TRUE(fs::exists(path / "DONE"));
  }
  EXPECT_EQ(entries(folder.path()), 1u);
}

TEST(DigestPath, of_a_folder_ignores_how_it_came_about) {
  testing::TempFolder folder;
  write_file(folder.path() / "weights", "w");
  const std::string before = digest_path(folder.path());
  write_file(folder.path() / "run.json", "{}");
  write_file(folder.path() / "DONE", "");
  EXPECT_EQ(digest_path(folder.path()), before);
  write_file(folder.path() / "config.json", "{}");
  EXPECT_NE(digest_path(folder.path()), before);
}

}  // namespace
}  // namespace unirg::io
