// The temporal class in score records. SPDX-License-Identifier: Apache-2.0
#include "evaluation/scores.h"

#include <gtest/gtest.h>

#include <memory>

#include "evaluation/score_run.h"

namespace unirg::evaluation {
namespace {

const std::filesystem::path kLexicons = std::filesystem::path(UNIRG_SOURCE_DIR) / "share/lexicon";

std::shared_ptr<const text::TemporalReader> reader() {
  static const auto made = std::make_shared<const text::TemporalReader>(
      kLexicons / "chest.yaml", kLexicons / "temporal.yaml");
  return made;
}

scoring::NamedReport reference(const std::string& id, int64_t encounter,
                               const std::string& findings, const std::string& impression) {
  data::Study study;
  study.study_id = id;
  study.patient_id = "p";
  study.split = "test";
  study.encounter = encounter;
  return {id, 0, {findings, impression}, std::make_shared<const data::Study>(study)};
}

TEST(TemporalOf, a_reference_is_a_first_study_without_a_prior_else_by_its_text) {
  const auto first = reference("1", 1, "The effusion has increased.", "Worse.");
  const auto second = reference("2", 2, "The effusion has increased.", "Effusion.");
  EXPECT_EQ(temporal_of(first, nullptr), "first study");
  EXPECT_EQ(temporal_of(second, reader().get()), "progression");
  data::Study linked = *first.study;
  linked.prior = "0";
  const scoring::NamedReport named{"1", 0, first.report,
                                   std::make_shared<const data::Study>(linked)};
  EXPECT_EQ(temporal_of(named, reader().get()), "progression");
}

TEST(TemporalOf, nothing_is_known_of_a_plain_text) {
  EXPECT_EQ(temporal_of({"1", 0, {"New effusion.", std::nullopt}}, reader().get()), "");
}

TEST(TemporalOf, all_sections_count_whichever_are_scored) {
  scoring::Scorer scorer({"bleu2"}, {});
  const std::vector<scoring::NamedReport> references{
      reference("1", 2, "The heart is enlarged.", "New pneumothorax.")};
  const ScoreRun run = score_run(scorer, {{"1", 0, {"F.", "I."}}}, references,
                                 {.system = "s",
                                  .seed = "",
                                  .splits = {},
                                  .sections = scoring::Sections::findings,
                                  .temporal = reader()});
  ASSERT_EQ(run.scores.size(), 1);
  EXPECT_EQ(run.scores[0].temporal, "new development");
}

TEST(ScoreRecord, keeps_the_temporal_class_and_has_none_where_none_was_read) {
  Score score;
  score.study_id = "1";
  score.metrics = {{"bleu2", 0.5}};
  EXPECT_FALSE(to_json(score).contains("temporal"));
  ASSERT_TRUE(score_from_json(to_json(score)).has_value());
  EXPECT_EQ(score_from_json(to_json(score))->temporal, "");
  score.temporal = "no change";
  const auto back = score_from_json(to_json(score));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->temporal, "no change");
  EXPECT_EQ(back->metrics.size(), 1);
}

TEST(ScoreRecord, a_class_that_is_none_is_a_bad_record) {
  Score score;
  score.temporal = "worse";
  const auto bad = score_from_json(to_json(score));
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().reason, "field 'temporal': no temporal class: 'worse'");
}

TEST(ScoreRecord, one_without_the_field_or_with_null_is_read) {
  data::Json old = to_json(Score{});
  old["temporal"] = nullptr;
  const auto back = score_from_json(old);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->temporal, "");
  EXPECT_TRUE(back->metrics.empty()) << "the null is no metric";
}

}  // namespace
}  // namespace unirg::evaluation
