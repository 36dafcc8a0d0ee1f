// SPDX-License-Identifier: Apache-2.0
#include "evaluation/meta.h"

#include <gtest/gtest.h>

namespace unirg::evaluation {
namespace {

/// BLEU-2 falls as words are replaced; people give marks, or count errors.
std::vector<scoring::HumanRating> ratings(bool errors) {
  const std::string reference = "the heart is large and the lungs are clear";
  const std::vector<std::pair<std::string, double>> candidates{
      {reference, 5},
      {"the heart is large and the lungs are wet", 4},
      {"the heart is small and the lungs are wet", 3},
      {"a large heart", 1}};
  std::vector<scoring::HumanRating> all;
  for (const auto& [text, mark] : candidates)
    all.push_back({text, "", reference, text, errors ? 5 - mark : mark, !errors});
  return all;
}

TEST(Meta, agreement_is_positive_whichever_way_either_counts) {
  scoring::Scorer scorer({"bleu2", "words"}, {});
  for (const bool errors : {false, true}) {
    const auto agreements = meta_evaluate(scorer, ratings(errors), {.times = 50}, 1);
    ASSERT_EQ(agreements.size(), 2u);
    EXPECT_DOUBLE_EQ(agreements[0].kendall.value.value(), 1) << errors;
    EXPECT_GT(agreements[0].pearson.value.value(), 0.8) << errors;
    EXPECT_EQ(agreements[0].pairs, 4);
    EXPECT_TRUE(agreements[0].kendall.interval.has_value());
  }
}

TEST(Meta, says_none_where_there_is_no_correlation) {
  auto equal = ratings(false);
  for (auto& rating : equal) rating.value = 3;
  scoring::Scorer scorer({"bleu2"}, {});
  const auto agreements = meta_evaluate(scorer, equal, {.times = 10}, 1);
  EXPECT_FALSE(agreements[0].kendall.value.has_value());
  EXPECT_NE(meta_markdown(agreements).find("| bleu2 | 4 | none | none | none |"),
            std::string::npos);
  EXPECT_EQ(meta_json(agreements)["metrics"]["bleu2"]["pearson"]["value"], nullptr);
  EXPECT_NE(meta_tsv(agreements).find("bleu2\tpearson\t\t\t\t4\n"), std::string::npos);
}

TEST(Meta, is_the_same_at_any_number_of_threads) {
  scoring::Scorer scorer({"bleu2"}, {});
  EXPECT_EQ(meta_json(meta_evaluate(scorer, ratings(false), {.times = 50, .seed = 3}, 1)),
            meta_json(meta_evaluate(scorer, ratings(false), {.times = 50, .seed = 3}, 2)));
}

}  // namespace
}  // namespace unirg::evaluation
