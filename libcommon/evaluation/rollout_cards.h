// Rollouts with their rewards, as the report page shows them: the samples of a study, best first.
// Depends on data (records), marks.h. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/records.h"
#include "evaluation/marks.h"

namespace unirg::evaluation {

struct RolloutSample {
  int64_t sample = 0;
  std::string text;
  std::string finish;  ///< "stop" or "length"
  int64_t tokens = 0;
  double reward = 0;
  double advantage = 0;  ///< reward less the mean of the study's samples
  std::vector<std::pair<std::string, std::optional<double>>> components;
  std::vector<Mark> marks;
};

struct RolloutCard {
  std::string study_id, split, indication;
  std::string reference;  ///< report text, "" without study records
  std::vector<Mark> marks;
  int64_t image = -1;                  ///< index into ReportPage::images; -1: none
  std::vector<RolloutSample> samples;  ///< highest reward first, then by sample
};

/// The rollouts of one round.
struct RolloutSet {
  std::string name;
  std::vector<RolloutCard> cards;
};

/// Joins rollouts and rewards by (study, sample); studies in order of first appearance. Marks,
/// reference and image are left for the caller. \param limit studies kept, evenly spread; 0: all
/// \throws Error(Exit::data) naming study and sample: a rollout without reward or the reverse
std::vector<RolloutCard> join_samples(const std::vector<data::Generation>& rollouts,
                                      const std::vector<data::Reward>& rewards, int64_t limit);

/// Places 0..size-1 that are kept when `limit` of them are, evenly spread; limit 0: all.
std::vector<size_t> evenly_spread(size_t size, int64_t limit);

}  // namespace unirg::evaluation
