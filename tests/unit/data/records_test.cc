// SPDX-License-Identifier: Apache-2.0
#include "data/records.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "temp_folder.h"

namespace unirg::data {
namespace {

Study example_study() {
  Study study;
  study.study_id = "s1";
  study.patient_id = "p1";
  study.dataset = "phantom";
  study.site = "A";
  study.split = "train";
  study.findings = "The lungs are clear.";
  study.images.push_back(
      {"i1", "PA", "images-00000.tar", 512, 100, 128, 128, "00", "dcmtk", "a/i1.dcm", "11"});
  study.labels = {{"Edema", 1}, {"Fracture", std::nullopt}};
  study.age = 61;
  return study;
}

TEST(Study, travels_through_json_unchanged_unknown_fields_included) {
  Json object = to_json(example_study());
  object["my_note"] = "kept";
  object["images"][0]["laterality"] = "L";
  const auto study = study_from_json(object);
  ASSERT_TRUE(study.has_value()) << study.error().reason;
  EXPECT_EQ(to_json(*study).dump(), object.dump());
  EXPECT_EQ(object.begin().key(), "schema");
}

TEST(Study, with_a_wrong_type_names_the_field) {
  Json object = to_json(example_study());
  object["age"] = "old";
  EXPECT_EQ(study_from_json(object).error().reason, "field 'age': expected number, got string");
  object = to_json(example_study());
  object["images"][0].erase("offset");
  EXPECT_EQ(study_from_json(object).error().reason, "images[0]: field 'offset' is missing");
  object = to_json(example_study());
  object["schema"] = "unirg.study/9";
  EXPECT_EQ(study_from_json(object).error().reason,
            "field 'schema': expected 'unirg.study/1', got 'unirg.study/9'");
}

TEST(Study, shard_may_not_leave_its_folder) {
  Json object = to_json(example_study());
  object["images"][0]["shard"] = "../../etc/passwd";
  EXPECT_FALSE(study_from_json(object).has_value());
}

TEST(ReadStudies, duplicate_id_is_a_bad_line_with_its_place) {
  testing::TempFolder folder;
  const std::string line = io::json_line(to_json(example_study()));
  io::write_file(folder.path() / "s.jsonl", line + line);
  try {
    (void)read_studies(folder.path() / "s.jsonl");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::data);
    EXPECT_NE(std::string(e.what()).find("s.jsonl:2: 's1' stands twice"), std::string::npos)
        << e.what();
  }
  const auto skipped = read_studies(folder.path() / "s.jsonl", OnError::skip);
  EXPECT_EQ(skipped.records.size(), 1u);
  EXPECT_EQ(skipped.rejected.size(), 1u);
}

TEST(Generation, travels_through_json_with_floats_exact) {
  Generation generation;
  generation.study_id = "s1";
  generation.sample = 3;
  generation.finish = "stop";
  generation.tokens = {1, 2};
  generation.logprobs = {-0.1F, -1.2345678F};
  const auto read = generation_from_json(Json::parse(to_json(generation).dump()));
  ASSERT_TRUE(read.has_value()) << read.error().reason;
  EXPECT_EQ(read->logprobs, generation.logprobs);
}

TEST(Shard, takes_every_nth_record) {
  const Shard shard = parse_shard("1/3");
  EXPECT_FALSE(shard.has(0));
  EXPECT_TRUE(shard.has(1));
  EXPECT_TRUE(shard.has(4));
  for (const char* bad : {"3/3", "-1/2", "1", "a/b", "1/", ""})
    EXPECT_THROW((void)parse_shard(bad), Error) << bad;
}

}  // namespace
}  // namespace unirg::data
