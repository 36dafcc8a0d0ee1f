// SPDX-License-Identifier: Apache-2.0
#include "io/tar.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.h"
#include "base/hash.h"
#include "temp_folder.h"

namespace unirg::io {
namespace {

TEST(Tar, members_are_found_by_offset_and_tar_lists_them) {
  testing::TempFolder folder;
  const std::filesystem::path path = folder.path() / "images.tar";
  TarWriter writer(path);
  const std::string long_name = std::string(120, 'd') + "/" + std::string(80, 'f') + ".png";
  const TarSpan first = writer.add("a.png", "first");
  const TarSpan second = writer.add(long_name, std::string(1000, 'z'));
  writer.commit();

  ShardReader reader(folder.path());
  EXPECT_EQ(reader.read("images.tar", first), "first");
  EXPECT_EQ(reader.read("images.tar", second), std::string(1000, 'z'));
  const std::string listing = (folder.path() / "listing").string();
  ASSERT_EQ(std::system(("tar tf " + path.string() + " > " + listing).c_str()), 0);
  EXPECT_EQ(read_file(listing), "a.png\n" + long_name + "\n");
}

TEST(Tar, same_members_same_bytes) {
  testing::TempFolder folder;
  std::string digests[2];
  for (int i = 0; i < 2; ++i) {
    TarWriter writer(folder.path() / std::to_string(i));
    writer.add("x", "content");
    writer.commit();
    digests[i] = sha256_file(folder.path() / std::to_string(i));
  }
  EXPECT_EQ(digests[0], digests[1]);
}

TEST(ShardReader, says_when_a_shard_is_too_short) {
  testing::TempFolder folder;
  write_file(folder.path() / "s.tar", "short");
  ShardReader reader(folder.path());
  EXPECT_THROW((void)reader.read("s.tar", {0, 100}), Error);
}

}  // namespace
}  // namespace unirg::io
