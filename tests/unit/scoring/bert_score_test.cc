// BERTScore by hand, and parity with bert-score 0.3.13 on a random RoBERTa where ../shared has it.
// SPDX-License-Identifier: Apache-2.0
#include "scoring/bert_score.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "golden.h"
#include "io/atomic_file.h"
#include "io/jsonl.h"
#include "temp_folder.h"

namespace unirg::scoring {
namespace {

using Ids = std::vector<int64_t>;

/// Specials 0 and 2; words at angles.
TokenVectors text_of(const Ids& ids, const std::vector<double>& angles) {
  TokenVectors out{ids, {}};
  for (const double a : angles) {
    out.vectors.push_back(static_cast<float>(std::cos(a)));
    out.vectors.push_back(static_cast<float>(std::sin(a)));
  }
  return out;
}

TEST(BertScore, is_worked_by_hand) {
  const TokenVectors h = text_of({0, 5, 6, 2}, {0, 1.0, 2.0, 3});
  const TokenVectors r = text_of({0, 5, 2}, {1.6, 1.2, -2});
  const BertScoreValue s = bert_score(h, r, TokenWeights({0, 2}));
  // 5 is nearest to 5 (0.2), 6 to the special at 1.6 (0.4): specials may be matched with.
  EXPECT_NEAR(s.precision.value(), (std::cos(0.2) + std::cos(0.4)) / 2, 1e-6);
  EXPECT_NEAR(s.recall.value(), std::cos(0.2), 1e-6);
  const double p = s.precision.value(), q = s.recall.value();
  EXPECT_NEAR(s.f, 2 * p * q / (p + q), 1e-12);
}

TEST(BertScore, of_an_empty_side_is_0_and_far_below_when_rescaled) {
  const TokenVectors h = text_of({0, 2}, {0, 1});
  const TokenVectors r = text_of({0, 5, 2}, {0, 0, 0});
  const BertScoreValue s = bert_score(h, r, TokenWeights({0, 2}));
  EXPECT_EQ(s.precision, 0);
  EXPECT_EQ(s.recall, 0);
  EXPECT_EQ(s.f, 0);
  const auto baseline = built_in_baseline("distilroberta-base", 5).value();
  EXPECT_NEAR(rescale(s, baseline).f, -0.8473319 / (1 - 0.8473319), 1e-9);  // -5.55
  EXPECT_NEAR(rescale({1.0, 1.0, 1.0}, baseline).f, 1, 1e-12);
  EXPECT_NEAR(rescale({0.9, 0.9, 0.9}, baseline).precision.value(), (0.9 - 0.84732) / 0.15268,
              1e-9);
}

TEST(TokenWeights, of_rarity) {
  const TokenWeights w = TokenWeights::of_rarity({{0, 5, 5, 2}, {0, 6, 2}, {0, 5, 2}});
  EXPECT_EQ(w.of(0), 0);
  EXPECT_NEAR(w.of(5), std::log(4.0 / 3), 1e-7);
  EXPECT_NEAR(w.of(6), std::log(4.0 / 2), 1e-7);
  EXPECT_NEAR(w.of(7), std::log(4.0), 1e-7);
}

/// The package prints NaN, NaN, 0.
TEST(TokenWeights, fitted_on_one_text_leave_its_tokens_without_weight) {
  const TokenVectors r = text_of({0, 5, 2}, {0, 0.5, 1});
  const TokenWeights w = TokenWeights::of_rarity({r.ids});
  const BertScoreValue same = bert_score(r, r, w);
  EXPECT_FALSE(same.precision.has_value());
  EXPECT_FALSE(same.recall.has_value());
  EXPECT_EQ(same.f, 0);
  const BertScoreValue other = bert_score(text_of({0, 6, 2}, {0, 0.7, 1}), r, w);
  EXPECT_NEAR(other.precision.value(), std::cos(0.2), 1e-6);
  EXPECT_FALSE(other.recall.has_value());
  EXPECT_EQ(other.f, 0);
}

TEST(Baseline, file_is_read_and_checked) {
  const testing::TempFolder folder;
  const auto file = folder.path() / "b.tsv";
  io::write_file(file, "LAYER,P,R,F\n0,0.1,0.2,0.3\n1,0.4,0.5,0.6\r\n");
  EXPECT_EQ(read_baseline(file, 1).recall, 0.5);
  EXPECT_THROW((void)read_baseline(file, 2), Error);
  io::write_file(file, "LAYER,P,R,F\n0,0.1,x,0.3\n");
  try {
    (void)read_baseline(file, 0);
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("b.tsv:2"), std::string::npos) << e.what();
  }
  EXPECT_FALSE(built_in_baseline("distilroberta-base", 7).has_value());
}

TEST(SingleSpaces, leave_other_blanks) { EXPECT_EQ(single_spaces("  a   b\n  c"), " a b\n c"); }

/// 40 pairs, among them identical, empty and more than 512 tokens, with both weightings.
TEST(Golden, forty_pairs_equal_the_package) {
  const auto golden_file = testing::golden_folder("metrics") / "bertscore_tiny_roberta.json";
  UNIRG_SKIP_WITHOUT(golden_file);
  const io::Json golden = io::Json::parse(io::read_file(golden_file));
  const BertScorer scorer(testing::golden_folder("metrics") / "tiny_roberta", 5);
  for (const auto& [text, ids] : golden.at("tokens_example").items())
    EXPECT_EQ(scorer.ids(text), ids.get<Ids>());
  const auto hyps = golden.at("hyps").get<std::vector<std::string>>();
  const auto refs = golden.at("refs").get<std::vector<std::string>>();
  ASSERT_EQ(hyps.size(), 40u);
  std::vector<Ids> fitted;
  for (const std::string& r : refs) fitted.push_back(scorer.ids(r));
  const auto h = scorer.embed(hyps);
  const auto r = scorer.embed(refs);
  const auto check = [&](const TokenWeights& weights, const io::Json& expected) {
    for (size_t i = 0; i < hyps.size(); ++i) {
      const BertScoreValue s = bert_score(h[i], r[i], weights);
      EXPECT_NEAR(s.precision.value(), expected.at("P")[i].get<double>(), 1e-5) << i;
      EXPECT_NEAR(s.recall.value(), expected.at("R")[i].get<double>(), 1e-5) << i;
      EXPECT_NEAR(s.f, expected.at("F")[i].get<double>(), 1e-5) << i;
    }
  };
  check(TokenWeights(scorer.specials()), golden.at("noidf"));
  check(TokenWeights::of_rarity(fitted), golden.at("idf"));
  // In batches only the last bits move.
  const auto together = scorer.embed(hyps, 8);
  for (size_t i = 0; i < hyps.size(); ++i) {
    ASSERT_EQ(together[i].vectors.size(), h[i].vectors.size());
    for (size_t k = 0; k < h[i].vectors.size(); ++k)
      ASSERT_NEAR(together[i].vectors[k], h[i].vectors[k], 1e-5) << i;
  }
}

}  // namespace
}  // namespace unirg::scoring
