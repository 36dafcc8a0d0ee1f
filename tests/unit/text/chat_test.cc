// SPDX-License-Identifier: Apache-2.0
#include "text/chat.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace unirg::text {
namespace {

TEST(PaperTemplate, is_the_papers_wording) {
  EXPECT_EQ(fill_template(paper_template(true, true), "X"),
            "This is a radiology report generation task. Here is the context: X Given the image "
            "and the context, provide the "
            "report in the following format: Findings: [write the findings] Impression: [write the "
            "impression] Now write the "
            "report in the format above.");
  EXPECT_EQ(fill_template(paper_template(true, false), "X"),
            "This is a radiology report generation task. Here is the context: X Given the image "
            "and the context, provide the "
            "findings in the following format: Findings: [write the findings] Now write the report "
            "in the format above.");
}

TEST(FillTemplate, needs_a_place_for_the_input) {
  EXPECT_THROW((void)fill_template("Report:", "X"), Error);
}

TEST(Report, is_written_and_read_back) {
  const Report report{"Lungs clear.", "Normal."};
  const Report read = parse_report(format_report(report));
  EXPECT_EQ(read.findings, report.findings);
  EXPECT_EQ(read.impression, report.impression);
  EXPECT_EQ(format_report({std::nullopt, "Normal."}), "Impression: Normal.");
}

TEST(ParseReport, takes_headings_in_any_case_and_text_without_one_as_findings) {
  EXPECT_EQ(parse_report("IMPRESSION: a  b\nfindings: c").impression, "a b");
  EXPECT_EQ(parse_report("IMPRESSION: a  b\nfindings: c").findings, "c");
  EXPECT_EQ(parse_report("no heading").findings, "no heading");
  EXPECT_FALSE(parse_report("").findings.has_value());
}

}  // namespace
}  // namespace unirg::text
