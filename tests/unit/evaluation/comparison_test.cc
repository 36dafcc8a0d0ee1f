// SPDX-License-Identifier: Apache-2.0
#include "evaluation/comparison.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "evaluation/leaderboard.h"
#include "evaluation/rexrank.h"
#include "evaluation/run_times.h"
#include "evaluation/score_run.h"
#include "evaluation/series.h"
#include "io/atomic_file.h"
#include "temp_folder.h"

namespace unirg::evaluation {
namespace {

Score score(const std::string& system, const std::string& study, double value,
            std::vector<std::string> called, std::vector<std::string> present) {
  Score s;
  s.study_id = study;
  s.system = system;
  s.split = "test";
  s.patient_id = "p-" + study;
  s.site = study == "1" ? "A" : "B";
  s.metrics = {{"bleu2", value}, {"errors", 2 * value}};
  s.called = std::move(called);
  s.present = std::move(present);
  s.text = "Findings: <b>.";
  s.reference = "Findings: R.";
  return s;
}

std::vector<Score> two_systems() {
  return {score("a", "1", 0.5, {"Edema"}, {"Edema"}),
          score("a", "2", 1.0, {"Fracture"}, {"Edema", "Fracture"}),
          score("b", "1", 0.25, {}, {"Edema"}),
          score("b", "2", 0.25, {"Edema", "Pneumonia"}, {"Edema", "Fracture"})};
}

const ComparisonOptions kMeansOnly{.resampling = {.resamples = 0}};

double value_of(const Comparison& c, const std::string& system, const std::string& metric) {
  for (const auto& [name, v] : c.results.at({system, "test"}).metrics) {
    if (name == metric) return v.value;
  }
  ADD_FAILURE() << "no metric " << metric;
  return -1;
}

TEST(Compare, computes_means_and_corpus_f1_by_hand) {
  const Comparison c = compare(
      two_systems(), {.pairs = {{"a", "b"}},
                      .composite = scoring::weighted_sum({{"bleu2", 0.5}, {"errors", 0.25}}),
                      .resampling = {.resamples = 20}});
  EXPECT_DOUBLE_EQ(value_of(c, "a", "bleu2"), 0.75);
  EXPECT_DOUBLE_EQ(value_of(c, "a", "composite"), 0.75);  // 0.5 x + 0.25 (2 x) = x
  EXPECT_DOUBLE_EQ(value_of(c, "a", "micro-f1"), 2.0 * 2 / (2 * 2 + 0 + 1));  // tp 2, fn 1
  EXPECT_DOUBLE_EQ(value_of(c, "a", "macro-f1"),
                   (2.0 / 3 + 1.0) / 2);  // Edema tp 1 fn 1, Fracture tp 1
  EXPECT_DOUBLE_EQ(value_of(c, "a", "call-rate"), 2.0 / 3);
  EXPECT_DOUBLE_EQ(value_of(c, "b", "micro-f1"), 2.0 * 1 / (2 * 1 + 1 + 2));  // tp 1, fp 1, fn 2
  ASSERT_EQ(c.pairs.size(), 1u);
  EXPECT_DOUBLE_EQ(c.pairs[0].metrics[1].second.value, 0.5);
  ASSERT_EQ(c.groupings.size(), 1u) << "sites are told apart unasked";
  EXPECT_EQ(c.groupings[0].by, "site");
  EXPECT_EQ(c.groupings[0].groups[1].label, "B");
  EXPECT_EQ(c.groupings[0].groups[1].systems.at("a")[1].second.value, 1.0);  // bleu2
}

TEST(Compare, means_are_over_the_reports_that_have_a_value) {
  auto scores = two_systems();
  scores[0].metrics[1].second = std::nullopt;
  for (Score* s : {&scores[2], &scores[3]}) s->metrics[1].second = std::nullopt;
  const Comparison c = compare(scores, {.pairs = {{"a", "b"}}, .resampling = {.resamples = 20}});
  EXPECT_DOUBLE_EQ(value_of(c, "a", "errors"), 2);
  EXPECT_EQ(c.results.at({"a", "test"}).valued.at("errors"), 1);
  EXPECT_TRUE(std::isnan(value_of(c, "b", "errors"))) << "no report of b has one";
  const auto summary = summary_json(c, {});
  EXPECT_EQ(summary["systems"]["a"]["test"]["errors"]["n"], 1);
  EXPECT_EQ(io::Json::parse(summary.dump())["systems"]["b"]["test"]["errors"]["mean"], nullptr);
  const std::string text = markdown_tables(c, {});
  EXPECT_NE(text.find("(1 of 2)"), std::string::npos) << text;
  EXPECT_NE(text.find("none (0 of 2)"), std::string::npos) << text;
}

TEST(Compare, differences_are_over_the_reports_that_have_both_values) {
  auto scores = two_systems();
  scores[3].metrics[0].second = std::nullopt;  // b has no bleu2 for study 2
  const Comparison c = compare(scores, {.pairs = {{"a", "b"}}, .resampling = {.resamples = 200}});
  EXPECT_DOUBLE_EQ(value_of(c, "a", "bleu2"), 0.75) << "of its own, a keeps both";
  const Comparison::Pair& pair = c.pairs.at(0);
  EXPECT_DOUBLE_EQ(pair.metrics[0].second.value, 0.5 - 0.25) << "study 1 alone";
  EXPECT_DOUBLE_EQ(pair.metrics[0].second.lo, 0.25);
  EXPECT_DOUBLE_EQ(pair.metrics[0].second.hi, 0.25);
  EXPECT_EQ(pair.reports.at("bleu2"), 1);
  EXPECT_EQ(pair.reports.at("errors"), 2);
  EXPECT_EQ(summary_json(c, {})["paired"]["a-b"]["test"]["bleu2"]["n"], 1);
  EXPECT_NE(markdown_tables(c, {}).find("| bleu2 | +0.250 [+0.250, +0.250] (1 of 2) |"),
            std::string::npos);
}

TEST(Compare, tables_say_none_where_there_is_no_number) {
  auto scores = two_systems();
  for (Score* s : {&scores[2], &scores[3]}) s->metrics[0].second = std::nullopt;
  const Comparison c = compare(scores, {.pairs = {{"a", "b"}}, .resampling = {.resamples = 20}});
  const std::string tables = markdown_tables(c, {}) + tsv_table(c);
  EXPECT_EQ(tables.find("nan"), std::string::npos) << tables;
  EXPECT_NE(tables.find("| bleu2 | none (0 of 2) |"), std::string::npos) << tables;
  EXPECT_NE(tables.find("b\ttest\t\t\tbleu2\t\t\t\t0\n"), std::string::npos) << tables;
  EXPECT_NE(tsv_table(compare(two_systems(), kMeansOnly)).find("\t0.75\t\t\t2\n"),
            std::string::npos)
      << "no interval without resamples";
}

TEST(Compare, metrics_may_come_in_another_order) {
  auto scores = two_systems();
  std::swap(scores[2].metrics[0], scores[2].metrics[1]);
  EXPECT_DOUBLE_EQ(value_of(compare(scores, kMeansOnly), "b", "errors"), 0.5);
  scores[2].metrics[0].first = "other";
  EXPECT_THROW(compare(scores, kMeansOnly), Error);
}

TEST(Compare, makes_corpus_metrics_of_summed_statistics) {
  auto scores = two_systems();
  scores.resize(2);
  scores[0].sums = {{"radcliq-v1", {0.5, 1}}};
  scores[1].sums = {{"radcliq-v1", {-0.25, 1}}};
  const Comparison c = compare(scores, kMeansOnly);
  EXPECT_DOUBLE_EQ(value_of(c, "a", "1/radcliq-v1"), 8) << "1 / mean, not the mean of 1/x";
  EXPECT_EQ(c.results.at({"a", "test"}).valued.at("1/radcliq-v1"), 2);
  scores[1].sums[0].second = {0, 0};  // no value for study 2
  EXPECT_EQ(compare(scores, kMeansOnly).results.at({"a", "test"}).valued.at("1/radcliq-v1"), 1);
  scores[1].sums[0].second = {-0.25, 1};
  scores[0].sums[0].second[0] = 0.25;
  EXPECT_TRUE(std::isinf(value_of(compare(scores, kMeansOnly), "a", "1/radcliq-v1")))
      << "a mean of 0 has no reciprocal";
}

TEST(Compare, leaves_labels_out_where_none_were_read) {
  auto scores = two_systems();
  for (Score& s : scores) s.labelled = false;
  const Comparison c = compare(scores, kMeansOnly);
  for (const auto& [name, v] : c.results.at({"a", "test"}).metrics) EXPECT_NE(name, "micro-f1");
  EXPECT_EQ(markdown_tables(c, {}).find("F1 per condition"), std::string::npos);
}

TEST(Rexrank, files_have_its_columns_and_rounding) {
  auto scores = two_systems();
  scores.resize(2);
  for (Score& s : scores) s.metrics.emplace_back("radcliq-v1", 1.0 / 3);
  scores[1].metrics.back().second = std::nullopt;
  scores[0].sums = scores[1].sums = {{"radcliq-v1", {1.0 / 3, 1}}};
  EXPECT_EQ(rexrank_scores(scores),
            "study_id,bleu_score,RadCliQ-v1\n1,0.5,0.3333333333333333\n2,1,\n");
  EXPECT_EQ(rexrank_leaderboard(compare(scores, kMeansOnly)),
            "Model,Split,BLEU,BertScore,SembScore,RadGraph,1/RadCliQ-v1,RaTEScore,GREEN,"
            "1/FineRadScore\n"
            "a,test,0.750,-,-,-,3.000,-,-,-\n");
  EXPECT_EQ(io::Json::parse(rexrank_predictions(scores))["2"]["model_prediction"],
            "Findings: <b>.");
}

TEST(Compare, refuses_systems_scored_on_different_studies) {
  auto scores = two_systems();
  scores.pop_back();
  EXPECT_THROW((void)compare(scores, {}), Error);
}

TEST(Compare, refuses_a_study_that_stands_twice) {
  auto scores = two_systems();
  scores.push_back(scores.front());
  EXPECT_THROW((void)compare(scores, {}), Error);
}

TEST(Compare, refuses_a_pair_of_which_one_is_not_there) {
  EXPECT_THROW(
      (void)compare(two_systems(), {.pairs = {{"a", "c"}}, .resampling = {.resamples = 0}}), Error);
}

TEST(SummaryJson, has_the_fields_that_programs_look_for) {
  const auto summary =
      summary_json(compare(two_systems(), {.pairs = {{"a", "b"}}, .resampling = {.resamples = 20}}),
                   {{"bleu2", "bleu2:x"}});
  EXPECT_EQ(summary["systems"]["a"]["test"]["bleu2"]["mean"], 0.75);
  EXPECT_EQ(summary["systems"]["a"]["test"]["bleu2"]["n"], 2);
  EXPECT_EQ(summary["paired"]["a-b"]["test"]["bleu2"]["diff"], 0.5);
  for (const char* field : {"lo", "hi", "p", "n"})
    EXPECT_TRUE(summary["paired"]["a-b"]["test"]["errors"].contains(field)) << field;
  EXPECT_EQ(summary["signatures"]["bleu2"], "bleu2:x");
}

TEST(Tables, name_every_system_and_metric) {
  const Comparison c =
      compare(two_systems(), {.pairs = {{"a", "b"}}, .resampling = {.resamples = 20}});
  const std::string text = markdown_tables(c, {});
  for (const char* part : {"| metric | a | b |", "| bleu2 | 0.750 [", "| difference | a - b |",
                           "| Edema | 2 | 0.667 | 0.667 |", "| A | 1 | a | 0.500"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
  EXPECT_NE(tsv_table(c).find("a\ttest\t\t\tbleu2\t0.75\t"), std::string::npos);
}

TEST(Score, survives_a_round_trip) {
  Score s = two_systems()[1];
  s.metrics[0].second = std::nullopt;
  s.sums = {{"coco-bleu", {1, 2.5}}};
  s.details = {{"judge", "x"}};
  const auto back = score_from_json(to_json(s));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(to_json(*back), to_json(s));
}

TEST(Score, with_an_unknown_condition_is_a_bad_record) {
  auto json = to_json(two_systems()[0]);
  json["called"] = {"Edemas"};
  const auto bad = score_from_json(json);
  ASSERT_FALSE(bad.has_value());
  EXPECT_NE(bad.error().reason.find("called"), std::string::npos);
}

class ScoreRunTest : public ::testing::Test {
 protected:
  scoring::Scorer scorer_{{"bleu2"}, {}};
  std::vector<scoring::NamedReport> references_{{"s1", 0, {"F one.", std::nullopt}},
                                                {"s2", 0, {std::nullopt, "I two."}}};
};

TEST_F(ScoreRunTest, leaves_out_references_without_the_section) {
  const ScoreRun run =
      score_run(scorer_, {{"s1", 0, {"F one.", std::nullopt}}, {"s2", 0, {"x", "y"}}}, references_,
                {"w", "", {}, scoring::Sections::findings});
  ASSERT_EQ(run.scores.size(), 1u);
  EXPECT_EQ(run.scores[0].study_id, "s1");
  EXPECT_NEAR(run.scores[0].metrics[0].second.value(), 1, 1e-12);
  EXPECT_EQ(run.empty_reference, 1);
}

TEST_F(ScoreRunTest, says_which_report_is_missing_or_too_many) {
  EXPECT_THROW((void)score_run(scorer_, {{"s1", 0, {"x", "y"}}}, references_, {}), Error);
  ScoreRunOptions lenient;
  lenient.allow_missing = true;
  EXPECT_EQ(score_run(scorer_, {{"s1", 0, {"x", "y"}}}, references_, lenient).missing, 1);
  EXPECT_THROW((void)score_run(scorer_, {{"s3", 0, {"x", "y"}}}, references_, lenient), Error);
  EXPECT_THROW((void)score_run(scorer_, {{"s1", 0, {"x", "y"}}, {"s1", 1, {"x", "y"}}}, references_,
                               lenient),
               Error);
}

TEST(ReadSeries, takes_lines_that_have_the_field) {
  testing::TempFolder folder;
  const auto file = folder.path() / "m.jsonl";
  io::write_file(
      file,
      "{\"step\":1,\"loss\":0.5}\n{\"step\":2,\"a\":{\"b\":3}}\n{\"step\":3,\"a\":{\"b\":4}}\n");
  EXPECT_EQ(read_series(file, "a.b"), (std::vector<std::pair<double, double>>{{2, 3}, {3, 4}}));
  EXPECT_EQ(read_series(file, "loss").size(), 1u);
  EXPECT_THROW((void)read_series(file, "absent"), Error);
}

TEST(RunTimes, sum_each_run_once_by_tool_and_stage) {
  testing::TempFolder folder;
  const auto write = [&](const std::string& name, const std::string& tool, double seconds) {
    const auto file = folder.path() / name;
    io::make_folders(file.parent_path());
    io::write_file(file, io::Json({{"tool", tool}, {"wall_s", seconds}}).dump());
  };
  write("a/sft/run.json", "unirg-sft", 1.5);
  write("a/sft/best/run.json", "unirg-sft", 1.0);  // of the same run
  write("a/rl/001/r.jsonl.run.json", "unirg-rollout", 2);
  write("a/rl/002/r.jsonl.run.json", "unirg-rollout", 3);
  write("b/rl/001/r.jsonl.run.json", "unirg-rollout", 1);
  std::filesystem::create_directory_symlink(folder.path() / "a/sft", folder.path() / "b/sft");
  io::make_folders(folder.path() / "b/seen");
  std::filesystem::create_symlink(folder.path() / "a/sft/run.json",
                                  folder.path() / "b/seen/run.json");
  const io::Json times = run_times(folder.path());
  EXPECT_EQ(times.at("total"), 7.5);
  EXPECT_EQ(times.at("tools"), io::Json({{"unirg-rollout", 6.0}, {"unirg-sft", 1.5}}));
  EXPECT_EQ(times.at("stages"), io::Json({{"a/rl", 5.0}, {"a/sft", 1.5}, {"b/rl", 1.0}}));
}

}  // namespace
}  // namespace unirg::evaluation
