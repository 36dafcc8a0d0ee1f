// Corpus label scores: by hand, and equal to scikit-learn's classification_report
// (golden/label_report.json, made by tests/parity/make_label_golden.py).
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>

#include "io/atomic_file.h"
#include "io/jsonl.h"
#include "metrics/label_f1.h"

namespace unirg::metrics {
namespace {

ConditionSet set_of(std::initializer_list<size_t> conditions) {
  ConditionSet set{};
  for (const size_t c : conditions) set[c] = true;
  return set;
}

LabelReport report_of(const std::vector<ConditionSet>& hypotheses,
                      const std::vector<ConditionSet>& references, Conditions conditions) {
  ConditionCounts counts{};
  SampleSums sums;
  for (size_t i = 0; i < references.size(); ++i) {
    const ConditionCounts one = count_conditions(hypotheses[i], references[i]);
    for (size_t c = 0; c < counts.size(); ++c) counts[c] += one[c];
    sums += sample_sums(hypotheses[i], references[i], conditions);
  }
  return label_report(counts, sums, conditions);
}

TEST(LabelReport, is_worked_by_hand) {
  // Two reports over the five: cardiomegaly (1) right once, edema (4) missed once, effusion (9)
  // called once for nothing; the others never occur and stay in the macro mean with 0.
  const LabelReport r =
      report_of({set_of({1}), set_of({9})}, {set_of({1, 4}), set_of({})}, kFiveConditions);
  EXPECT_DOUBLE_EQ(r.micro.precision, 1.0 / 2);
  EXPECT_DOUBLE_EQ(r.micro.recall, 1.0 / 2);
  EXPECT_DOUBLE_EQ(r.macro.f1, 1.0 / 5);
  EXPECT_DOUBLE_EQ(r.weighted.f1, 1.0 / 2);  // cardiomegaly 1 and edema 0, one reference each
  EXPECT_DOUBLE_EQ(r.samples.precision, (1.0 + 0.0) / 2);
  EXPECT_DOUBLE_EQ(r.samples.recall, (0.5 + 0.0) / 2);
  EXPECT_DOUBLE_EQ(r.samples.f1, (2.0 / 3 + 0.0) / 2);
  EXPECT_DOUBLE_EQ(r.accuracy, 0);
  EXPECT_EQ(r.support, (std::vector<int64_t>{1, 1, 0, 0, 0}));
}

TEST(LabelReport, conditions_outside_the_chosen_do_not_count) {
  const LabelReport r = report_of({set_of({0, 13})}, {set_of({2})}, kFiveConditions);
  EXPECT_DOUBLE_EQ(r.accuracy, 1);  // all five equal
  EXPECT_EQ(r.micro, LabelScore{});
  EXPECT_EQ(report_of({}, {}, kAllConditions).accuracy, 0);
}

TEST(LabelReport, uncertain_is_positive_or_not_by_the_switch) {
  text::Labels labels{};
  labels[4] = -1;
  labels[8] = 1;
  labels[9] = 0;
  EXPECT_EQ(called_conditions(labels, true), set_of({4, 8}));
  EXPECT_EQ(called_conditions(labels, false), set_of({8}));
}

std::vector<ConditionSet> unpack(const io::Json& lines) {
  std::vector<ConditionSet> all;
  for (const io::Json& line : lines) {
    const auto digits = line.get<std::string>();
    ConditionSet set{};
    for (size_t c = 0; c < set.size(); ++c) set[c] = digits[c] == '1';
    all.push_back(set);
  }
  return all;
}

void expect_score(const LabelScore& ours, const io::Json& theirs, const std::string& what) {
  EXPECT_NEAR(ours.precision, theirs[0].get<double>(), 1e-14) << what;
  EXPECT_NEAR(ours.recall, theirs[1].get<double>(), 1e-14) << what;
  EXPECT_NEAR(ours.f1, theirs[2].get<double>(), 1e-14) << what;
}

void expect_report(const LabelReport& ours, const io::Json& theirs, const std::string& what) {
  for (size_t i = 0; i < ours.each.size(); ++i) {
    const std::string index = std::to_string(i);
    expect_score(ours.each[i], theirs.at(index), what + index);
    EXPECT_EQ(ours.support[i], theirs.at(index)[3].get<int64_t>()) << what << index;
  }
  expect_score(ours.micro, theirs.at("micro avg"), what + "micro");
  expect_score(ours.macro, theirs.at("macro avg"), what + "macro");
  expect_score(ours.weighted, theirs.at("weighted avg"), what + "weighted");
  expect_score(ours.samples, theirs.at("samples avg"), what + "samples");
  EXPECT_NEAR(ours.accuracy, theirs.at("accuracy").get<double>(), 1e-14) << what;
}

TEST(LabelReport, equals_scikit_learn_on_random_matrices) {
  const auto file =
      std::filesystem::path(UNIRG_SOURCE_DIR) / "tests/unit/metrics/golden/label_report.json";
  const io::Json golden = io::Json::parse(io::read_file(file));
  size_t cases = 0;
  for (const io::Json& c : golden.at("cases")) {
    const auto hypotheses = unpack(c.at("hypothesis"));
    const auto references = unpack(c.at("reference"));
    const std::string name = "case " + std::to_string(cases++) + " ";
    expect_report(report_of(hypotheses, references, kAllConditions), c.at("expected").at("all"),
                  name + "all ");
    expect_report(report_of(hypotheses, references, kFiveConditions), c.at("expected").at("five"),
                  name + "five ");
  }
  EXPECT_EQ(cases, 7U);
}

}  // namespace
}  // namespace unirg::metrics
