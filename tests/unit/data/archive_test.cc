// SPDX-License-Identifier: Apache-2.0
#include "data/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "data/ingest_sources.h"
#include "io/atomic_file.h"
#include "temp_folder.h"

namespace unirg::data {
namespace {

namespace fs = std::filesystem;

struct Entry {
  std::string name;
  std::string content;
  unsigned type = AE_IFREG;
};

/// Writes entries as they are: a hostile archive is made by the same call.
void write_archive(const fs::path& path, bool is_zip, const std::vector<Entry>& entries) {
  archive* a = archive_write_new();
  if (is_zip) {
    archive_write_set_format_zip(a);
  } else {
    archive_write_set_format_gnutar(a);
    if (path.extension() == ".gz") archive_write_add_filter_gzip(a);
  }
  ASSERT_EQ(archive_write_open_filename(a, path.c_str()), ARCHIVE_OK);
  for (const Entry& e : entries) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, e.name.c_str());
    archive_entry_set_filetype(entry, e.type);
    archive_entry_set_perm(entry, 0777);
    if (e.type == AE_IFLNK) archive_entry_set_symlink(entry, "/tmp");
    archive_entry_set_size(entry, static_cast<la_int64_t>(e.content.size()));
    ASSERT_GE(archive_write_header(a, entry), ARCHIVE_WARN) << archive_error_string(a);
    archive_write_data(a, e.content.data(), e.content.size());
    archive_entry_free(entry);
  }
  ASSERT_EQ(archive_write_free(a), ARCHIVE_OK);
}

using Names = std::vector<std::string>;

Names files_of(const UnpackedArchive& unpacked) {
  Names names;
  const FileList files = files_below(unpacked.folder());
  for (size_t i = 0; i < files.size(); ++i) names.emplace_back(files[i]);
  return names;
}

std::string error_of(const fs::path& path, const fs::path& folder, const ArchiveLimits& limits) {
  try {
    const UnpackedArchive unpacked(path, folder, limits, nullptr);
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::data);
    EXPECT_FALSE(fs::exists(folder)) << "nothing is left behind";
    return e.what();
  }
  return "no error";
}

TEST(Archive, ZipAndTarBecomeTheSameFolder) {
  const testing::TempFolder temp;
  const std::vector<Entry> entries{{"a", "", AE_IFDIR}, {"a/1.dcm", "one"}, {"./b/c/2", "two"}};
  for (const char* name : {"x.zip", "x.tar", "x.tar.gz"}) {
    write_archive(temp.path() / name, std::string(name) == "x.zip", entries);
    ASSERT_TRUE(is_archive(temp.path() / name)) << name;
    const fs::path folder = temp.path() / "in";
    {
      const UnpackedArchive unpacked(temp.path() / name, folder, {}, nullptr);
      EXPECT_EQ(files_of(unpacked), (Names{"a/1.dcm", "b/c/2"})) << name;
      EXPECT_EQ(io::read_file(folder / "b/c/2"), "two");
      EXPECT_TRUE(unpacked.refused().empty());
      EXPECT_TRUE(unpacked.whole());
    }
    EXPECT_FALSE(fs::exists(folder));
  }
  io::write_file(temp.path() / "text", "no archive, but long enough to be read");
  EXPECT_FALSE(is_archive(temp.path() / "text"));
  EXPECT_FALSE(is_archive(temp.path()));
}

