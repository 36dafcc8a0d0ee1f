// The rule labeler's metrics as a family: the values of the scorer, sums of a corpus, signatures.
// SPDX-License-Identifier: Apache-2.0
#include "scoring/rule_family.h"

#include <gtest/gtest.h>

#include "base/hash.h"
#include "metrics/label_f1.h"
#include "scoring/answer_family.h"
#include "scoring/label_sums.h"

namespace unirg::scoring {
namespace {

const std::string kLexicon = std::string(UNIRG_SOURCE_DIR) + "/share/lexicon/chest.yaml";

const TextGroup kGroup{
    "Small left pleural effusion, increased from prior. No pneumothorax. Possible pneumonia.",
    {"Small left pleural effusion, increased from prior. No pneumothorax. Possible pneumonia.",
     "Large right pleural effusion. Pneumothorax.", "The lungs are clear. The heart is enlarged.",
     ""}};

TEST(RuleFamily, is_worked_by_hand) {
  const Scored s = RuleFamily(kLexicon, false).score(kGroup)[1];
  // Called: effusion, and falsely pneumothorax.
  EXPECT_DOUBLE_EQ(*s.values[0], 2.0 / 3);
  // Entities: effusion common; pneumothorax-present false; pneumothorax-absent, pneumonia missed.
  EXPECT_DOUBLE_EQ(*s.values[2], 2.0 / 5);
  EXPECT_DOUBLE_EQ(*s.values[3], 0);  // (left, mild, worse) against (right, severe)
  EXPECT_DOUBLE_EQ(*s.values[1], 1.0 / 5);
  EXPECT_DOUBLE_EQ(*s.values[4], 2);  // effusion with wrong relations, pneumothorax false
}

TEST(RuleFamily, signatures_name_the_lexicon_and_the_switch) {
  const std::string tag = "chest-2@" + sha256_file(kLexicon).substr(0, 12);
  const RuleFamily negative(kLexicon, false);
  const RuleFamily positive(kLexicon, true);
  EXPECT_EQ(negative.metrics()[0].signature,
            "label-f1:rule|14|per-report|lexicon:" + tag + "|uncertain:negative|v1");
  EXPECT_EQ(positive.metrics()[0].signature,
            "label-f1:rule|14|per-report|lexicon:" + tag + "|uncertain:positive|v1");
  EXPECT_EQ(negative.metrics()[4].signature,
            "errors:rule|missed+false+wrong-attribute|lexicon:" + tag + "|v1");
  EXPECT_EQ(negative.metrics()[4].better, Better::lower);
}

TEST(LabelSums, add_up_to_the_report_of_a_corpus) {
  const text::Labeler labeler(kLexicon);
  const auto called = [&](const std::string& text) {
    return metrics::called_conditions(labeler.read(text).labels, true);
  };
  std::vector<double> sums(kLabelSums);
  for (const std::string& text : kGroup.hypotheses) {
    const auto own = label_sums(called(text), called(kGroup.reference));
    ASSERT_EQ(own.size(), kLabelSums);
    for (size_t i = 0; i < own.size(); ++i) sums[i] += own[i];
  }
  // Of the five the reference has effusion: found by the first two of four, nobody else.
  const auto report = label_report(sums.data(), true);
  EXPECT_EQ(report.support, (std::vector<int64_t>{0, 0, 0, 0, 4}));
  EXPECT_DOUBLE_EQ(report.each[4].recall, 0.5);
  EXPECT_DOUBLE_EQ(report.micro.precision, 2.0 / 3);  // cardiomegaly is false
  EXPECT_DOUBLE_EQ(report.samples.f1, 0.5);
  EXPECT_DOUBLE_EQ(report.accuracy, 0.5);
  EXPECT_EQ(label_report(sums.data(), false).reports, 4);
}

TEST(AnswerFamily, reads_what_the_model_wrote_and_not_its_sections) {
  const AnswerFamily family(kLexicon, false);
  const std::string reply =
      "<think>Left effusion.</think><answer>Pleural Effusion: present</answer>";
  const auto scored = family.score({"Left pleural effusion.", {"Findings: " + reply}, {reply}});
  EXPECT_EQ(scored[0].values[0], 1.0);
}

TEST(AnswerFamily, rewards_format_labels_and_consistency) {
  const AnswerFamily family(kLexicon, false);
  const auto scored = family.score(
      {"There is a left pleural effusion. The heart is enlarged.",
       {"<think>Left pleural effusion. The heart is enlarged.</think>"
        "<answer>Pleural Effusion: present\nCardiomegaly: present</answer>",
        "<think>Left pleural effusion.</think><answer>Pleural Effusion, Cardiomegaly</answer>",
        "<think>The lungs are clear.</think><answer></answer>", "Left pleural effusion."}});
  const std::vector<std::vector<double>> expected{{1, 1, 1}, {1, 1, 2.0 / 3}, {1, 0, 0}, {0, 0, 0}};
  for (size_t i = 0; i < expected.size(); ++i) {
    for (size_t m = 0; m < 3; ++m)
      EXPECT_DOUBLE_EQ(*scored[i].values[m], expected[i][m])
          << family.metrics()[m].name << " of " << i;
  }
}

}  // namespace
}  // namespace unirg::scoring
