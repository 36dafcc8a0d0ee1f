// SPDX-License-Identifier: Apache-2.0
#include "scoring/answer_family.h"

#include <fmt/format.h>

#include <utility>

#include "metrics/answer.h"
#include "scoring/rule_family.h"

namespace unirg::scoring {

AnswerFamily::AnswerFamily(text::Labeler labeler, bool uncertain_is_positive)
    : labeler_(std::move(labeler)), uncertain_is_positive_(uncertain_is_positive) {
  const std::string with = fmt::format("|lexicon:{}|uncertain:{}|v1", lexicon_tag(labeler_),
                                       uncertain_is_positive ? "positive" : "negative");
  const std::string source = "arXiv:2601.03321 (the idea); definitions of metrics/answer.h";
  metrics_ = {
      {"format", "format:think-answer|v1", "1 if the reply is <think>, then <answer>",
       Better::higher, 3, "0 or 1", "", source},
      {"answer-label-f1", "answer-label-f1:rule|14|per-report" + with,
       "F1 of the answer's labels against the reference's", Better::higher, 3, "0..1", "", source},
      {"consistency", "consistency:rule|14|f1(answer,labeler(think))" + with,
       "agreement of the narrative with the answer", Better::higher, 3, "0..1", "", source}};
}

std::vector<Scored> AnswerFamily::score(const TextGroup& group) const {
  const metrics::ConditionSet reference =
      metrics::called_conditions(labeler_.read(group.reference).labels, uncertain_is_positive_);
  std::vector<Scored> all;
  all.reserve(group.hypotheses.size());
  for (const std::string& reply : group.replies.empty() ? group.hypotheses : group.replies) {
    Scored scored;
    scored.values = {0.0, 0.0, 0.0};
    if (const auto parts = metrics::parse_think_answer(reply)) {
      const metrics::AnswerLabels answer = metrics::parse_answer(parts->answer);
      const text::Labels narrative = labeler_.read(parts->think).labels;
      scored.values = {1.0, metrics::answer_label_f1(answer, reference, uncertain_is_positive_),
                       metrics::answer_consistency(answer, narrative, uncertain_is_positive_)};
    }
    all.push_back(std::move(scored));
  }
  return all;
}

}  // namespace unirg::scoring
