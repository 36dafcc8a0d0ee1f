// Submissions with every fault, and none. SPDX-License-Identifier: Apache-2.0
#include "evaluation/rexrank_check.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "evaluation/rexrank.h"

namespace unirg::evaluation {
namespace {

std::vector<scoring::NamedReport> ground_truth() {
  return {{"s1", 0, {"The heart is large.", "Cardiomegaly."}},
          {"s2", 0, {"Clear.", std::nullopt}},
          {"s3", 0, {"Effusion.", "Effusion."}}};
}

SubmissionCheck check(const std::string& json) {
  return check_submission(json, "sub.json", ground_truth());
}

/// "fault study: what" of each problem.
std::vector<std::string> problems(const std::string& json) {
  std::vector<std::string> all;
  for (const SubmissionProblem& p : check(json).problems)
    all.push_back(std::string(fault_name(p.fault)) + " " + p.study_id + ": " + p.what);
  return all;
}

using Problems = std::vector<std::string>;

const char* const kGood =
    R"({"s1": {"model_prediction": "Large heart."},
        "s2": {"report": "Clear.", "model_prediction": "Clear.", "age": NaN},
        "s3": {"report": NaN, "model_prediction": "Findings: None Impression: Effusion."}})";

TEST(RexrankCheck, a_good_submission_passes_with_its_NaN) {
  const SubmissionCheck good = check(kGood);
  EXPECT_TRUE(good.passed());
  EXPECT_EQ(good.references, 3);
  EXPECT_EQ(good.records, 3);
  EXPECT_EQ(good.valid, 3);
}

TEST(RexrankCheck, what_we_write_ourselves_passes) {
  std::vector<Score> scores(3);
  for (size_t i = 0; i < 3; ++i) {
    scores[i].study_id = "s" + std::to_string(i + 1);
    scores[i].text = "\"Quoted\"\nand broken.";
  }
  EXPECT_TRUE(check(rexrank_predictions(scores)).passed());
}

TEST(RexrankCheck, missing_and_unknown_studies_are_told) {
  const std::string json =
      R"({"s9": {"model_prediction": "x"}, "s2": {"model_prediction": "Clear."}})";
  EXPECT_EQ(problems(json), (Problems{"missing s1: there is no record of it",
                                      "missing s3: there is no record of it",
                                      "unknown s9: the ground truth has no such study"}));
  EXPECT_EQ(check(json).valid, 1);
}

TEST(RexrankCheck, a_prediction_without_a_word_is_empty) {
  EXPECT_EQ(problems(R"({"s1": {"model_prediction": ""}, "s2": {"model_prediction": " \n\t"},
                         "s3": {"model_prediction": "..."}})"),
            (Problems{"empty s1: field 'model_prediction' has no word",
                      "empty s2: field 'model_prediction' has no word",
                      "empty s3: field 'model_prediction' has no word"}));
}

TEST(RexrankCheck, raw_keys_that_stand_twice_are_told) {
  const std::string json =
      R"({"s1": {"model_prediction": "a"}, "s2": {"model_prediction": "b", "model_prediction": "c"},
          "s3": {"model_prediction": "d"}, "s1": {"model_prediction": "e"}})";
  EXPECT_EQ(problems(json), (Problems{"duplicated s1: the study stands 2 times",
                                      "duplicated s2: field 'model_prediction' stands twice"}));
  EXPECT_EQ(check(json).records, 4);
  EXPECT_EQ(check(json).valid, 1);
}

TEST(RexrankCheck, a_key_of_a_nested_object_may_be_that_of_another) {
  EXPECT_TRUE(check(R"({"s1": {"model_prediction": "a", "x": {"k": 1}, "y": {"k": 2}},
                        "s2": {"model_prediction": "b", "list": ["model_prediction", 1]},
                        "s3": {"model_prediction": "c"}})")
                  .passed());
}

TEST(RexrankCheck, wrong_types_are_told) {
  EXPECT_EQ(problems(R"({"s1": "Large heart.", "s2": {"model_prediction": ["Clear."], "report": 7},
                   "s3": {"prediction": "Effusion."}, "": {"model_prediction": "x"}})"),
            (Problems{"mistyped s1: expected an object, got string",
                      "mistyped s2: field 'report': expected text, got number",
                      "mistyped s2: field 'model_prediction': expected text, got array",
                      "mistyped s3: field 'model_prediction' is missing",
                      "mistyped : the study's id is empty"}));
  EXPECT_EQ(problems(R"({"s1": {"model_prediction": NaN}, "s2": {"model_prediction": "x"},
                         "s3": [1]})"),
            (Problems{"mistyped s1: field 'model_prediction': expected text, got null",
                      "mistyped s3: expected an object, got array"}));
}

TEST(RexrankCheck, of_study_records_the_splits_of_the_records_must_be_there) {
  std::vector<scoring::NamedReport> references = ground_truth();
  for (scoring::NamedReport& reference : references) {
    data::Study study;
    study.study_id = reference.study_id;
    study.split = reference.study_id == "s3" ? "train" : "test";
    reference.study = std::make_shared<const data::Study>(study);
  }
  const std::string json = R"({"s1": {"model_prediction": "a"}})";
  EXPECT_EQ(check_submission(json, "f", references).references, 2);
  EXPECT_EQ(check_submission(json, "f", references, {"train"}).problems.size(), 2)
      << "s3 is missing, s1 unknown";
  EXPECT_EQ(check_submission(json, "f", references, {"test", "train"}).references, 3);
  EXPECT_THROW((void)check_submission(json, "f", references, {"tset"}), Error);
}

std::string refusal(const std::string& json) {
  try {
    (void)check(json);
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::data);
    return e.what();
  }
  return "";
}

TEST(RexrankCheck, what_is_no_JSON_object_is_refused) {
  EXPECT_EQ(refusal("{\"s1\": {\"model_prediction\": \"a\"},\n\"s2\": {\n"),
            "'sub.json': no JSON from line 3 on");
  EXPECT_EQ(refusal("[]"), "'sub.json': expected one JSON object, study id to record");
  EXPECT_EQ(refusal("\"text\""), "'sub.json': expected one JSON object, study id to record");
  EXPECT_EQ(refusal(""), "'sub.json': no JSON from line 1 on");
  EXPECT_EQ(refusal("{\"s1\": {\"model_prediction\": \"\xe9\"}}"),
            "'sub.json': no JSON from line 1 on");
}

TEST(RexrankCheck, the_text_is_bounded_and_counts_all) {
  const std::string text = check_text(check("{}"), 2);
  EXPECT_EQ(text,
            "references: 3\nrecords: 0\nvalid: 0\nmissing: 3\nunknown: 0\nempty: 0\n"
            "duplicated: 0\nmistyped: 0\n"
            "- missing: study 's1': there is no record of it\n"
            "- missing: study 's2': there is no record of it\n"
            "- missing: and 1 more (hint: --format json has all)\n");
}

TEST(RexrankCheck, json_and_tsv_have_all_problems) {
  const SubmissionCheck found = check(R"({"s\t9": {}})");
  const auto json = check_json(found);
  EXPECT_EQ(json["missing"], 3);
  EXPECT_EQ(json["problems"].size(), 5);
  EXPECT_EQ(json["problems"][3]["fault"], "unknown");
  const std::string tsv = check_tsv(found);
  EXPECT_EQ(std::count(tsv.begin(), tsv.end(), '\n'), 6);
  EXPECT_NE(tsv.find("unknown\ts 9\tthe ground truth has no such study\n"), std::string::npos);
}

}  // namespace
}  // namespace unirg::evaluation
