// SPDX-License-Identifier: Apache-2.0
#include "text/sections.h"

#include <gtest/gtest.h>

namespace unirg::text {
namespace {

TEST(SplitSections, reads_a_report_with_headings_at_line_starts) {
  const Sections s = split_sections(
      "                                 FINAL REPORT\n"
      " EXAMINATION:  CHEST (PA AND LAT)\n\n"
      " INDICATION:  Cough and fever.\n\n"
      " TECHNIQUE:  Chest PA and lateral\n\n"
      " COMPARISON:  None.\n\n"
      " FINDINGS: \n\n The lungs are clear.\n No effusion.\n\n"
      " IMPRESSION: \n\n No acute process.\n");
  EXPECT_EQ(s.indication, "Cough and fever.");
  EXPECT_EQ(s.technique, "Chest PA and lateral");
  EXPECT_EQ(s.comparison, "None.");
  EXPECT_EQ(s.findings, "The lungs are clear. No effusion.");
  EXPECT_EQ(s.impression, "No acute process.");
}

TEST(SplitSections, knows_other_names_of_the_sections) {
  const Sections s = split_sections(
      "Reason for exam: fall\nClinical history: none given\nObservations: Rib fracture.\n"
      "Conclusion: Fracture.\nRecommendation: CT.");
  EXPECT_EQ(s.indication, "fall none given");
  EXPECT_EQ(s.findings, "Rib fracture.");
  EXPECT_EQ(s.impression, "Fracture. CT.");
  EXPECT_EQ(split_sections("FINDINGS: a\nSUMMARY: b").impression, "b");
  EXPECT_EQ(split_sections("FINDINGS: a\nOPINION: b").impression, "b");
}

TEST(SplitSections, finds_running_headings_in_capitals_or_after_a_sentence) {
  const Sections s = split_sections(
      "CHEST 2V Date: today Comparison: CT chest HISTORY: dyspnea FINDINGS: The heart is enlarged. "
      "IMPRESSION: Cardiomegaly.");
  EXPECT_EQ(s.indication, "dyspnea");
  EXPECT_EQ(s.findings, "The heart is enlarged.");
  EXPECT_EQ(s.impression, "Cardiomegaly.");
  EXPECT_EQ(split_sections("Findings: Lungs clear. Impression: Normal.").impression, "Normal.");
}

TEST(SplitSections, takes_no_heading_from_the_middle_of_a_sentence) {
  const Sections s =
      split_sections("FINDINGS: In comparison: the lungs are clear. The findings are stable.");
  EXPECT_EQ(s.findings, "In comparison: the lungs are clear. The findings are stable.");
  EXPECT_FALSE(s.comparison.has_value());
}

TEST(SplitSections, text_before_an_impression_is_the_findings_when_no_heading_says_so) {
  const Sections s =
      split_sections("The lungs are clear. Heart normal.\n\nIMPRESSION: Normal chest.");
  EXPECT_EQ(s.findings, "The lungs are clear. Heart normal.");
  EXPECT_EQ(s.impression, "Normal chest.");
}

TEST(SplitSections, paragraphs_behind_a_short_section_are_the_findings) {
  const Sections s = split_sections(
      "INDICATION: Cough.\n\nCOMPARISON: None.\n\nThe lungs are clear.\n\nIMPRESSION: Normal.");
  EXPECT_EQ(s.comparison, "None.");
  EXPECT_EQ(s.findings, "The lungs are clear.");
  const Sections last =
      split_sections("HISTORY: Cough.\n\nAP portable view.\n\nThe lungs are clear.\nNo effusion.");
  EXPECT_EQ(last.indication, "Cough.");
  EXPECT_EQ(last.findings, "The lungs are clear. No effusion.");
  EXPECT_FALSE(last.impression.has_value());
}

TEST(SplitSections, a_lone_paragraph_is_the_findings_and_nothing_is_nothing) {
  EXPECT_EQ(split_sections("Normal chest.").findings, "Normal chest.");
  EXPECT_EQ(split_sections(""), Sections{});
  EXPECT_EQ(split_sections(" \n\n "), Sections{});
}

TEST(SplitSections, empty_lines_in_any_number_part_paragraphs_and_repeat_nothing) {  // by fuzzing
  const Sections s = split_sections(
      "INDICATION: Cough.\n\n\n\nClear lungs.\n\n\nNo effusion.\n\nIMPRESSION: Normal.");
  EXPECT_EQ(s.indication, "Cough.");
  EXPECT_EQ(s.findings, "Clear lungs. No effusion.");
  EXPECT_EQ(s.impression, "Normal.");
}

TEST(SplitSections, joins_a_section_that_comes_twice_and_leaves_out_empty_ones) {
  const Sections s = split_sections("FINDINGS: a.\nIMPRESSION:\nFINDINGS: b.");
  EXPECT_EQ(s.findings, "a. b.");
  EXPECT_FALSE(s.impression.has_value());
}

TEST(SplitSections, a_heading_in_capitals_alone_on_its_line_needs_no_colon) {
  const Sections s = split_sections("FINDINGS\nClear lungs.\n\nIMPRESSION\nNormal.");
  EXPECT_EQ(s.findings, "Clear lungs.");
  EXPECT_EQ(s.impression, "Normal.");
}

}  // namespace
}  // namespace unirg::text
