// SPDX-License-Identifier: Apache-2.0
#include "text/sentences.h"

#include <gtest/gtest.h>

#include <string>

namespace unirg::text {
namespace {

std::vector<std::string> sentences(const std::string& text) {
  std::vector<std::string> all;
  for (const Span& s : split_sentences(text)) all.push_back(text.substr(s.begin, s.end - s.begin));
  return all;
}
using Strings = std::vector<std::string>;

TEST(SplitSentences, ends_at_points_before_white_space) {
  EXPECT_EQ(sentences("Heart is normal.  No effusion.\nLungs clear"),
            (Strings{"Heart is normal.", "No effusion.", "Lungs clear"}));
  EXPECT_EQ(sentences("Is it new? Yes! Done.."), (Strings{"Is it new?", "Yes!", "Done."}));
}

TEST(SplitSentences, decimals_do_not_end_a_sentence) {
  EXPECT_EQ(sentences("A 1.5 cm nodule. 2.5 cm mass."),
            (Strings{"A 1.5 cm nodule.", "2.5 cm mass."}));
}

TEST(SplitSentences, abbreviations_and_initials_do_not_end_a_sentence) {
  EXPECT_EQ(sentences("Discussed with Dr. Smith by phone. Edema vs. pneumonia."),
            (Strings{"Discussed with Dr. Smith by phone.", "Edema vs. pneumonia."}));
  EXPECT_EQ(sentences("Read by J. Smith. Done."), (Strings{"Read by J. Smith.", "Done."}));
}

TEST(SplitSentences, item_marks_open_sentences_and_are_left_out) {
  EXPECT_EQ(sentences("1. No edema. 2. Fracture.\n3) Mass\n4) Cyst"),
            (Strings{"No edema.", "Fracture.", "Mass", "Cyst"}));
  EXPECT_EQ(sentences("- Edema\n- Mass"), (Strings{"Edema", "Mass"}));
}

TEST(SplitSentences, blank_lines_end_a_sentence_and_single_line_ends_do_not) {
  EXPECT_EQ(sentences("The heart is\nnormal\n\nNo edema"),
            (Strings{"The heart is\nnormal", "No edema"}));
}

TEST(SplitSentences, of_nothing_are_none) {
  EXPECT_TRUE(sentences("").empty());
  EXPECT_TRUE(sentences(" . .\n").empty());
}

TEST(SplitWords, gives_words_commas_and_stops) {
  const std::string text = "X-ray: can't, 1.5 cm.";
  std::vector<std::string> words;
  std::string kinds;
  for (const Word& w : split_words(text, {0, text.size()})) {
    words.push_back(text.substr(w.span.begin, w.span.end - w.span.begin));
    kinds += w.kind == WordKind::word ? 'w' : w.kind == WordKind::comma ? ',' : '.';
  }
  EXPECT_EQ(words, (Strings{"X", "ray", ":", "can't", ",", "1.5", "cm", "."}));
  EXPECT_EQ(kinds, "ww.w,ww.");
}

}  // namespace
}  // namespace unirg::text
