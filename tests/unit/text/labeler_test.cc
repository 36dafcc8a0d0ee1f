// SPDX-License-Identifier: Apache-2.0
#include "text/labeler.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "text/phrase_matcher.h"

namespace unirg::text {
namespace {

const std::filesystem::path kLexicon =
    std::filesystem::path(UNIRG_SOURCE_DIR) / "share/lexicon/chest.yaml";

const Labeler& labeler() {
  static const Labeler made(kLexicon);
  return made;
}

/// "Condition:1 Condition:-1 ..." in the order of the conditions; a No Finding of 0 is left out.
std::string labels(const std::string& text) {
  std::string all;
  const Labels read = labeler().read(text).labels;
  for (size_t c = 0; c < read.size(); ++c) {
    if (read[c] && !(c == kNoFinding && *read[c] == 0))
      all += std::string(kConditions[c]) + ":" + std::to_string(*read[c]) + " ";
  }
  return all;
}

TEST(Labeler, negation_reaches_over_a_list) {
  EXPECT_EQ(labels("No focal consolidation, pleural effusion, or pneumothorax."),
            "Consolidation:0 Pneumothorax:0 Pleural Effusion:0 No Finding:1 ");
  EXPECT_EQ(labels("The lungs are free of edema, effusion and fracture."),
            "Edema:0 Pleural Effusion:0 Fracture:0 No Finding:1 ");
  EXPECT_EQ(labels("No nodule, mass, large effusion, or pneumothorax."),
            "Lung Lesion:0 Pneumothorax:0 Pleural Effusion:0 No Finding:1 ");
}

TEST(Labeler, negation_ends_at_scope_ends_and_new_clauses) {
  EXPECT_EQ(labels("No pneumothorax but there is a left effusion."),
            "Pneumothorax:0 Pleural Effusion:1 ");
  EXPECT_EQ(labels("No pneumothorax, small left pleural effusion."),
            "Pneumothorax:0 Pleural Effusion:1 ");
  EXPECT_EQ(labels("No pneumothorax; cardiomegaly."), "Cardiomegaly:1 Pneumothorax:0 ");
}

TEST(Labeler, negation_may_follow_the_finding) {
  EXPECT_EQ(labels("Pneumothorax is not seen."), "Pneumothorax:0 No Finding:1 ");
  EXPECT_EQ(labels("The left effusion has resolved."), "Pleural Effusion:0 No Finding:1 ");
  EXPECT_EQ(labels("There is edema and an effusion is no longer seen."),
            "Edema:1 Pleural Effusion:0 ");
  EXPECT_EQ(labels("The heart is not enlarged."), "Cardiomegaly:0 No Finding:1 ");
}

TEST(Labeler, no_change_is_no_negation) {
  EXPECT_EQ(labels("No change in the left effusion."), "Pleural Effusion:1 ");
  EXPECT_EQ(labels("Edema without significant interval change."), "Edema:1 ");
}

TEST(Labeler, doubt_is_kept_apart) {
  EXPECT_EQ(labels("Possible small effusion."), "Pleural Effusion:-1 ");
  EXPECT_EQ(labels("Opacity which may represent atelectasis."), "Lung Opacity:1 Atelectasis:-1 ");
  EXPECT_EQ(labels("Pneumonia cannot be excluded."), "Pneumonia:-1 ");
  EXPECT_EQ(labels("Atelectasis versus pneumonia."), "Pneumonia:-1 Atelectasis:-1 ");
  EXPECT_EQ(labels("No evidence to suggest pneumonia."), "Pneumonia:0 No Finding:1 ");
  EXPECT_EQ(labels("Heart size at the upper limits of normal."), "Cardiomegaly:-1 ");
  EXPECT_EQ(labels("Blunting of the right costophrenic angle."), "Pleural Effusion:-1 ");
}

TEST(Labeler, positive_beats_uncertain_beats_negative) {
  EXPECT_EQ(labels("No effusion. Possible effusion."), "Pleural Effusion:-1 ");
  EXPECT_EQ(labels("Possible effusion. Left effusion. No effusion."), "Pleural Effusion:1 ");
}

TEST(Labeler, devices_alone_leave_no_finding_and_text_without_words_has_no_label) {
  EXPECT_EQ(labels("A pacemaker is in place."), "Support Devices:1 No Finding:1 ");
  EXPECT_EQ(labels("No acute cardiopulmonary process."), "No Finding:1 ");
  EXPECT_EQ(labels(""), "");
  EXPECT_EQ(labels(" . "), "");
  EXPECT_EQ(labeler().read("").labels[kNoFinding], std::nullopt);
  EXPECT_EQ(labeler().read("Possible pneumonia.").labels[kNoFinding], 0);
}

TEST(Labeler, normal_statements_deny_what_they_are_about) {
  EXPECT_EQ(labels("Heart size is within normal limits."), "Cardiomegaly:0 No Finding:1 ");
  EXPECT_EQ(labels("The heart is enlarged. The mediastinum is normal."),
            "Enlarged Cardiomediastinum:0 Cardiomegaly:1 ");
  const auto mentions = labeler().read("The lungs are clear.").entities;
  ASSERT_EQ(mentions.size(), 6U);
  EXPECT_FALSE(mentions[0].implied);
  EXPECT_TRUE(mentions[1].implied);
}

TEST(Labeler, history_and_questions_are_no_mentions) {
  EXPECT_EQ(labels("History of pneumonia."), "No Finding:1 ");
  EXPECT_EQ(labels("Evaluate for pneumothorax."), "No Finding:1 ");
}

TEST(Labeler, an_or_between_findings_doubts_both) {
  EXPECT_EQ(labels("Left basilar atelectasis or scar."), "Lung Opacity:-1 Atelectasis:-1 ");
  EXPECT_EQ(labels("Atelectasis and/or pneumonia."), "Pneumonia:-1 Atelectasis:-1 ");
  EXPECT_EQ(labels("No effusion or edema."), "Edema:0 Pleural Effusion:0 No Finding:1 ");
  EXPECT_EQ(labels("Opacities are present without effusion or pneumothorax."),
            "Lung Opacity:1 Pneumothorax:0 Pleural Effusion:0 ");
  EXPECT_EQ(labels("Mild or moderate cardiomegaly."), "Cardiomegaly:1 ");
  EXPECT_EQ(labels("Possible atelectasis, pneumonia, or edema."),
            "Edema:-1 Pneumonia:-1 Atelectasis:-1 ");
}

TEST(Labeler, doubt_reaches_over_compatible_with_and_due_to) {
  EXPECT_EQ(labels("Opacity which may be compatible with infection."),
            "Lung Opacity:1 Pneumonia:-1 ");
  EXPECT_EQ(labels("This may be secondary to edema."), "Edema:-1 ");
  EXPECT_EQ(labels("Borderline cardiomegaly without heart failure."), "Cardiomegaly:-1 Edema:0 ");
  EXPECT_EQ(labels("The heart is top normal in size."), "Cardiomegaly:-1 ");
}

TEST(Labeler, what_is_no_device_and_no_lesion) {
  EXPECT_EQ(labels("Sternotomy wires and surgical clips. Coronary stent. CABG."), "No Finding:1 ");
  EXPECT_EQ(labels("Prosthetic valve."), "Support Devices:1 No Finding:1 ");
  EXPECT_EQ(labels("Calcified right nodule."), "No Finding:1 ");
  EXPECT_EQ(labels("Non-calcified right nodule."), "Lung Lesion:1 ");
  EXPECT_EQ(labels("A nodule that is not calcified."), "Lung Lesion:1 ");
}

TEST(Labeler, implied_negatives_come_after_what_is_said) {
  const auto m = labeler().read("Cardiomediastinal silhouette and heart size are normal.").entities;
  ASSERT_EQ(m.size(), 2U);  // both said outright, neither implied
  EXPECT_FALSE(m[0].implied || m[1].implied);
  const auto bones = labeler().read("The bones are intact.").entities;
  ASSERT_EQ(bones.size(), 1U);
  EXPECT_TRUE(bones[0].implied);
  EXPECT_EQ(labeler().digest().size(), 64U);
}

TEST(Labeler, attributes_go_to_their_finding) {
  const auto m = labeler()
                     .read(
                         "Small left pleural effusion and moderate right basilar atelectasis, "
                         "unchanged. New edema.")
                     .entities;
  ASSERT_EQ(m.size(), 3U);
  EXPECT_EQ(m[0].locations, std::set<std::string>{"left"});
  EXPECT_EQ(m[0].severity, "mild");
  EXPECT_EQ(m[1].locations, (std::set<std::string>{"base", "right"}));
  EXPECT_EQ(m[1].severity, "moderate");
  EXPECT_EQ(m[1].change, "same");
  EXPECT_EQ(m[2].change, "new");
  EXPECT_EQ(m[2].sentence, 1);
}

TEST(Labeler, low_lung_volumes_keep_their_words) {
  const auto m = labeler().read("Decreased lung volumes with bibasilar atelectasis.").entities;
  ASSERT_EQ(m.size(), 1U);
  EXPECT_EQ(m[0].change, "");
  EXPECT_EQ(m[0].locations, (std::set<std::string>{"base", "left", "right"}));
}

TEST(Labeler, spans_point_into_the_text) {
  const std::string text = "Clear. There is a left pleural effusion.";
  const auto m = labeler().read(text).entities;
  ASSERT_EQ(m.size(), 1U);
  EXPECT_EQ(text.substr(m[0].span.begin, m[0].span.end - m[0].span.begin), "pleural effusion");
}

TEST(Labeler, sides_apart_stay_two_mentions) {
  EXPECT_EQ(labeler().read("Small left effusion and large right effusion.").entities.size(), 2U);
  EXPECT_EQ(labeler().read("Vascular congestion and mild edema.").entities.size(), 1U);
}

std::string complaint(const std::string& yaml) {
  try {
    (void)Labeler(parse_lexicon(yaml, "f.yaml"));
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::config);
    return e.what();
  }
  return "";
}

TEST(Lexicon, refuses_what_it_does_not_know_and_says_where) {
  EXPECT_NE(complaint("schema: unirg.lexicon/1\nconditons: []\n").find("f.yaml:2"),
            std::string::npos);
  EXPECT_NE(complaint("schema: unirg.lexicon/1\nconditons: []\n").find("'conditions'"),
            std::string::npos);
  EXPECT_NE(complaint("schema: other\n").find("schema"), std::string::npos);
  EXPECT_NE(complaint("schema: unirg.lexicon/1\nversion: v\nconditions:\n  - {name: Edem, "
                      "attributes: [], findings: []}\n")
                .find("'Edema'"),
            std::string::npos);
  EXPECT_NE(complaint("[").find("f.yaml"), std::string::npos);
  EXPECT_THROW((void)load_lexicon("/nonexistent/lexicon.yaml"), Error);
}

std::vector<std::string> matches(const std::string& pattern, const std::string& text) {
  PhraseMatcher matcher;
  matcher.add(pattern, 7);
  std::vector<std::string> all;
  const auto words = split_words(text, {0, text.size()});
  for (const PhraseMatch& m : matcher.match(text, words)) {
    const size_t begin = words[static_cast<size_t>(m.begin)].span.begin;
    all.push_back(text.substr(begin, words[static_cast<size_t>(m.end - 1)].span.end - begin));
    EXPECT_EQ(m.payload, 7);
  }
  return all;
}
using Strings = std::vector<std::string>;

TEST(PhraseMatcher, knows_stems_choices_options_and_gaps) {
  EXPECT_EQ(matches("opacit*", "Opacities, opacity; opaque"), (Strings{"Opacities", "opacity"}));
  EXPECT_EQ(matches("(left|far right) lung", "left lung far right lung right lung"),
            (Strings{"left lung", "far right lung"}));
  EXPECT_EQ(matches("clear [of] lung", "clear lung, clear of lung"),
            (Strings{"clear lung", "clear of lung"}));
  EXPECT_EQ(matches("a ~ b", "a b a x b a x y b a x y z b"), (Strings{"a b", "a x b", "a x y b"}));
  EXPECT_EQ(matches("a .. b", "a x, y b. a; b"), (Strings{"a x, y b"}));
}

TEST(PhraseMatcher, refuses_bad_patterns) {
  for (const char* pattern : {"(a", "a)", "a .. ", "~ a", "A", "a*b", "*", "", "a|b]"})
    EXPECT_THROW(PhraseMatcher().add(pattern, 0), Error) << pattern;
}

}  // namespace
}  // namespace unirg::text
