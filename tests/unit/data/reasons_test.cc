// SPDX-License-Identifier: Apache-2.0
#include "data/reasons.h"

#include <gtest/gtest.h>

namespace unirg::data {
namespace {

TEST(WithoutQuoted, leaves_out_all_from_the_first_quote_to_the_last) {
  EXPECT_EQ(without_quoted("empty report: neither findings nor impression"),
            "empty report: neither findings nor impression");
  EXPECT_EQ(without_quoted("duplicate study id 's1'"), "duplicate study id '...'");
  EXPECT_EQ(without_quoted("missing image: no file 'a' x 'c/1.png', no file 'b'; the study keeps"),
            "missing image: no file '...'; the study keeps");
  EXPECT_EQ(without_quoted("no file 'O'Brien/1.png'; the study keeps"), "no file '...'")
      << "nobody knows which of three quotes closes";
  EXPECT_EQ(without_quoted("no file 'open"), "no file '...'");
}

TEST(WithoutQuoted, keeps_what_it_is_told_to) {
  EXPECT_EQ(without_quoted("cannot open 'in': no such folder", {"in"}),
            "cannot open 'in': no such folder");
  EXPECT_EQ(without_quoted("'in' has 'Doe' and 'in'", {"in", ""}), "'in' has '...' and 'in'");
  EXPECT_EQ(without_quoted("'in/Doe'", {"in"}), "'...'");
  EXPECT_EQ(without_quoted("'Doe' in 'in' of 'Roe'", {"in"}), "'...'");
}

TEST(CommonReason, takes_numbers_for_one) {
  EXPECT_EQ(common_reason("pixel data have 12 bytes, 4096 are needed"),
            "pixel data have N bytes, N are needed");
  EXPECT_EQ(common_reason("column T1 of 2: 'x7'"), "column T1 of N: '...'");
}

}  // namespace
}  // namespace unirg::data
