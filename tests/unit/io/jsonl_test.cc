// SPDX-License-Identifier: Apache-2.0
#include "io/jsonl.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "temp_folder.h"

namespace unirg::io {
namespace {

TEST(JsonlReader, gives_objects_with_their_lines_and_skips_empty_ones) {
  testing::TempFolder folder;
  write_file(folder.path() / "a.jsonl", "{\"a\":1}\n\n{\"b\":[1,2]}");
  JsonlReader reader(folder.path() / "a.jsonl");
  EXPECT_EQ(reader.next().value()->object["a"], 1);
  EXPECT_EQ(reader.next().value()->place.line, 3);
  EXPECT_FALSE(reader.next().has_value());
}

TEST(JsonlReader, says_where_a_line_is_not_json_and_goes_on) {
  testing::TempFolder folder;
  write_file(folder.path() / "a.jsonl", "{\"a\":\n[1]\n{\"a\":2}\n");
  JsonlReader reader(folder.path() / "a.jsonl");
  EXPECT_FALSE(reader.next().value().has_value());
  EXPECT_EQ(reader.place().line, 1);
  EXPECT_EQ(reader.next().value().error().reason, "not a JSON object");
  EXPECT_TRUE(reader.next().value().has_value());
}

TEST(JsonlReader, refuses_a_line_that_is_nested_deeper_than_any_record) {
  testing::TempFolder folder;
  const std::string deep = "{\"a\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  write_file(folder.path() / "f.jsonl", deep + "\n{\"a\":[[1]]}\n");
  JsonlReader reader(folder.path() / "f.jsonl");
  const auto first = reader.next();
  ASSERT_TRUE(first && !*first);
  EXPECT_NE(first->error().reason.find("nested"), std::string::npos);
  EXPECT_TRUE(reader.next()->has_value());
}

TEST(Fields, name_field_expected_and_found_type) {
  const Json object = Json::parse(R"({"age":"old","n":3,"x":null,"list":[1,"two"]})");
  const Fields fields(object);
  EXPECT_EQ(fields.number("age").error().reason, "field 'age': expected number, got string");
  EXPECT_EQ(fields.string("sex").error().reason, "field 'sex' is missing");
  EXPECT_EQ(fields.integers("list").error().reason,
            "field 'list[1]': expected integer, got string");
  EXPECT_EQ(fields.optional_string("x").value(), std::nullopt);
  EXPECT_EQ(fields.integer("n").value(), 3);
}

TEST(Shortest, writes_a_float_short_and_reads_it_back) {
  EXPECT_EQ(Json(shortest(0.1F)).dump(), "0.1");
  for (const float f : {-1.2345678F, 3.4e-30F, 16777217.0F}) {
    EXPECT_EQ(static_cast<float>(Json::parse(Json(shortest(f)).dump()).get<double>()), f);
  }
}

TEST(JsonLine, refuses_invalid_utf8) { EXPECT_THROW((void)json_line({{"a", "\xff"}}), Error); }

}  // namespace
}  // namespace unirg::io
