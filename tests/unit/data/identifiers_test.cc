// SPDX-License-Identifier: Apache-2.0
#include "data/identifiers.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "image/dicom.h"
#include "image/dicom_write.h"
#include "io/atomic_file.h"
#include "io/tar.h"
#include "temp_folder.h"

namespace unirg::data {
namespace {

namespace fs = std::filesystem;
using Origins = std::vector<std::string>;

TEST(Identifiers, are_found_as_whole_words_whatever_the_case_and_what_is_between) {
  Identifiers ids;
  ids.add("Doe^Jane", "name");
  ids.add("12-34-56", "number");
  ids.add("1.2.840.99", "uid");
  EXPECT_EQ(ids.size(), 3U);
  EXPECT_EQ(ids.find("by DOE, Jane (12/34/56)"), (Origins{"name", "number"}));
  EXPECT_EQ(ids.find("study_1.2.840.99.dcm"), (Origins{"uid"}));
  EXPECT_EQ(ids.find("Jane Doe; Doe, Janet; 12345678; 112-34-56; 1.2.840.991"), Origins{});
  EXPECT_EQ(ids.find("Doe Jane, doe/jane"), (Origins{"name"})) << "each once";
  EXPECT_EQ(ids.find(""), Origins{});
}

TEST(Identifiers, that_are_numbers_are_found_behind_a_few_letters) {
  Identifiers ids;
  ids.add("10000032", "patient");
  EXPECT_EQ(ids.find("files/p10/p10000032/s50414267.txt"), (Origins{"patient"}));
  EXPECT_EQ(ids.find("IDs10000032"), (Origins{"patient"}));
  EXPECT_EQ(ids.find("abcd10000032 p10000032x p100000321 010000032"), Origins{});
}

TEST(Identifiers, of_one_beginning_are_all_looked_for) {
  Identifiers ids;
  ids.add("a b target", "three");
  ids.add("target", "one");
  ids.add("b target", "two");
  ids.add("TARGET", "again");
  EXPECT_EQ(ids.size(), 3U);
  const Origins found = ids.find("x a b target");
  EXPECT_EQ(Origins({"one", "three", "two"}), [&] {
    Origins sorted = found;
    std::sort(sorted.begin(), sorted.end());
    return sorted;
  }());
}

TEST(Identifiers, that_are_too_short_are_counted) {
  Identifiers ids;
  ids.add("123", "a");
  ids.add("A-1", "b");
  ids.add("A-123", "c");
  ids.add(" ^ ", "d");
  EXPECT_EQ(ids.size(), 1U);
  EXPECT_EQ(ids.too_short(), 2);
}

TEST(Identifiers, come_one_a_line) {
  const testing::TempFolder folder;
  io::write_file(folder.path() / "ids", "# patients\nM-10001\n\n  Jane Doe\r\n");
  Identifiers ids;
  ids.add_source(folder.path() / "ids", 1);
  EXPECT_EQ(ids.find("jane doe, M10001, m-10001"),
            (Origins{"line 4 of '" + (folder.path() / "ids").string() + "'",
                     "line 2 of '" + (folder.path() / "ids").string() + "'"}));
  EXPECT_THROW(ids.add_source(folder.path() / "absent", 1), Error);
  EXPECT_NO_THROW(ids.add_source(folder.path() / "ids", 1)) << "nothing new is no error";
  io::write_file(folder.path() / "none", "# nobody\n");
  EXPECT_THROW(ids.add_source(folder.path() / "none", 1), Error);
}

TEST(Identifiers, come_from_headers_names_in_both_orders) {
  const image::DicomCodecs codecs;
  const testing::TempFolder folder;
  image::DicomWriteOptions options;
  options.study_instance_uid = "1.2.3.4.5", options.series_instance_uid = "1.2.3.4.6";
  options.sop_instance_uid = "1.2.3.4.7", options.patient_id = "MRN-4711";
  options.patient_name = "Doe^Jane^Q", options.accession_number = "ACC0815";
  std::vector<uint16_t> pixels(16);
  pixels[3] = 9;
  image::write_dicom(folder.path() / "x.dcm", 4, 4, pixels, options);
  io::write_file(folder.path() / "note.txt", "no DICOM");
  Identifiers ids;
  ids.add_source(folder.path(), 2);
  const std::string where = " of file 2 below '" + folder.path().string() + "'";
  EXPECT_EQ(ids.find("mrn 4711 | acc0815 | jane doe | doe, jane | 1.2.3.4.7"),
            (Origins{"PatientID" + where, "AccessionNumber" + where, "PatientName" + where,
                     "SOPInstanceUID" + where}));
}

class FindIdentifiers : public ::testing::Test {
 protected:
  void SetUp() override { ids_.add("4711000", "it"); }
  [[nodiscard]] std::string places(const fs::path& path) const {
    std::string text;
    for (const IdentifierPlace& p : find_identifiers(path, ids_))
      text += fs::path(p.file).filename().string() + ":" + std::to_string(p.line) + " ";
    return text;
  }
  testing::TempFolder folder_;
  Identifiers ids_;
};

TEST_F(FindIdentifiers, in_json_looks_at_strings_and_keys_alone) {
  io::write_file(folder_.path() / "a.jsonl",
                 "{\"bytes\":4711000}\n{\"id\":\"x/4711000.png\"}\n{\"4711000\":1}\n"
                 "{\"a\":\"say \\\"4711000\\\"\"}\n{\"a\":\"47\",\"b\":\"11000\"}\n");
  EXPECT_EQ(places(folder_.path() / "a.jsonl"), "a.jsonl:2 a.jsonl:3 a.jsonl:4 ");
}

TEST_F(FindIdentifiers, in_text_looks_everywhere_and_in_tar_files_at_names) {
  io::write_file(folder_.path() / "b.md", "none\nbytes: 4711000\n");
  {
    io::TarWriter tar(folder_.path() / "c.tar");
    tar.add("s/one.png", std::string(700, 'x') + " 4711000 ");
    tar.add("s/4711000.png", "x");
    tar.add(std::string(120, 'd') + "/4711000.png", "x");
    tar.commit();
  }
  EXPECT_EQ(places(folder_.path()), "b.md:2 c.tar:2 c.tar:3 ");
  EXPECT_THROW(find_identifiers(folder_.path() / "absent.md", ids_), Error);
  io::write_file(folder_.path() / "d.tar", std::string(2000, 'x'));
  EXPECT_THROW(find_identifiers(folder_.path() / "d.tar", ids_), Error);
}

TEST_F(FindIdentifiers, in_names_of_files) {
  io::write_file(folder_.path() / "p4711000.txt", "");
  EXPECT_EQ(places(folder_.path()), "p4711000.txt:0 ");
}

TEST(RefuseIdentifiers, names_places_and_origins_and_no_identifier) {
  EXPECT_NO_THROW(refuse_identifiers({}, ""));
  try {
    refuse_identifiers({{"a.jsonl", 3, "line 1 of 'ids'"}, {"b.tar", 2, "line 1 of 'ids'"}}, "end");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::data);
    EXPECT_STREQ(e.what(),
                 "2 places hold a known identifier: a.jsonl:3 (line 1 of 'ids'), b.tar:2 (line 1 "
                 "of 'ids'); end");
  }
}

}  // namespace
}  // namespace unirg::data
