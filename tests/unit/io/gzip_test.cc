// SPDX-License-Identifier: Apache-2.0
#include "io/gzip.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "io/atomic_file.h"
#include "temp_folder.h"

namespace unirg::io {
namespace {

// printf 'a,b\n1,2\n' | gzip -n
const std::string kPacked(
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x4b\xd4\x49\xe2\x32\xd4\x31\xe2\x02\x00\x7b\x07\x97"
    "\x0a\x08\x00\x00\x00",
    28);

TEST(Gzip, unpacks_one_member_and_several) {
  EXPECT_EQ(gunzip(kPacked, "x"), "a,b\n1,2\n");
  EXPECT_EQ(gunzip(kPacked + kPacked, "x"), "a,b\n1,2\na,b\n1,2\n");
}

TEST(Gzip, refuses_what_is_cut_damaged_foreign_or_empty) {
  for (size_t n = 0; n < kPacked.size(); ++n)
    EXPECT_THROW(gunzip(kPacked.substr(0, n), "x"), Error) << n << " bytes";
  std::string damaged = kPacked;
  damaged[20] = static_cast<char>(damaged[20] ^ 0x55);
  EXPECT_THROW(gunzip(damaged, "x"), Error);
  EXPECT_THROW(gunzip("a,b\n1,2\n", "x"), Error);
  EXPECT_THROW(gunzip(kPacked + "tail", "x"), Error);
}

TEST(Gzip, stops_at_the_limit) {
  EXPECT_EQ(gunzip(kPacked, "x", 8).size(), 8U);
  EXPECT_THROW(gunzip(kPacked, "x", 7), Error);
}

TEST(Gzip, files_are_unpacked_by_their_name) {
  const testing::TempFolder folder;
  write_file(folder.path() / "t.csv.gz", kPacked);
  write_file(folder.path() / "t.csv", kPacked);
  EXPECT_EQ(read_unpacked(folder.path() / "t.csv.gz"), "a,b\n1,2\n");
  EXPECT_EQ(read_unpacked(folder.path() / "t.csv"), kPacked);
  EXPECT_EQ(without_gz("a/t.csv.gz"), "a/t.csv");
  EXPECT_EQ(without_gz("t.csv"), "t.csv");
}

}  // namespace
}  // namespace unirg::io
