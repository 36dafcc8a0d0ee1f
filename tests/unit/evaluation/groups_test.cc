// SPDX-License-Identifier: Apache-2.0
#include "evaluation/groups.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "evaluation/comparison.h"
#include "evaluation/leaderboard.h"

namespace unirg::evaluation {
namespace {

Score someone() {
  Score s;
  s.site = "A";
  s.sex = "F";
  s.race = "Asian";
  s.age = 59.9;
  s.encounter = 7;
  s.temporal = "progression";
  return s;
}

TEST(GroupOf, names_what_the_record_tells) {
  const Score s = someone();
  EXPECT_EQ(group_of(s, "site"), "A");
  EXPECT_EQ(group_of(s, "sex"), "F");
  EXPECT_EQ(group_of(s, "race"), "Asian");
  EXPECT_EQ(group_of(s, "white"), "other");
  EXPECT_EQ(group_of(s, "age"), "<60");
  EXPECT_EQ(group_of(s, "decade"), "50-59");
  EXPECT_EQ(group_of(s, "encounter"), "5+");
  EXPECT_EQ(group_of(s, "temporal"), "progression");
  EXPECT_EQ(group_of(s, "sex:white"), "F, other");
}

TEST(GroupOf, says_unknown_and_puts_it_last) {
  EXPECT_EQ(group_of({}, "sex:age"), "unknown, unknown");
  EXPECT_EQ(group_of({}, "encounter"), "1");
  std::vector<std::string> labels{"unknown", "60+", "<60"};
  std::sort(labels.begin(), labels.end(), group_before);
  EXPECT_EQ(labels.back(), "unknown");
}

TEST(OnlyGroups, keeps_the_scores_of_every_filter) {
  Score first;
  first.sex = "F";
  std::vector<Score> scores{someone(), first};
  const auto kept = only_groups(scores, {parse_group_filter("prior=follow-up")});
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].encounter, 7);
  EXPECT_EQ(only_groups(scores, {parse_group_filter("sex=F")}).size(), 2u);
  EXPECT_THROW(only_groups(scores, {parse_group_filter("sex=M")}), Error);
  EXPECT_THROW(parse_group_filter("sex"), Error);
  EXPECT_THROW(parse_group_filter("height=2"), Error);
}

TEST(GroupOf, refuses_what_it_does_not_know) {
  EXPECT_THROW(group_of({}, "height"), Error);
  EXPECT_THROW(group_of({}, "sex:"), Error);
}

std::vector<Score> two_sexes() {
  std::vector<Score> all;
  for (const char* system : {"a", "b"}) {
    for (int i = 0; i < 4; ++i) {
      Score s;
      s.system = system;
      s.split = "test";
      s.study_id = s.patient_id = std::to_string(i);
      s.sex = i < 3 ? "F" : "M";
      s.labelled = false;
      s.metrics = {{"bleu2", system[0] == 'a' ? i * 0.25 : 0.0}, {"errors", i}};
      all.push_back(s);
    }
  }
  return all;
}

TEST(Compare, tells_groups_apart_as_splits_of_their_own) {
  const Comparison c = compare(two_sexes(), {.resampling = {.resamples = 50}, .by = {"sex"}});
  ASSERT_EQ(c.groupings.size(), 1u);
  const Grouping& grouping = c.groupings[0];
  ASSERT_EQ(grouping.groups.size(), 2u);
  EXPECT_EQ(grouping.groups[0].label, "F");
  EXPECT_EQ(grouping.groups[0].reports, 3);
  EXPECT_DOUBLE_EQ(grouping.groups[0].systems.at("a")[0].second.value, 0.25);
  EXPECT_DOUBLE_EQ(grouping.groups[1].systems.at("a")[0].second.value, 0.75);
  const auto json = summary_json(c, {});
  EXPECT_EQ(json["groups"]["sex"]["test"]["F"]["n"], 3);
  EXPECT_EQ(json["groups"]["sex"]["test"]["M"]["systems"]["a"]["bleu2"]["mean"], 0.75);
  EXPECT_NE(tsv_table(c).find("a\ttest\tsex\tM\tbleu2\t0.75"), std::string::npos);
  EXPECT_NE(markdown_tables(c, {}).find("| M | 1 | a | 0.750"), std::string::npos);
}

TEST(Compare, error_shares_are_the_papers_four_buckets) {
  const Comparison c = compare(two_sexes(), {.resampling = {.resamples = 0}, .error_shares = true});
  const auto& metrics = c.results.at({"a", "test"}).metrics;  // errors 0, 1, 2, 3
  const auto value = [&](const std::string& name) {
    for (const auto& [metric, v] : metrics) {
      if (metric == name) return v.value;
    }
    return -1.0;
  };
  EXPECT_DOUBLE_EQ(value("errors-0-1"), 0.5);
  EXPECT_DOUBLE_EQ(value("errors-2"), 0.25);
  EXPECT_DOUBLE_EQ(value("errors-3"), 0.25);
  EXPECT_DOUBLE_EQ(value("errors-4+"), 0);
  auto scores = two_sexes();
  for (Score& s : scores) s.metrics.emplace_back("chexprompt-errors", 5.0);
  const auto judged = compare(scores, {.resampling = {.resamples = 0}, .error_shares = true});
  EXPECT_EQ(judged.results.at({"a", "test"}).metrics.back().second.value, 1) << "the judge's count";
  for (Score& s : scores) s.metrics.erase(s.metrics.end() - 2, s.metrics.end());
  EXPECT_THROW(compare(scores, {.error_shares = true}), Error);
}

TEST(Compare, a_baseline_is_a_pair_of_each_other_system) {
  const Comparison c = compare(two_sexes(), {.resampling = {.resamples = 50}, .baseline = "b"});
  ASSERT_EQ(c.pairs.size(), 1u);
  EXPECT_EQ(c.pairs[0].a, "a");
  EXPECT_EQ(c.pairs[0].b, "b");
  EXPECT_THROW(compare(two_sexes(), {.baseline = "c"}), Error);
}

TEST(Compare, pairs_take_p_from_permutations_and_correct_it_as_a_family) {
  const Comparison c = compare(
      two_sexes(), {.pairs = {{"a", "b"}}, .resampling = {.resamples = 50}, .permutations = 16});
  const auto& metrics = c.pairs.at(0).metrics;
  // Of 16 signings of 0, .25, .5, .75 two reach their mean: the 0 may stand on either side.
  EXPECT_DOUBLE_EQ(metrics[0].second.p, 2 * 2 / 16.0);
  EXPECT_DOUBLE_EQ(metrics[0].second.p_holm, 2 * 0.25) << "two metrics were tested";
  EXPECT_DOUBLE_EQ(metrics[1].second.p, 1);
}

}  // namespace
}  // namespace unirg::evaluation
