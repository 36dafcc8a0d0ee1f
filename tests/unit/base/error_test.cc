// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <gtest/gtest.h>

namespace unirg {
namespace {

TEST(NearestName, finds_a_misspelt_option) {
  EXPECT_EQ(nearest_name("temprature", {"top-p", "temperature", "seed"}), "temperature");
}
TEST(NearestName, counts_swapped_letters_as_one_slip) {
  EXPECT_EQ(nearest_name("hepl", {"html", "help"}), "help");
}
TEST(NearestName, is_silent_when_nothing_is_near) {
  EXPECT_EQ(nearest_name("zebra", {"temperature", "seed"}), "");
}
TEST(Assert, throws_a_logic_error_with_place) {
  try {
    UNIRG_ASSERT(1 == 2, "arithmetic");
    FAIL();
  } catch (const std::logic_error& e) {
    EXPECT_NE(std::string(e.what()).find("error_test.cc"), std::string::npos);
  }
}

}  // namespace
}  // namespace unirg
