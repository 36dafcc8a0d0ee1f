// SPDX-License-Identifier: Apache-2.0
#include "text/fold.h"

#include <gtest/gtest.h>

namespace unirg::text {
namespace {

TEST(FoldWords, ascii_keeps_all_but_the_case) {
  EXPECT_EQ(fold_words("Doe^JANE, 12-34\x01x"), "doe^jane, 12-34\x01x");
  EXPECT_EQ(fold_words(""), "");
}

TEST(FoldWords, letters_of_any_script_are_compared_without_case) {
  EXPECT_EQ(fold_words("MÜLLER^JÖRG"), "müller jörg");
  EXPECT_EQ(fold_words("Mu\xCC\x88ller"), "müller") << "u with a mark of its own";
  EXPECT_EQ(fold_words("ΔΗΜΗΤΡΗΣ Иванов"), fold_words("δημητρης ИВАНОВ"));
  EXPECT_EQ(fold_words("STRAẞE"), "strasse");
  EXPECT_EQ(fold_words("ＤＯＥ１２"), "doe12") << "full width";
}

TEST(FoldWords, what_is_between_words_becomes_a_blank) {
  EXPECT_EQ(fold_words("Jane\xC2\xA0"
                       "Doe"),
            "jane doe")
      << "a blank that does not break";
  EXPECT_EQ(fold_words("12–34é"), "12 34é") << "a dash";
}

TEST(FoldWords, characters_of_scripts_without_blanks_are_words) {
  EXPECT_EQ(fold_words("山田a"), " 山  田 a");
  EXPECT_EQ(fold_words("タ김"), " タ  김 ");
}

TEST(FoldWords, a_byte_that_is_no_utf8_is_a_blank) {
  EXPECT_EQ(fold_words("M\xDCLLER, Ü"), "m ller  ü");
}

}  // namespace
}  // namespace unirg::text
