// The metrics of the rule labeler: label-f1, entity-f1, entity-only-f1, relation-f1, errors. Values
// are those of metrics/label_f1.h and metrics/entity_f1.h over text/labeler.h; the signatures carry
// the lexicon's version and the first 12 hex digits of its SHA-256. Depends on metrics, text.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "scoring/family.h"
#include "text/labeler.h"

namespace unirg::scoring {

/// "VERSION@DIGEST", digest cut to 12 digits: which words a labeler knows, for signatures.
std::string lexicon_tag(const text::Labeler& labeler);

/// What micro-f1 and macro-f1 of evaluation are made of stands in score records as conditions.
class RuleFamily : public Family {
 public:
  /// \param uncertain_is_positive whether an uncertain mention counts as called in label-f1 and in
  /// the sums; entity metrics keep uncertain apart whatever it is
  RuleFamily(text::Labeler labeler, bool uncertain_is_positive);
  /// \throws what the lexicon file throws
  RuleFamily(const std::filesystem::path& lexicon, bool uncertain_is_positive)
      : RuleFamily(text::Labeler(lexicon), uncertain_is_positive) {}

  /// Of metrics(), without a lexicon.
  static std::vector<std::string> names() {
    return {"label-f1", "entity-f1", "entity-only-f1", "relation-f1", "errors"};
  }
  [[nodiscard]] const std::vector<MetricInfo>& metrics() const override { return metrics_; }
  [[nodiscard]] std::vector<Scored> score(const TextGroup& group) const override;

 private:
  text::Labeler labeler_;
  bool uncertain_is_positive_;
  std::vector<MetricInfo> metrics_;
};

}  // namespace unirg::scoring
