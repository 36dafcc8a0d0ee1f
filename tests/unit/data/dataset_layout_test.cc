// SPDX-License-Identifier: Apache-2.0
#include "data/dataset_layout.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"

namespace unirg::data {
namespace {

using Items = std::vector<std::string>;

std::optional<std::string> expanded(const std::string& text, const TableRow& row, int item = -1) {
  Layout layout;
  layout.nothing = {"None"};
  return RowView(layout, row).expand(parse_template(text, "here"), item);
}

TEST(Templates, put_cells_their_beginnings_and_parts_into_text) {
  const TableRow row{1, {{"id", "10000032"}, {"path", "train/patient7/study2/view1.jpg"}}};
  EXPECT_EQ(expanded("id", row), "10000032");
  EXPECT_EQ(expanded("files/p{id:2}/p{id}.txt", row), "files/p10/p10000032.txt");
  EXPECT_EQ(expanded("{path/-2}", row), "study2");
  EXPECT_EQ(expanded("{path/1}-{path/2}", row), "train-patient7");
  EXPECT_EQ(expanded("{path/9}", row), std::nullopt);
}

TEST(Templates, have_no_value_when_a_column_has_none) {
  const TableRow row{1, {{"a", "x"}, {"empty", " \n"}, {"none", "None"}}};
  for (const char* text : {"{a}{empty}", "none", "absent", "{absent?}/b", "{a}{none}"})
    EXPECT_EQ(expanded(text, row), std::nullopt) << text;
}

TEST(Templates, take_one_item_of_a_list) {
  const TableRow row{1, {{"id", "c"}, {"paths", R"(["a.png","b.png",null])"}}};
  EXPECT_EQ(expanded("{id}/{paths}", row, 1), "c/b.png");
  EXPECT_EQ(expanded("paths", row, 2), std::nullopt);
  EXPECT_EQ(expanded("paths", row, 3), std::nullopt);
  const Layout layout;
  EXPECT_EQ(RowView(layout, row).items(parse_template("{id}/{paths}", "")), 3);
  EXPECT_EQ(RowView(layout, row).items(parse_template("id", "")), 1);
}

TEST(Templates, that_are_malformed_are_refused) {
  for (const char* text : {"{", "}", "a{b", "a}b{", "{}", "{a:x}", "{a:0}", "{a/0}", "{?}", ""})
    EXPECT_THROW(parse_template(text, "here"), Error) << text;
}

TEST(Lists, are_read_as_JSON_and_as_Python_write_them) {
  EXPECT_EQ(list_items(R"(["a", "b \"c\"", null, 3])"), (Items{"a", "b \"c\"", "", "3"}));
  EXPECT_EQ(list_items(R"(['a', "it's", None, 3])"), (Items{"a", "it's", "", "3"}));
  EXPECT_EQ(list_items("['with, comma','x']"), (Items{"with, comma", "x"}));
  EXPECT_EQ(list_items("[]"), Items{});
  EXPECT_EQ(list_items(""), Items{});
  EXPECT_EQ(list_items("plain"), Items{"plain"});
}

TEST(Lists, cut_short_end_where_they_end) {
  for (const char* text : {"['a", "['a']", "['a',", "['a',]", "[,]", "['", "[']"})
    EXPECT_NO_FATAL_FAILURE(list_items(text)) << text;
}

TEST(Layouts, that_come_with_UniRG_can_be_read) {
  int count = 0;
  for (const auto& file : std::filesystem::directory_iterator(
           std::filesystem::path(UNIRG_SOURCE_DIR) / "share" / "datasets")) {
    const Layout layout = load_layout(file.path());
    EXPECT_TRUE(layout.fields.contains("study_id")) << file.path();
    ++count;
  }
  EXPECT_EQ(count, 9);
}

}  // namespace
}  // namespace unirg::data
