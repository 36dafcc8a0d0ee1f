// Python's idea of text, and RadGraph's words. Expected values by Python 3.11.
// SPDX-License-Identifier: Apache-2.0
#include "text/python_text.h"

#include <gtest/gtest.h>

#include "text/radgraph_tokens.h"

namespace unirg::text {
namespace {

using Words = std::vector<std::string>;

TEST(PythonText, blanks_strip_split_and_lower_case) {
  EXPECT_EQ(python_strip("\u00a0 \x1c a b\u2003\n"), "a b");
  EXPECT_EQ(python_strip(" \n "), "");
  EXPECT_EQ(python_split("\u3000a \u0085 b\u0085c\n"),
            (std::vector<std::string_view>{"a", "b", "c"}));
  EXPECT_EQ(python_lower("ÉCG İ ΑΣ Σ"), "écg i̇ ας σ");
  EXPECT_EQ(python_lower("LL 1"), "ll 1");
  EXPECT_EQ(to_utf8(code_points("a\xff"
                                "b")),
            "a\ufffdb");
}

TEST(PythonText, classes) {
  EXPECT_TRUE(is_python_word(U'½') && is_python_word(U'_') && is_python_word(U'一'));
  EXPECT_FALSE(is_python_word(0x301) || is_python_word(U'-'));
  EXPECT_TRUE(is_python_digit(U'²') && is_python_digit(U'٣'));
  EXPECT_FALSE(is_python_digit(U'½'));
  EXPECT_TRUE(is_python_upper(U'É') && is_python_lower(U'ª'));
}

TEST(RadgraphTokens, of_the_first_model) {
  EXPECT_EQ(radgraph_tokens("Heart size (normal)/mildly-enlarged: 2.5 cm; no?", RadGraphTokens::v1),
            (Words{"Heart", "size", "(", "normal", ")", "/", "mildly-enlarged", ":", "2", ".", "5",
                   "cm;", "no", "?"}));
  EXPECT_EQ(radgraph_tokens("", RadGraphTokens::v1), Words{"None"});
  EXPECT_EQ(radgraph_tokens(" \n", RadGraphTokens::v1), Words{"None"});
}

TEST(RadgraphTokens, of_the_xl_models) {
  EXPECT_EQ(radgraph_tokens("mid-lung (5%). It's\n\"stable\" 2.5%, e\u0301", RadGraphTokens::xl),
            (Words{"mid", "-",      "lung", "(", "5", "%", ")", ".", "It", "'",     "s",
                   "\"",  "stable", "\"",   "2", ".", "5", "%", ",", "e",  "\u0301"}));
  EXPECT_EQ(radgraph_tokens(R"(a\nb\f\u2122c\"d)", RadGraphTokens::xl),
            (Words{"a", "b", "c", "``", "d"}));
  EXPECT_EQ(radgraph_tokens("", RadGraphTokens::xl), Words{"None"});
}

}  // namespace
}  // namespace unirg::text
