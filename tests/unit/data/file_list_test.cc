// SPDX-License-Identifier: Apache-2.0
#include "data/file_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/error.h"
#include "io/atomic_file.h"
#include "temp_folder.h"

namespace unirg::data {
namespace {

namespace fs = std::filesystem;

TEST(PathLess, orders_as_paths_do_part_by_part) {
  const std::vector<std::string> names{"a",     "a/b", "a/b/c", "a/c",        "a-b",    "a-b/c",
                                       "a.png", "ab",  "b",     "\xc3\xa4/1", "a\x01/b"};
  for (const std::string& a : names) {
    for (const std::string& b : names)
      EXPECT_EQ(path_less(a, b), fs::path(a) < fs::path(b)) << a << " and " << b;
  }
  EXPECT_TRUE(path_less("a/b", "a-b")) << "though '-' comes before '/'";
}

TEST(FileList, holds_what_lies_below_a_folder_in_order) {
  const testing::TempFolder folder;
  for (const char* name : {"b/2.png", "a-b/1.png", "a/9.png", "a/10.png", "z.png"}) {
    fs::create_directories((folder.path() / name).parent_path());
    io::write_file(folder.path() / name, "x");
  }
  for (const fs::path& root : {folder.path(), folder.path() / "", folder.path() / "."}) {
    const FileList files = files_below(root);
    std::string all;
    for (size_t i = 0; i < files.size(); ++i) all += std::string(files[i]) + " ";
    EXPECT_EQ(all, "a/10.png a/9.png a-b/1.png b/2.png z.png ");
    EXPECT_TRUE(fs::exists(files.path(2)));
  }
  EXPECT_THROW(files_below(folder.path() / "absent"), Error);
}

TEST(FileList, knows_the_folder_of_each_file_and_stays_where_it_is) {
  FileList files("/one");
  files.add("a");
  files.add("b");
  files.begin_root("/two");
  files.begin_root("/three");
  files.add(std::string(100000, 'l'));
  files.add("c");
  const std::string_view first = files[0];
  for (int i = 0; i < 30000; ++i) files.add("file-" + std::to_string(i));
  const FileList moved = std::move(files);
  EXPECT_EQ(first.data(), moved[0].data());
  EXPECT_EQ(moved.path(1), "/one/b");
  EXPECT_EQ(moved.path(3), "/three/c");
  EXPECT_EQ(moved[2].size(), 100000U);
  EXPECT_EQ(moved[4 + 29999], "file-29999");
  EXPECT_EQ(moved.first_of(1), 2U);
  EXPECT_EQ(moved.first_of(2), 2U);
  EXPECT_EQ(moved.first_of(3), moved.size());
}

TEST(FileList, leaves_out_what_is_not_kept) {
  FileList files("/one");
  for (const char* name : {"a", "b", "c"}) files.add(name);
  files.keep_if([](std::string_view name) { return name != "b"; });
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[1], "c");
}

}  // namespace
}  // namespace unirg::data
