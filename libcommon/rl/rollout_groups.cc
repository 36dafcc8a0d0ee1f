// SPDX-License-Identifier: Apache-2.0
#include "rl/rollout_groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "base/error.h"

namespace unirg::rl {
namespace {

std::string key_of(const std::string& study, int64_t sample) {
  return fmt::format("{} sample {}", study, sample);
}

Spread spread_of(const std::vector<double>& values) {
  Spread s;
  for (const double v : values) s.mean += v / static_cast<double>(values.size());
  for (const double v : values)
    s.std += (v - s.mean) * (v - s.mean) / static_cast<double>(values.size());
  s.std = std::sqrt(s.std);
  return s;
}

void check_rollout(const data::Generation& rollout, const std::string& policy_digest) {
  const std::string name = key_of(rollout.study_id, rollout.sample);
  if (rollout.policy != policy_digest) {
    throw Error(Exit::data,
                fmt::format("rollout '{}' was drawn by policy {}, not by the one given, {} (hint: "
                            "draw new rollouts after each update)",
                            name, rollout.policy.substr(0, 12), policy_digest.substr(0, 12)));
  }
  if (rollout.tokens.empty())
    throw Error(Exit::data, fmt::format("rollout '{}' has no tokens", name));
}

double identical_samples(const RolloutGroup& group) {
  std::map<std::string, int64_t> texts;
  for (const data::Generation& g : group.samples) ++texts[g.text];
  double shared = 0;
  for (const auto& [text, count] : texts) shared += count > 1 ? static_cast<double>(count) : 0;
  return shared;
}

}  // namespace

RolloutBatch join_rollouts(std::vector<data::Generation> rollouts,
                           const std::vector<data::Reward>& rewards,
                           const std::string& policy_digest, double epsilon) {
  if (rollouts.empty()) throw Error(Exit::data, "no rollouts");
  std::unordered_map<std::string, const data::Reward*> by_key;
  for (const data::Reward& r : rewards) by_key.emplace(key_of(r.study_id, r.sample), &r);
  RolloutBatch batch;
  std::unordered_map<std::string, size_t> group_of;
  std::vector<std::vector<double>> group_rewards;
  std::map<std::string, std::vector<double>> numbers;
  const auto count = static_cast<double>(rollouts.size());
  for (data::Generation& rollout : rollouts) {
    check_rollout(rollout, policy_digest);
    const auto found = by_key.extract(key_of(rollout.study_id, rollout.sample));
    if (found.empty())
      throw Error(Exit::data, fmt::format("rollout '{}' has no reward",
                                          key_of(rollout.study_id, rollout.sample)));
    const data::Reward& reward = *found.mapped();
    const auto [it, is_new] = group_of.emplace(rollout.study_id, batch.groups.size());
    if (is_new) {
      batch.groups.push_back({rollout.study_id, {}, {}});
      group_rewards.emplace_back();
    }
    group_rewards[it->second].push_back(reward.reward);
    numbers["reward"].push_back(reward.reward);
    for (const auto& [name, value] : reward.components) {
      if (value) numbers[name].push_back(*value);
    }
    batch.mean_length += static_cast<double>(rollout.tokens.size()) / count;
    batch.stopped_share += rollout.finish == "stop" ? 1 / count : 0;
    batch.groups[it->second].samples.push_back(std::move(rollout));
  }
  if (!by_key.empty())
    throw Error(Exit::data, fmt::format("{} rewards have no rollout, e.g. '{}'", by_key.size(),
                                        by_key.begin()->first));
  for (size_t i = 0; i < batch.groups.size(); ++i) {
    batch.groups[i].advantage = group_advantage(group_rewards[i], epsilon);
    batch.zero_variance_groups += batch.groups[i].advantage.std == 0;
    batch.identical_share += identical_samples(batch.groups[i]) / count;
  }
  for (const auto& [name, values] : numbers) batch.rewards[name] = spread_of(values);
  return batch;
}

}  // namespace unirg::rl
