// Which studies a round of rollouts is drawn for. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/records.h"
#include "data/study_loader.h"

namespace unirg::policy {

/// Which studies are decoded.
struct StudyChoice {
  std::vector<std::string> splits;  ///< empty: all
  int64_t prompts = 0;              ///< take this many, in a seeded order; 0: all, in file order
  int64_t round = 0;  ///< which `prompts` of that order: round k goes on where k - 1 ended, a new
                      ///< order each pass
};
/// Each study once a pass, none twice in a round. \throws Error(Exit::data) if there are fewer
/// studies than `prompts`
std::vector<const data::Study*> choose_studies(const data::StudySet& set, const StudyChoice& choice,
                                               uint64_t seed);

/// Other studies in the place of those that teach nothing because all their samples have the same
/// reward (dynamic sampling, DAPO, arXiv:2503.14476, section 3.2): as many as the round lacks of
/// `prompts` studies with a spread, in a seeded order of the round's own, none that has rewards
/// already. Fewer, or none, where the split has no more.
/// \param rewards of what was drawn for the round so far, replacements included
/// \throws Error(Exit::data) if a study of the round has no reward, or without `prompts`
std::vector<const data::Study*> replacements(const data::StudySet& set, const StudyChoice& choice,
                                             uint64_t seed,
                                             const std::vector<data::Reward>& rewards);

}  // namespace unirg::policy
