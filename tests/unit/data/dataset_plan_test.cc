// SPDX-License-Identifier: Apache-2.0
#include "data/dataset_plan.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "data/dataset_files.h"
#include "data/dataset_rows.h"
#include "io/atomic_file.h"
#include "temp_folder.h"

namespace unirg::data {
namespace {

namespace fs = std::filesystem;

fs::path with_files(const fs::path& root, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    fs::create_directories((root / name).parent_path());
    io::write_file(root / name, "x");
  }
  return root;
}

std::string name_of(const FileIndex& files, const std::optional<size_t>& file) {
  return file ? files.name(*file) : "-";
}

TEST(FileIndex, finds_paths_in_any_case_and_with_another_picture_extension) {
  const testing::TempFolder folder;
  const FileIndex files({with_files(
      folder.path(), {"a/X.png", "a/x.PNG", "b/y.jpg", "b/y.dcm", "c/z.txt", "d/1.2.840.113"})});
  EXPECT_EQ(name_of(files, files.find("a/X.png")), "a/X.png");
  EXPECT_EQ(name_of(files, files.find("a/x.PNG")), "a/x.PNG");
  EXPECT_EQ(name_of(files, files.find("../a//X.png")), "a/X.png");
  EXPECT_EQ(name_of(files, files.find("B/Y.JPG")), "b/y.jpg");
  EXPECT_EQ(name_of(files, files.find("b/y")), "b/y.dcm") << "lossless first";
  EXPECT_EQ(name_of(files, files.find("b/y.png")), "b/y.dcm");
  EXPECT_EQ(name_of(files, files.find("d/1.2.840.113")), "d/1.2.840.113") << "no extension";
  EXPECT_EQ(name_of(files, files.find("c/z")), "-") << "no picture";
  EXPECT_EQ(name_of(files, files.find("b/q.jpg")), "-");
}

TEST(FileIndex, finds_names_that_one_picture_only_has) {
  const testing::TempFolder folder;
  const FileIndex files({with_files(folder.path(), {"a/x.png", "b/y.png", "c/y.png", "x.csv"})});
  EXPECT_EQ(name_of(files, files.find_by_name("q/X.jpg")), "a/x.png");
  EXPECT_EQ(name_of(files, files.find_by_name("y.png")), "-");
}

TEST(FileIndex, finds_tables_packed_and_deeper_and_refuses_two) {
  const testing::TempFolder one;
  const testing::TempFolder two;
  const FileIndex files({with_files(one.path(), {"t.csv.gz", "x/t.csv", "x/u.csv"}),
                         with_files(two.path(), {"hosp/p.csv.gz", "a/q.csv", "b/q.csv"})});
  EXPECT_EQ(name_of(files, files.find_table("t.csv")), "t.csv.gz");
  EXPECT_EQ(name_of(files, files.find_table("u.csv")), "x/u.csv");
  EXPECT_EQ(name_of(files, files.find_table("p.csv")), "hosp/p.csv.gz");
  EXPECT_EQ(name_of(files, files.find_table("r.csv")), "-");
  EXPECT_THROW((void)files.find_table("q.csv"), Error);
}

TEST(FileIndex, lists_folders_whose_names_begin_alike) {
  // In the order of paths 'a' comes before 'a-b', in that of their letters '-' before '/'.
  const testing::TempFolder folder;
  const FileIndex files({with_files(folder.path(), {"a-b/1.png", "a-b/2.png", "a-b/c/3.png",
                                                    "a/4.png", "a.b/5.png", "b/6.png"})});
  EXPECT_EQ(files.in_folder("a").size(), 1U);
  EXPECT_EQ(files.in_folder("a-b").size(), 2U);
  EXPECT_EQ(files.in_folder("a.b").size(), 1U);
}

TEST(FileIndex, lists_a_folder_and_what_matches) {
  const testing::TempFolder folder;
  const FileIndex files({with_files(
      folder.path(), {"a/1.png", "a/2.png", "a/b/3.png", "ab/4.png", "Reports/I.txt"})});
  EXPECT_EQ(files.in_folder("a").size(), 2U);
  EXPECT_EQ(files.in_folder("none").size(), 0U);
  EXPECT_EQ(files.matching("reports/*.TXT").size(), 1U);
  EXPECT_EQ(files.matching("a/*").size(), 3U);
}

std::string rows_of(const std::string& text, bool is_split) {
  std::string out;
  visit_json(text, is_split, "t.json", [&](const TableRow& row) {
    out += fmt::format("{}:", row.line);
    for (const auto& [column, cell] : row.cells) out += fmt::format(" {}={}", column, cell);
    out += ";";
  });
  return out;
}

TEST(JsonTables, are_entries_or_splits_of_them) {
  EXPECT_EQ(rows_of(R"({"b": {"x": 1, "l": ["p", "q"]}, "a": {"x": null, "n": {"y": 2}}})", false),
            R"(1: id=b l=["p","q"] x=1;2: id=a n={"y":2} x=;)");
  EXPECT_EQ(rows_of(R"({"train": [{"id": "u"}, {"id": "v"}], "val": [{"id": "w"}]})", true),
            "1: id=u split=train;2: id=v split=train;3: id=w split=val;");
  EXPECT_EQ(rows_of(R"({"train": {"u": {"r": "x"}}, "test": {"v": {"r": "y"}}})", true),
            "1: id=u r=x split=train;2: id=v r=y split=test;");
  EXPECT_EQ(rows_of(R"([{"id": "u"}, {"id": "v"}])", false), "1: id=u;2: id=v;");
  EXPECT_EQ(rows_of("{}", false), "");
}

TEST(JsonTables, read_what_Python_writes_for_no_number) {
  EXPECT_EQ(rows_of(R"({"a": {"x": NaN, "y": -Infinity, "t": "NaN \" NaN"}})", false),
            "1: id=a t=NaN \" NaN x= y=;");
}

TEST(JsonTables, that_are_damaged_are_refused_without_a_quotation) {
  for (const char* text : {"", "{", R"({"a": {"x": "secret)", R"({"a": {"x": 1}} tail)"}) {
    try {
      rows_of(text, false);
      ADD_FAILURE() << text;
    } catch (const Error& e) {
      EXPECT_EQ(e.exit(), Exit::data);
      EXPECT_EQ(std::string(e.what()).find("secret"), std::string::npos);
    }
  }
  EXPECT_THROW(rows_of("3", false), Error);
}

TEST(Context, is_taken_apart_and_a_range_is_no_age) {
  TableRow row{1, {{"sex", "F"}}};
  read_context("Age:50-60.Gender:M.Indication: Cough, 3 days. Comparison: None.", row);
  EXPECT_EQ(row.cells,
            (std::map<std::string, std::string>{
                {"sex", "F"}, {"age_range", "50-60"}, {"indication", "Cough, 3 days."}}));
  TableRow other{1, {}};
  read_context("Age:61.Gender:F.Indication: .Comparison: Chest of May.", other);
  EXPECT_EQ(other.cells["age"], "61");
  EXPECT_EQ(other.cells["comparison"], "Chest of May.");
  TableRow none{1, {}};
  read_context("No marks at all", none);
  EXPECT_TRUE(none.cells.empty());
}

}  // namespace
}  // namespace unirg::data
