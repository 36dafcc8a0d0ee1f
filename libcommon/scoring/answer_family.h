// Rewards for replies in the schema <think>...</think><answer>...</answer>: format, answer-label-f1
// and consistency, as metrics/answer.h defines them, with the rule labeler for the reference and
// the narrative. Depends on metrics, text.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "scoring/family.h"
#include "text/labeler.h"

namespace unirg::scoring {

/// The reference is a plain report. A reply without the schema gets 0 for all three.
class AnswerFamily : public Family {
 public:
  AnswerFamily(text::Labeler labeler, bool uncertain_is_positive);
  /// \throws what the lexicon file throws
  AnswerFamily(const std::filesystem::path& lexicon, bool uncertain_is_positive)
      : AnswerFamily(text::Labeler(lexicon), uncertain_is_positive) {}

  /// Of metrics(), without a lexicon.
  static std::vector<std::string> names() { return {"format", "answer-label-f1", "consistency"}; }
  [[nodiscard]] const std::vector<MetricInfo>& metrics() const override { return metrics_; }
  [[nodiscard]] std::vector<Scored> score(const TextGroup& group) const override;

 private:
  text::Labeler labeler_;
  bool uncertain_is_positive_;
  std::vector<MetricInfo> metrics_;
};

}  // namespace unirg::scoring
