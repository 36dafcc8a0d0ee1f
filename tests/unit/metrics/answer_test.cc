// The schema <think>...</think><answer>...</answer> and its three reward terms.
// SPDX-License-Identifier: Apache-2.0
#include "metrics/answer.h"

#include <gtest/gtest.h>

namespace unirg::metrics {
namespace {

constexpr size_t kCardiomegaly = 1;
constexpr size_t kEdema = 4;
constexpr size_t kEffusion = 9;
constexpr size_t kDevices = 12;

ConditionSet set_of(std::initializer_list<size_t> conditions) {
  ConditionSet set{};
  for (const size_t c : conditions) set[c] = true;
  return set;
}

TEST(ThinkAnswer, wants_both_parts_once_in_order_and_nothing_else) {
  const auto parts = parse_think_answer("\n<think>The heart is big.</think>\n <answer>a</answer> ");
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->think, "The heart is big.");
  EXPECT_EQ(parts->answer, "a");
  EXPECT_EQ(answer_format("<think></think><answer></answer>"), 1);
  for (const char* reply :
       {"", "<think>a</think>", "<answer>b</answer>", "<answer>b</answer><think>a</think>",
        "<think>a</think><answer>b</answer> so", "well <think>a</think><answer>b</answer>",
        "<think>a</think> x <answer>b</answer>", "<think>a<think>b</think><answer>c</answer>",
        "<think>a</think><answer>b</answer><answer>c</answer>",
        "<think>a<answer>b</answer></think>", "<THINK>a</THINK><ANSWER>b</ANSWER>",
        "</think>a<think><answer>b</answer>", "<think>a</think><answer>b"})
    EXPECT_EQ(answer_format(reply), 0) << reply;
}

TEST(Answer, reads_lines_and_comma_lists_alike) {
  for (const char* answer :
       {"Cardiomegaly: present\nEdema: absent\nPleural Effusion: uncertain",
        "- cardiomegaly: Present.\r\n2) EDEMA:absent\n\n* pleural   effusion : uncertain\n",
        "Cardiomegaly, Edema: absent; Pleural Effusion: uncertain",
        "3. Cardiomegaly,edema: "
        "absent,,pleural effusion: uncertain, Cardiomegaly: present"}) {
    const AnswerLabels read = parse_answer(answer);
    EXPECT_EQ(read.labels[kCardiomegaly], 1) << answer;
    EXPECT_EQ(read.labels[kEdema], 0) << answer;
    EXPECT_EQ(read.labels[kEffusion], -1) << answer;
    EXPECT_EQ(read.unreadable, 0) << answer;
    EXPECT_EQ(called_conditions(read, false), set_of({kCardiomegaly})) << answer;
    EXPECT_EQ(called_conditions(read, true), set_of({kCardiomegaly, kEffusion})) << answer;
  }
}

TEST(Answer, counts_what_it_cannot_read) {
  const AnswerLabels read =
      parse_answer("Cardiomegly: present, Edema: maybe, Edema: absent, Edema: present");
  EXPECT_EQ(read.items, 4);
  EXPECT_EQ(read.unreadable, 3);
  EXPECT_EQ(read.labels[kEdema], 0);
}

TEST(Answer, no_finding_follows_unless_it_is_listed) {
  const auto calls = [](const char* answer) {
    return called_conditions(parse_answer(answer), false);
  };
  EXPECT_EQ(calls("Edema: absent"), set_of({text::kNoFinding}));
  EXPECT_EQ(calls("Support Devices"), set_of({kDevices, text::kNoFinding}));
  EXPECT_EQ(calls("Edema: uncertain"), set_of({}));
  EXPECT_EQ(calls("No Finding"), set_of({text::kNoFinding}));
  EXPECT_EQ(calls("No Finding: absent"), set_of({}));
  EXPECT_EQ(calls(""), set_of({}));
  EXPECT_EQ(calls("nothing at all"), set_of({}));
}

TEST(AnswerLabelF1, is_worked_by_hand) {
  const ConditionSet reference = set_of({kCardiomegaly, kEffusion});
  const auto f1 = [&](const char* answer) {
    return answer_label_f1(parse_answer(answer), reference, false);
  };
  EXPECT_DOUBLE_EQ(f1("Cardiomegaly, Pleural Effusion"), 1);
  EXPECT_DOUBLE_EQ(f1("Cardiomegaly, Edema"), 0.5);                // tp 1, fp 1, fn 1
  EXPECT_DOUBLE_EQ(f1("Cardiomegaly, Pleural Effusion, x"), 0.8);  // tp 2, fp 1
  EXPECT_DOUBLE_EQ(f1("x"), 0);
  EXPECT_DOUBLE_EQ(f1(""), 0);
  const ConditionSet nothing{};
  EXPECT_DOUBLE_EQ(answer_label_f1(parse_answer("No Finding: absent"), nothing, false), 1);
  EXPECT_DOUBLE_EQ(answer_label_f1(parse_answer(""), nothing, false), 0);
}

TEST(AnswerConsistency, compares_the_answer_with_the_narrative) {
  text::Labels narrative{};
  narrative[kCardiomegaly] = 1;
  narrative[kEffusion] = -1;
  narrative[text::kNoFinding] = 0;
  const AnswerLabels answer = parse_answer("Cardiomegaly: present, Pleural Effusion: present");
  EXPECT_DOUBLE_EQ(answer_consistency(answer, narrative, true), 1);
  EXPECT_DOUBLE_EQ(answer_consistency(answer, narrative, false), 2.0 / 3);
}

}  // namespace
}  // namespace unirg::metrics
