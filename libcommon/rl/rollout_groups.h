// Rollouts joined with their rewards: the prompt groups an update trains on. Pure records, no
// tensors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "data/records.h"
#include "rl/advantage.h"

namespace unirg::rl {

/// The samples of one study, in file order.
struct RolloutGroup {
  std::string study_id;
  std::vector<data::Generation> samples;
  GroupAdvantage advantage;
};

/// Spread of one number over all samples.
struct Spread {
  double mean = 0;
  double std = 0;  ///< population standard deviation
};

struct RolloutBatch {
  std::vector<RolloutGroup> groups;       ///< in order of first appearance
  std::map<std::string, Spread> rewards;  ///< "reward" and every component, where it has values
  double mean_length = 0;                 ///< tokens a sample
  double stopped_share = 0;               ///< samples that ended by an end token
  double identical_share = 0;             ///< samples whose text another of the group has too
  int64_t zero_variance_groups = 0;
};

/// \param policy_digest every rollout must name it
/// \throws Error(Exit::data) naming study and sample: a rollout without reward or the reverse,
/// another policy's rollout,
///         an empty reply
RolloutBatch join_rollouts(std::vector<data::Generation> rollouts,
                           const std::vector<data::Reward>& rewards,
                           const std::string& policy_digest, double epsilon);

}  // namespace unirg::rl