TEST(Archive, NothingIsWrittenOutsideTheFolder) {
  const testing::TempFolder temp;
  write_archive(temp.path() / "x.tar", false,
                {{"../out", "x"},
                 {"a/../../out", "x"},
                 {"/" + temp.path().string().substr(1) + "/out", "x"},
                 {"link", "", AE_IFLNK},
                 {"link/out", "x"},
                 {"pipe", "", AE_IFIFO},
                 {"file", "first"},
                 {"file", "second"},
                 {"file/below", "x"},
                 {std::string(300, 'n'), "x"},
                 {"good", "x"}});
  const UnpackedArchive unpacked(temp.path() / "x.tar", temp.path() / "in", {}, nullptr);
  EXPECT_EQ(files_of(unpacked), (Names{"file", "good", "link/out"})) << "'link' is a folder here";
  EXPECT_EQ(io::read_file(temp.path() / "in/file"), "first");
  EXPECT_EQ(files_below(temp.path()).size(), 4U) << "with the archive itself";
  const auto& refused = unpacked.refused();
  ASSERT_EQ(refused.size(), 8U);
  EXPECT_EQ(refused[0].second, "its name leads out of the archive");
  EXPECT_EQ(refused[1].second, "its name leads out of the archive");
  EXPECT_EQ(refused[2].second, "its name leads out of the archive");
  EXPECT_EQ(refused[3].second, "a link or device in an archive is not followed");
  EXPECT_EQ(refused[4].second, "a link or device in an archive is not followed");
  EXPECT_EQ(refused[5].second, "its name is that of another entry");
  EXPECT_EQ(refused[6].second, "its name is that of another entry");
  EXPECT_EQ(refused[7].second, "its name is too long");
}

TEST(Archive, ABombIsAnErrorThatNamesTheLimit) {
  const testing::TempFolder temp;
  const std::string zeros(100'000, '\0');  // packs to a hundred bytes
  for (const bool is_zip : {true, false}) {
    const fs::path path = temp.path() / (is_zip ? "x.zip" : "x.tar.gz");
    write_archive(path, is_zip, {{"a", zeros}, {"b", zeros}, {"c", zeros}});
    const fs::path in = temp.path() / "in";
    EXPECT_EQ(error_of(path, in, {}), "no error");
    EXPECT_NE(error_of(path, in, {.entries = 2}).find("more than 2 entries"), std::string::npos);
    EXPECT_NE(error_of(path, in, {.bytes = 250'000})
                  .find("more than 250000 bytes unpacked (hint: --archive-bytes)"),
              std::string::npos);
    EXPECT_NE(error_of(path, in, {.entry_bytes = 99'999})
                  .find("entry 'a' has more than 99999 bytes (hint: --archive-entry-bytes)"),
              std::string::npos);
  }
}

TEST(Archive, FoldersThatNamesImplyAreEntriesAndNotAsDeepAsOneLikes) {
  const testing::TempFolder temp;
  std::string deep;
  for (int i = 0; i < 80; ++i) deep += "a/";
  write_archive(temp.path() / "a.tar", false, {{"b/c/1", "x"}, {"b/c/2", "x"}, {deep + "x", "x"}});
  const UnpackedArchive unpacked(temp.path() / "a.tar", temp.path() / "out", {}, nullptr);
  EXPECT_EQ(files_of(unpacked), (Names{"b/c/1", "b/c/2"}));
  ASSERT_EQ(unpacked.refused().size(), 1U);
  EXPECT_EQ(unpacked.refused()[0].second, "its name is too long");
  EXPECT_EQ(
      error_of(temp.path() / "a.tar", temp.path() / "no", {.entries = 4}),
      "'" + (temp.path() / "a.tar").string() + "': more than 4 entries (hint: --archive-entries)");
}

TEST(Archive, ADamagedOneIsAnErrorOrRefusedEntries) {
  const testing::TempFolder temp;
  std::string noise(5000, 'x');
  for (size_t i = 0; i < noise.size(); ++i) noise[i] = static_cast<char>(i * i * 31 >> 3);
  write_archive(temp.path() / "x.tar.gz", false, {{"a", noise}, {"b", noise}});
  const std::string whole = io::read_file(temp.path() / "x.tar.gz");
  for (size_t length = 20; length + 40 < whole.size(); length += 97) {
    io::write_file(temp.path() / "cut.tar.gz", whole.substr(0, length));
    EXPECT_NE(error_of(temp.path() / "cut.tar.gz", temp.path() / "in", {}).find("damaged archive"),
              std::string::npos)
        << length;
  }
}

TEST(Archive, AStoppedOneIsNotWhole) {
  const testing::TempFolder temp;
  write_archive(temp.path() / "x.zip", true, {{"a", "1"}, {"b", "2"}});
  const UnpackedArchive unpacked(temp.path() / "x.zip", temp.path() / "in", {},
                                 [] { return true; });
  EXPECT_FALSE(unpacked.whole());
}

}  // namespace
}  // namespace unirg::data
