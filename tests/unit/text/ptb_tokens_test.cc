// Worked cases, each checked against the original's output; every token of real reports where
// ../shared has them. SPDX-License-Identifier: Apache-2.0
#include "text/ptb_tokens.h"

#include <gtest/gtest.h>

#include "golden.h"
#include "io/jsonl.h"

namespace unirg::text {
namespace {

std::string joined(std::string_view text) {
  std::string all;
  for (const std::string& token : ptb_tokens(text)) all += (all.empty() ? "" : " ") + token;
  return all;
}

TEST(PtbTokens, of_plain_sentences) {
  EXPECT_EQ(joined("No acute disease. Heart size, normal; (stable)"),
            "no acute disease . heart size , normal ; -lrb- stable -rrb-");
  EXPECT_EQ(joined(""), "");
  EXPECT_EQ(joined(" \n "), "");
  EXPECT_EQ(joined("a\nb"), "a b");
}

TEST(PtbTokens, of_numbers_and_measures) {
  EXPECT_EQ(joined("1.2cm 1-2 cm 3.5x4 7mm 2.5 x 3.0 cm 1,000 12/25/2013 3:45"),
            "1.2 cm 1-2 cm 3.5 x4 7mm 2.5 x 3.0 cm 1,000 12/25/2013 3:45");
  EXPECT_EQ(joined("5% 5\u00b0 \u00b15 \u00b5m 10\u00b3 -5 +5"),
            "5 % 5 \u00b0 \u00b1 5 \u00b5m 10 \u00b3 -5 +5");
  EXPECT_EQ(joined("\u00bd dose"), "1/2 dose");
  // a no-break space keeps what the original takes for one thing together
  EXPECT_EQ(joined("1 1/2 (555) 123-4567"), "1\u00a01/2 -lrb-555-rrb-\u00a0123-4567");
  EXPECT_EQ(joined("V-10.47."), "v-10 .47 .");
}

TEST(PtbTokens, of_abbreviations) {
  EXPECT_EQ(joined("Dr. Smith, e.g. this vs. that etc."), "dr. smith , e.g. this vs. that etc. .");
  EXPECT_EQ(joined("No. 5 fig. 3 approx. 3"), "no. 5 fig. 3 approx . 3");
  EXPECT_EQ(joined("seen in the U.S. The I. The"), "seen in the u.s. . the i . the");
}

TEST(PtbTokens, of_contractions_hyphens_and_slashes) {
  EXPECT_EQ(joined("can't cannot it's don\u2019t gonna"), "ca n't can not it 's do n't gon na");
  EXPECT_EQ(joined("well-known x-ray AP/PA and/or 59-year-old"),
            "well-known x-ray ap/pa and/or 59-year-old");
  EXPECT_EQ(joined("a--b --- \u2013 ... . . ."), "a -- b -- -- ... ...");
}

TEST(PtbTokens, of_quotes_brackets_and_addresses) {
  EXPECT_EQ(joined("\"quoted\" 'so' [a] {b}"), "`` quoted '' ` so ' -lsb- a -rsb- -lcb- b -rcb-");
  EXPECT_EQ(joined("http://foo.com/a?b. me@x.org <br/> &amp; &lt;"),
            "http://foo.com/a?b . me@x.org <br/> & <");
}

TEST(PtbTokens, of_hostile_text) {
  EXPECT_EQ(joined("na\u00efve \xff\xfe ok"), "na\u00efve ok");
  EXPECT_EQ(joined(std::string("a\0b", 3)), "a b");
  EXPECT_EQ(ptb_tokens(std::string(5000, '(')).size(), 5000u);
  std::string words;
  for (int i = 0; i < 2000; ++i) words += "XXXX ";
  EXPECT_EQ(ptb_tokens(words).size(), 2000u);
}

TEST(CocoText, drops_punctuation_but_brackets) {
  EXPECT_EQ(coco_text("The heart (size) is normal: \"fine\" - no; change... etc."),
            "the heart -lrb- size -rrb- is normal fine no change etc.");
  EXPECT_EQ(coco_text("."), "");
}

TEST(Golden, ptb_tokens_equal_pycocoevalcap_on_real_reports) {
  const auto file = testing::golden_folder("metrics") / "nlg_iu_xray_296.json";
  UNIRG_SKIP_WITHOUT(file);
  const io::Json golden = io::Json::parse(io::read_file(file));
  size_t i = 0;
  for (const io::Json& pair : golden.at("pairs")) {
    for (const char* side : {"ref", "hyp"})
      EXPECT_EQ(coco_text(pair.at(side).get<std::string>()),
                golden.at("ptb_tokens").at(side)[i].get<std::string>())
          << side << ' ' << i;
    ++i;
  }
  EXPECT_EQ(i, 296u);
}

}  // namespace
}  // namespace unirg::text
