// SPDX-License-Identifier: Apache-2.0
#include "data/record_head.h"

#include <gtest/gtest.h>

namespace unirg::data {
namespace {

std::string head(std::string_view line) {
  const auto found = read_head(line);
  return found ? found->study_id + " " + std::to_string(found->sample) : "none";
}

TEST(RecordHead, IsStudyAndSampleWhereverTheyStand) {
  EXPECT_EQ(head(R"({"study_id":"s 1","sample":3,"text":"x"})"), "s 1 3");
  EXPECT_EQ(head(R"({"text":"x","sample":3,"study_id":"a\u00e9"})"), "a\xC3\xA9 3");
  EXPECT_EQ(head(R"({"study_id":"s","text":"x"})"), "s 0");
  EXPECT_EQ(head(R"({"study_id":"s","sample":"3"})"), "s 0");
}

/// Records as the tools write them are read another way than others.
TEST(RecordHead, IsTheSameHoweverItIsWritten) {
  for (const char* line :
       {R"({"schema":"unirg.reward/1","study_id":"s 1","sample":3,"text":"x"})",
        R"({ "schema" : "unirg.reward/1" , "study_id" : "s 1" , "sample" : 3 , "text" : "x" })",
        R"({"study_id":"s 1","schema":"unirg.reward/1","sample":3})",
        R"({"schema":"unirg.reward/1","study_id":"s\u00201","sample":3})",
        R"({"schema":"unirg.reward/1","study_id":"s 1","text":"x","sample":3})"})
    EXPECT_EQ(head(line), "s 1 3") << line;
  EXPECT_EQ(head(R"({"schema":"unirg.reward/1","study_id":"s","sample":2.5})"), "s 0");
  EXPECT_EQ(head(R"({"schema":"unirg.reward/1","study_id":"s","sample":99999999999999999999})"),
            "s 0");
  EXPECT_EQ(head(R"({"schema":"unirg.study/1","study_id":"s","sample":3})"), "s 0");
  EXPECT_EQ(head("{\"schema\":\"x/1\",\"study_id\":\"\xC3\xA9\",\"sample\":-1}"), "\xC3\xA9 -1");
  EXPECT_EQ(head("{\"schema\":\"x/1\",\"study_id\":\"a\tb\",\"sample\":1}"), "none") << "no JSON";
}

TEST(RecordHead, FieldsOfFieldsAreOthers) {
  EXPECT_EQ(head(R"({"source":{"study_id":"no","sample":9},"study_id":"s","sample":1})"), "s 1");
  EXPECT_EQ(head(R"({"all":["study_id",{"study_id":"no"}],"study_id":"s","sample":1})"), "s 1");
  EXPECT_EQ(head(R"([{"study_id":"no"}])"), "none");
  EXPECT_EQ(head(R"({"ids":{"study_id":"no"}})"), "none");
}

TEST(RecordHead, WhatFollowsItIsNotRead) {
  EXPECT_EQ(head(R"({"schema":"unirg.generation/1","study_id":"s","sample":2, no JSON)"), "s 2");
  EXPECT_EQ(head(R"({"schema":"unirg.study/1","study_id":"s", no JSON)"), "s 0");
  EXPECT_EQ(head(R"({"study_id":"s", no JSON)"), "s 0");
}

TEST(RecordHead, ALineThatDoesNotSayItsStudyHasNone) {
  for (const char* line : {"", "null", "7", "no JSON", R"({"study_id":7})", R"({"study_id)",
                           R"("study_id")", R"(["study_id","s"])", R"({"study_id":"\xFF"})"})
    EXPECT_EQ(head(line), "none") << line;
}

}  // namespace
}  // namespace unirg::data
