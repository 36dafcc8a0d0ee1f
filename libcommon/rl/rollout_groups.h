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
  GroupRewards rewards;
  GroupAdvantage advantage;
  std::vector<bool> trained;  ///< which samples are; the others only count in the advantages
};

/// How rewards become advantages, and what is trained on.
struct GroupOptions {
  AdvantageKind advantage = AdvantageKind::grpo;
  double epsilon = 1e-4;      ///< beside a standard deviation
  double reward_clip = 0;     ///< rewards are kept within +- this; 0: as they are
  double overlong_limit = 0;  ///< tokens; overlong_penalty() is added to rewards. 0: none
  double overlong_buffer = 0;
  bool drop_unfinished = false;    ///< samples that were cut off are not trained on
  bool drop_equal_groups = false;  ///< nor groups without an advantage (they would still count
                                   ///< among the tokens that losses are averaged over)
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
  int64_t zero_variance_groups = 0;       ///< groups that pull nowhere
  int64_t untrained = 0;                  ///< samples
};

/// \param policy_digest every rollout must name it
/// \param greedy rewards of greedy replies, one a study; for AdvantageKind::greedy
/// \throws Error(Exit::data) naming study and sample: a rollout without reward or the reverse,
/// another policy's rollout, an empty reply; and what advantages() throws
RolloutBatch join_rollouts(std::vector<data::Generation> rollouts,
                           const std::vector<data::Reward>& rewards,
                           const std::string& policy_digest, const GroupOptions& options,
                           const std::vector<data::Reward>& greedy = {});

/// Works the advantages out (again) from the groups' rewards, and which samples are trained.
/// \throws what advantages() throws
void set_advantages(RolloutBatch& batch, const GroupOptions& options);

/// \throws Error(Exit::data) saying which, if the policy has collapsed: no study's samples differ
/// in reward, or every sample was cut off at the length limit
void check_collapse(const RolloutBatch& batch);

}  // namespace unirg::rl
