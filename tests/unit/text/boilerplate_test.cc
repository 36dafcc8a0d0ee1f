// SPDX-License-Identifier: Apache-2.0
#include "text/boilerplate.h"

#include <gtest/gtest.h>

namespace unirg::text {
namespace {

std::vector<std::string> texts(std::string_view report) {
  std::vector<std::string> out;
  for (const SentenceForm& form : sentence_forms(report)) out.push_back(form.text);
  return out;
}

TEST(SentenceForms, are_words_in_lower_case_with_numbers_alike) {
  EXPECT_EQ(texts("The tip is 3.5 cm above the carina. NO   pneumothorax!"),
            (std::vector<std::string>{"the tip is # cm above the carina", "no pneumothorax"}));
  EXPECT_EQ(texts("1. Nodule, 4 mm.\n2. T8 fracture."),
            (std::vector<std::string>{"nodule # mm", "t8 fracture"}));
  EXPECT_TRUE(texts(" . --- ").empty());
  EXPECT_EQ(sentence_forms("The tip is 3.5 cm.")[0].words, 5U);
}

/// Five reports of four patients at A. "no effusion" (2 words) is in reports of p1, p2, p3;
/// "the heart is normal" (4) twice, both of p1: no template; "lungs are clear" (3) of p2 and p4.
class OfTwoSites : public ::testing::Test {
 protected:
  void SetUp() override {
    counts_.add("A", "p1", "No effusion. The heart is normal.");          // 2 of 6 words
    counts_.add("A", "p1", "The heart is normal.");                       // 0 of 4
    counts_.add("A", "p2", "No effusion. Lungs are clear.");              // 5 of 5: all template
    counts_.add("A", "p3", "No effusion. No effusion. Rib 7 fracture.");  // 4 of 7
    counts_.add("A", "p4", "LUNGS ARE CLEAR");                            // 3 of 3: all template
    counts_.add("A", "p5", " ");                                          // no report
    counts_.add("B", "p1", "No effusion.");
    counts_.add("B", "p2", "No effusion.");
    counts_.add("B", "p3", "Normal.");
  }
  BoilerplateCounts counts_{0.8};
};

TEST_F(OfTwoSites, words_in_sentences_that_two_patients_share_are_counted_by_hand) {
  const auto all = counts_.measure(0.01, 10);
  ASSERT_EQ(all.size(), 2U);
  const Boilerplate& a = all.at("A");
  EXPECT_EQ(a.reports, 5);
  EXPECT_EQ(a.patients, 4);
  EXPECT_EQ(a.sentences, 9);
  EXPECT_EQ(a.words, 6 + 4 + 5 + 7 + 3);
  EXPECT_EQ(a.needed, 2);
  EXPECT_EQ(a.templates, 2);
  EXPECT_EQ(a.template_sentences, 1 + 0 + 2 + 2 + 1);
  EXPECT_EQ(a.template_words, 2 + 0 + 5 + 4 + 3);
  EXPECT_EQ(a.own_words, 3 + 3) << "\"no effusion\" is a template of B, too";
  EXPECT_EQ(a.template_reports, 2);
  EXPECT_EQ(a.most, (std::vector<std::pair<std::string, int64_t>>{{"no effusion", 3},
                                                                  {"lungs are clear", 2}}));
  const Boilerplate& b = all.at("B");
  EXPECT_EQ(b.words, 5);
  EXPECT_EQ(b.template_words, 4);
  EXPECT_EQ(b.own_words, 0);
  EXPECT_EQ(b.template_reports, 2);
}

TEST_F(OfTwoSites, the_threshold_is_a_share_of_the_patients_of_the_site) {
  const auto at = [&](double share) { return counts_.measure(share, 10).at("A"); };
  EXPECT_EQ(at(0.5).needed, 2);
  EXPECT_EQ(at(0.51).needed, 3);
  EXPECT_EQ(at(0.51).template_words, 2 + 2 + 4) << "\"no effusion\" alone";
  EXPECT_EQ(at(0.75).needed, 3);
  EXPECT_EQ(at(1).needed, 4);
  EXPECT_EQ(at(1).templates, 0);
  EXPECT_EQ(counts_.measure(0.01, 1).at("A").most.size(), 1U);
}

TEST(BoilerplateCounts, a_share_that_gives_a_whole_number_is_not_rounded_up_by_its_last_bit) {
  BoilerplateCounts counts(0.8);
  for (int p = 0; p < 100; ++p)
    counts.add("A", "p" + std::to_string(p),
               p < 7 ? "Clear." : "Report " + std::string(1 + p, 'x'));
  EXPECT_GT(0.07 * 100, 7) << "which is why";
  EXPECT_EQ(counts.measure(0.07, 0).at("A").needed, 7);
  EXPECT_EQ(counts.measure(0.07, 0).at("A").template_words, 7);
}

TEST(BoilerplateCounts, near_duplicates_are_those_like_a_report_that_is_itself_like_none) {
  BoilerplateCounts counts(0.6);
  // Seven, seven and eight words: sets of 3, 3 and 4 runs of five.
  counts.add("A", "p1", "a b c d e f g");
  counts.add("A", "p2", "a b c d e f g");    // the same: 3 of 3
  counts.add("A", "p3", "a b c d e f g h");  // 3 of 4 = 0.75
  counts.add("A", "p4", "b c d e f g h i");  // 2 of 5 with the first; 3 of 5 with the third, which
                                             // is like the first and does not count
  counts.add("B", "p1", "a b c d e f g");
  EXPECT_EQ(counts.measure(0.01, 0).at("A").near_duplicates, 2);
  EXPECT_EQ(counts.measure(0.01, 0).at("B").near_duplicates, 0);
}

}  // namespace
}  // namespace unirg::text
