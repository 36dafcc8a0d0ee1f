// Replies in the schema "reason, then summarise" (Zhao et al. 2026, arXiv:2601.03321; only its
// abstract was read, the definitions here are ours): a narrative in <think>...</think>, then the
// labels in <answer>...</answer>. Parser and the three reward terms over it. Pure; uses text.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "metrics/label_f1.h"
#include "text/labeler.h"

namespace unirg::metrics {

/// The two parts, without their tags; views into the reply.
struct ThinkAnswer {
  std::string_view think, answer;
};

/// nullopt unless the reply has the schema: each of the four tags exactly once (lower case, no
/// attributes), in the order <think> </think> <answer> </answer>, and nothing but white space
/// before, between and behind the two elements. The parts may be empty.
std::optional<ThinkAnswer> parse_think_answer(std::string_view reply);

/// `format`: 1 for a reply with the schema, else 0.
double answer_format(std::string_view reply);

/// The labels an <answer> lists.
struct AnswerLabels {
  /// 1 present, 0 absent, -1 uncertain, nullopt not listed; No Finding as listed
  text::Labels labels{};
  int64_t items = 0;       ///< items read, unreadable ones included
  int64_t unreadable = 0;  ///< unknown condition or value, or a condition listed with two values
};

/// Items stand on lines of their own or are separated by ',' or ';'; a list mark before one
/// ("-", "*", "2.", "2)") and a full stop behind it are skipped, empty items too. An item is
/// "Condition: present", "Condition: absent" or "Condition: uncertain", or a bare "Condition",
/// which is present. Conditions are text::kConditions, in any case, blanks as one. A condition
/// repeated with the same value counts once; with another value, the repetition is unreadable.
AnswerLabels parse_answer(std::string_view answer);

/// What an answer calls: present conditions, uncertain ones too when `uncertain_is_positive`. No
/// Finding, where it is not listed, is called if at least one item can be read and no other
/// condition but Support Devices is present or uncertain (the rule of text::labels_of).
ConditionSet called_conditions(const AnswerLabels& answer, bool uncertain_is_positive);

/// `answer-label-f1`: F1 (2 tp / (2 tp + fp + fn)) of the conditions the answer calls against those
/// of the reference, each unreadable item one more fp; 1 if neither side has any. 0 for an answer
/// without a readable item: silence is no statement of health.
double answer_label_f1(const AnswerLabels& answer, const ConditionSet& reference,
                       bool uncertain_is_positive);

/// `consistency`: the same F1 between the answer and what the labeler reads in the narrative. The
/// scale is that of agreement: 1 if both call the same conditions, 0 if none in common.
double answer_consistency(const AnswerLabels& answer, const text::Labels& narrative,
                          bool uncertain_is_positive);

}  // namespace unirg::metrics
