// RaTEScore's sentences. Expected ones were made by medspaCy 1.3.1 with PyRuSH 1.0.13.
// SPDX-License-Identifier: Apache-2.0
#include "text/rush_sentences.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "text/python_text.h"

namespace unirg::text {
namespace {

using Sentences = std::vector<std::string>;

const RushRules& rules() {
  static const RushRules loaded =
      RushRules::load(std::string(UNIRG_SOURCE_DIR) + "/share/ratescore/rush_rules.tsv");
  return loaded;
}

Sentences cut(std::string_view text) { return rush_sentences(rules(), text); }

TEST(RushSentences, equal_medspacys) {
  EXPECT_EQ(cut("Heart size is normal. Lungs are clear.\nNo effusion."),
            (Sentences{"Heart size is normal.", "Lungs are clear.", "No effusion."}));
  EXPECT_EQ(
      cut("FINDINGS:\n  The heart is big.The lungs are clear. No  effusion; no "
          "edema.\n\nIMPRESSION:\n1. Cardiomegaly.\n2. No acute disease"),
      (Sentences{"FINDINGS:", "The heart is big.The lungs are clear.", "No  effusion; no edema.",
                 "IMPRESSION:", "1. Cardiomegaly.", "2. No acute disease"}));
  EXPECT_EQ(cut("1.5 cm nodule in the right lobe. Compared with 1/2/2020, no change. Dr. Smith was "
                "told at 3 p.m. on Monday."),
            (Sentences{"1.5 cm nodule in the right lobe.", "Compared with 1/2/2020, no change.",
                       "Dr. Smith was told at 3 p.m.", "on Monday."}));
  EXPECT_EQ(cut("IMPRESSION: 1) Small effusion. 2) No edema?"),
            (Sentences{"IMPRESSION: 1) Small effusion.", "2) No edema?"}));
  EXPECT_EQ(cut("Stable. XXXX. T7 compression.  \n - Lines: PICC. \u00a0Tubes\u2026 fine"),
            (Sentences{"Stable.", "XXXX. T7 compression.  \n - Lines: PICC.", "Tubes\u2026 fine"}));
  EXPECT_EQ(cut("LUNGS ARE CLEAR. NO PNEUMOTHORAX. HEART 12.5 CM."),
            (Sentences{"LUNGS ARE CLEAR. NO PNEUMOTHORAX.", "HEART 12.5 CM."}));
  EXPECT_EQ(cut("a. b. Lungs clear. ] Heart"), (Sentences{"a. b.", "Lungs clear.", "] Heart"}));
}

TEST(RushSentences, of_next_to_nothing) {
  EXPECT_EQ(cut(""), Sentences{});
  EXPECT_EQ(cut("   \n"), Sentences{});
  EXPECT_EQ(cut("ok"), Sentences{});
  EXPECT_EQ(cut("-"), Sentences{});
  EXPECT_EQ(cut("no acute disease"), Sentences{"no acute disease"});
}

TEST(RushRules, capture_repeat_and_counterexample) {
  const RushRules few = RushRules::parse(
      "# a table\n@Version\t1\n\\b(\\C\t0\tstbegin\n.\\s+(\\C\t0\tstbegin\n"
      "\\c(.\t2\tstend\nDr(.\t3\tstend\n(\\c\\e\t2\tstend\n",
      "table");
  const RushMarks marks = few.find(code_points("Ask Dr. Who.   Ok"));
  EXPECT_EQ(marks.begins, (std::vector<CharSpan>{{0, 1}, {8, 9}, {15, 16}}));
  EXPECT_EQ(marks.ends, (std::vector<CharSpan>{{11, 12}, {16, 17}}));
}

TEST(RushRules, a_bad_table_is_named) {
  try {
    (void)RushRules::parse("\\b(\\C\t0\tstbegin\nx\t7\tstend\n", "t.tsv");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::data);
    EXPECT_NE(std::string(e.what()).find("t.tsv:2:"), std::string::npos) << e.what();
  }
  EXPECT_THROW((void)RushRules::parse("[a|b]\t0\tstbegin\n", "t"), Error);
}

TEST(SpacyTokens, begin_where_spacys_do) {
  const auto starts = [](const char* text) { return spacy_token_starts(code_points(text)); };
  using Starts = std::vector<size_t>;
  EXPECT_EQ(starts("a  b\n c"), (Starts{0, 2, 3, 4, 6}));
  EXPECT_EQ(starts("big.The (1.5cm)."), (Starts{0, 3, 4, 8, 9, 12, 14, 15}));
  EXPECT_EQ(starts("mid-lung left/up 10-12"), (Starts{0, 3, 4, 9, 13, 14, 17, 19, 20}));
}

}  // namespace
}  // namespace unirg::text
