// Hand-worked values; parity with the published code on real report pairs where ../shared has them.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "io/atomic_file.h"
#include "io/jsonl.h"
#include "metrics/bleu.h"
#include "metrics/entity_f1.h"
#include "metrics/label_f1.h"
#include "metrics/rouge.h"

namespace unirg::metrics {
namespace {

double bleu(std::string_view h, std::string_view r) {
  return bleu2(rexrank_tokens(h), rexrank_tokens(r));
}

TEST(Bleu2, is_worked_by_hand) {
  EXPECT_DOUBLE_EQ(bleu("no acute disease", "no acute disease"), 1.0);
  // unigrams 3 of 4, bigrams (the heart) of 3; same length: brevity exp(0).
  EXPECT_NEAR(bleu("the heart is big", "the heart was big"), std::sqrt(0.75 * (1.0 / 3)), 1e-12);
  // no common bigram: 0.1 instead of 0
  EXPECT_NEAR(bleu("a b", "b a"), std::sqrt(1.0 * 0.1), 1e-12);
  // shorter hypothesis: exp(1 - 4/2)
  EXPECT_NEAR(bleu("a b", "a b c d"), std::exp(-1.0), 1e-12);
  EXPECT_EQ(bleu("x", "y"), 0.0);
  EXPECT_EQ(bleu("", "y"), 0.0);
}

TEST(Bleu2, tokens_follow_rexrank) {
  EXPECT_EQ(rexrank_tokens("The Heart. OK,  fine"),
            (std::vector<std::string>{"the", "heart", ".", "ok,", "fine"}));
}

TEST(RougeL, is_worked_by_hand) {
  // LCS of (police killed the gunman) and (police kill the gunman) is 3 words (Lin 2004).
  EXPECT_NEAR(
      rouge_l(rouge_tokens("police kill the gunman"), rouge_tokens("Police killed the gunman.")),
      0.75, 1e-12);
  EXPECT_EQ(rouge_l({}, rouge_tokens("a")), 0.0);
  const double p = 2.0 / 3, r = 1.0, b2 = 1.44;
  EXPECT_NEAR(rouge_l({"a", "x", "b"}, {"a", "b"}, 1.2), (1 + b2) * p * r / (r + b2 * p), 1e-12);
}

TEST(LabelF1, of_one_report_and_of_a_corpus) {
  ConditionSet h{}, r{};
  EXPECT_EQ(label_f1(h, r), 1.0);
  h[0] = h[1] = r[1] = r[2] = true;  // tp 1, fp 1, fn 1
  EXPECT_DOUBLE_EQ(label_f1(h, r), 0.5);
  const ConditionCounts counts = count_conditions(h, r);
  EXPECT_DOUBLE_EQ(micro_f1(counts), 0.5);
  EXPECT_DOUBLE_EQ(macro_f1(counts), 0.5);  // of conditions 1 and 2, which the reference has
}

text::Entity entity(size_t condition, text::Presence presence, std::set<std::string> locations,
                    std::string severity) {
  text::Entity e;
  e.condition = condition;
  e.presence = presence;
  e.locations = std::move(locations);
  e.severity = std::move(severity);
  return e;
}

TEST(EntityF1, is_worked_by_hand) {
  const EntitySets r = entity_sets({{},
                                    {entity(9, text::Presence::positive, {"left"}, "mild"),
                                     entity(8, text::Presence::negative, {}, "")}});
  const EntitySets h = entity_sets({{},
                                    {entity(9, text::Presence::positive, {"right"}, "mild"),
                                     entity(4, text::Presence::positive, {}, "")}});
  const EntityScore score = entity_f1(h, r);
  EXPECT_DOUBLE_EQ(score.entity, 0.5);  // effusion common; edema false, pneumothorax-absent missed
  EXPECT_DOUBLE_EQ(score.relation, 0.5);   // severity common, side wrong
  EXPECT_DOUBLE_EQ(error_count(h, r), 2);  // edema falsely called, effusion on the wrong side
  EXPECT_DOUBLE_EQ(entity_f1({}, {}).mean(), 1.0);
}

TEST(EntityF1, bilateral_means_left_and_right) {
  const EntitySets both =
      entity_sets({{}, {entity(9, text::Presence::positive, {"bilateral"}, "")}});
  const EntitySets sides =
      entity_sets({{}, {entity(9, text::Presence::positive, {"left", "right"}, "")}});
  EXPECT_EQ(both.relations, sides.relations);
}

TEST(Golden, bleu2_and_rouge_l_equal_the_published_code_on_real_reports) {
  const auto file =
      std::filesystem::path(UNIRG_SOURCE_DIR) / "../shared/golden/metrics/nlg_iu_xray_296.json";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "needs ../shared/golden/metrics";
  const io::Json golden = io::Json::parse(io::read_file(file));
  size_t i = 0;
  for (const io::Json& pair : golden.at("pairs")) {
    const auto hyp = pair.at("hyp").get<std::string>();
    const auto ref = pair.at("ref").get<std::string>();
    EXPECT_NEAR(bleu(hyp, ref), golden.at("cxr_report_metric_bleu2")[i].get<double>(), 1e-9) << i;
    EXPECT_NEAR(rouge_l(rouge_tokens(hyp), rouge_tokens(ref)),
                golden.at("rouge_score_stem0")[i][2].get<double>(), 1e-9)
        << i;
    ++i;
  }
  EXPECT_EQ(i, 296u);
}

}  // namespace
}  // namespace unirg::metrics
