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

std::string pieces_of(const std::filesystem::path& path) {
  UnpackedReader reader(path);
  std::string all;
  for (std::string_view piece = reader.next(); !piece.empty(); piece = reader.next()) all += piece;
  EXPECT_EQ(reader.next(), "") << "and stays at the end";
  return all;
}

TEST(UnpackedReader, gives_what_the_whole_file_holds) {
  const testing::TempFolder folder;
  std::string large;
  for (int i = 0; large.size() < 3U << 18; ++i) large += std::to_string(i) + ",";
  write_file(folder.path() / "large.csv", large);
  EXPECT_EQ(pieces_of(folder.path() / "large.csv"), large);
  std::string many;  // blocks of 64 KiB end within members and between them
  std::string unpacked;
  for (int i = 0; i < 20000; ++i) many += kPacked, unpacked += "a,b\n1,2\n";
  write_file(folder.path() / "many.csv.gz", many);
  EXPECT_EQ(pieces_of(folder.path() / "many.csv.gz"), unpacked);
  write_file(folder.path() / "none.csv", "");
  EXPECT_EQ(pieces_of(folder.path() / "none.csv"), "");
}

TEST(UnpackedReader, refuses_what_gunzip_refuses) {
  const testing::TempFolder folder;
  for (const std::string& bytes :
       {kPacked.substr(0, 20), kPacked + "tail", std::string("a,b\n"), std::string()}) {
    write_file(folder.path() / "t.csv.gz", bytes);
    EXPECT_THROW(pieces_of(folder.path() / "t.csv.gz"), Error) << bytes.size() << " bytes";
  }
  EXPECT_THROW(UnpackedReader(folder.path() / "absent.csv"), Error);
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
