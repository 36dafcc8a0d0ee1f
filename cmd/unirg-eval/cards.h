// Studies and rollouts of the report page out of the files that the options name.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "evaluation/rollout_cards.h"
#include "evaluation/scores.h"
#include "evaluation/study_cards.h"
#include "io/run_record.h"
#include "pictures.h"
#include "text/labeler.h"

namespace unirg {

using StudySets = std::map<std::string, std::unique_ptr<data::StudySet>>;  ///< by seed tag

/// "TAG=FILE", or "FILE" for the tag "".
StudySets load_studies(const std::vector<std::string>& values, io::RunRecord& record);

/// What every card is made with.
struct CardMaker {
  const StudySets& sets;
  const text::Labeler& labeler;
  Pictures& pictures;
  int64_t limit = 0;  ///< cards of a split, of a round; 0: all

  /// \throws Error(Exit::data) if a tag has study records and a study is not among them
  std::vector<evaluation::StudyCard> studies(const std::vector<evaluation::Score>& scores) const;
  /// \param value "[TAG[:NAME]=]ROLLOUTS:REWARDS"
  evaluation::RolloutSet rollouts(const std::string& value, io::RunRecord& record) const;

 private:
  [[nodiscard]] std::vector<evaluation::Mark> marks(const std::string& text) const;
  [[nodiscard]] evaluation::StudyCard card(const evaluation::Score& score) const;
  void describe(evaluation::RolloutCard& card, const std::string& tag) const;
};

}  // namespace unirg
