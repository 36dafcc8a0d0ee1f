// SPDX-License-Identifier: Apache-2.0
#include "evaluation/marks.h"

#include <gtest/gtest.h>

namespace unirg::evaluation {
namespace {

constexpr int kEdema = 4 * 4, kEffusion = 4 * 9;  // places in text::kConditions

text::Entity entity(size_t condition, text::Presence presence, text::Span span,
                    bool implied = false) {
  text::Entity e;
  e.condition = condition;
  e.presence = presence;
  e.span = span;
  e.implied = implied;
  return e;
}

TEST(Marks, tell_place_and_statement_of_every_phrase_in_order) {
  text::Reading reading;
  reading.entities = {entity(9, text::Presence::positive, {10, 18}),
                      entity(4, text::Presence::negative, {0, 5}),
                      entity(4, text::Presence::uncertain, {20, 25})};
  const std::vector<Mark> expected{
      {0, 5, {kEdema + 1}}, {10, 18, {kEffusion + 3}}, {20, 25, {kEdema + 2}}};
  EXPECT_EQ(mark_statements("edema     effusion  edema", reading), expected);
}

TEST(Marks, join_what_one_phrase_says_and_tell_what_is_only_implied) {
  text::Reading reading;
  reading.entities = {entity(9, text::Presence::negative, {0, 5}, true),
                      entity(4, text::Presence::negative, {0, 5})};
  EXPECT_EQ(mark_statements("clear", reading),
            (std::vector<Mark>{{0, 5, {kEdema + 1, kEffusion}}}));
}

TEST(Marks, cut_phrases_that_overlap_at_their_ends) {
  text::Reading reading;
  reading.entities = {entity(4, text::Presence::positive, {0, 6}),
                      entity(9, text::Presence::positive, {4, 9})};
  const std::vector<Mark> expected{
      {0, 4, {kEdema + 3}}, {4, 6, {kEdema + 3, kEffusion + 3}}, {6, 9, {kEffusion + 3}}};
  EXPECT_EQ(mark_statements("abcdefghi", reading), expected);
}

TEST(Marks, count_utf16_units_as_the_page_does) {
  text::Reading reading;
  reading.entities = {entity(4, text::Presence::positive, {7, 12})};
  // two bytes, one unit; four bytes, two units; a space
  EXPECT_EQ(mark_statements("\u00e9\U0001F600 edema", reading),
            (std::vector<Mark>{{4, 9, {kEdema + 3}}}));
}

TEST(Marks, are_none_without_statements) { EXPECT_TRUE(mark_statements("hello", {}).empty()); }

}  // namespace
}  // namespace unirg::evaluation
