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

/// Rewards by rollout, each to be taken once.
class RewardTable {
 public:
  explicit RewardTable(const std::vector<data::Reward>& rewards) {
    for (const data::Reward& r : rewards) by_key_.emplace(key_of(r.study_id, r.sample), &r);
  }
  const data::Reward& take(const data::Generation& rollout) {
    const std::string key = key_of(rollout.study_id, rollout.sample);
    const auto found = by_key_.extract(key);
    if (found.empty()) throw Error(Exit::data, fmt::format("rollout '{}' has no reward", key));
    return *found.mapped();
  }
  void check_all_taken() const {
    if (!by_key_.empty())
      throw Error(Exit::data, fmt::format("{} rewards have no rollout, e.g. '{}'", by_key_.size(),
                                          by_key_.begin()->first));
  }

 private:
  std::unordered_map<std::string, const data::Reward*> by_key_;
};

double kept_reward(const data::Reward& reward, const data::Generation& rollout,
                   const GroupOptions& o) {
  double value = reward.reward;
  if (o.overlong_limit > 0)
    value += overlong_penalty(static_cast<double>(rollout.tokens.size()), o.overlong_limit,
                              o.overlong_buffer);
  return o.reward_clip > 0 ? std::clamp(value, -o.reward_clip, o.reward_clip) : value;
}

/// Adds a sample's terms to its group's; all samples have those of the first.
void add_terms(const data::Reward& reward, GroupRewards& group) {
  const auto& values = reward.terms.empty() ? reward.components : reward.terms;
  group.terms.resize(reward.weights.size());
  for (size_t k = 0; k < reward.weights.size(); ++k) {
    const auto& [metric, weight] = reward.weights[k];
    const auto value = std::find_if(values.begin(), values.end(),
                                    [&](const auto& v) { return v.first == metric; });
    if (value == values.end() || group.terms[k].values.size() + 1 != group.rewards.size())
      throw Error(Exit::data,
                  fmt::format("reward of '{}' has other terms than the first of its study",
                              key_of(reward.study_id, reward.sample)));
    group.terms[k].weight = weight;
    group.terms[k].values.push_back(value->second);
  }
}

/// Numbers over all samples.
void describe(RolloutBatch& batch) {
  double count = 0;
  for (const RolloutGroup& group : batch.groups) count += static_cast<double>(group.samples.size());
  for (const RolloutGroup& group : batch.groups) {
    for (const data::Generation& sample : group.samples) {
      batch.mean_length += static_cast<double>(sample.tokens.size()) / count;
      batch.stopped_share += sample.finish == "stop" ? 1 / count : 0;
    }
    batch.identical_share += identical_samples(group) / count;
  }
}

}  // namespace

RolloutBatch join_rollouts(std::vector<data::Generation> rollouts,
                           const std::vector<data::Reward>& rewards,
                           const std::string& policy_digest, const GroupOptions& options,
                           const std::vector<data::Reward>& greedy) {
  if (rollouts.empty()) throw Error(Exit::data, "no rollouts");
  RewardTable table(rewards);
  RolloutBatch batch;
  std::map<std::string, std::vector<double>> numbers;
  std::unordered_map<std::string, size_t> group_of;
  for (data::Generation& rollout : rollouts) {
    check_rollout(rollout, policy_digest);
    const data::Reward& reward = table.take(rollout);
    const auto [it, is_new] = group_of.emplace(rollout.study_id, batch.groups.size());
    if (is_new) batch.groups.push_back({rollout.study_id, {}, {}, {}, {}});
    GroupRewards& group = batch.groups[it->second].rewards;
    group.rewards.push_back(kept_reward(reward, rollout, options));
    if (options.advantage == AdvantageKind::gdpo) add_terms(reward, group);
    numbers["reward"].push_back(group.rewards.back());
    for (const auto& [name, value] : reward.components) {
      if (value) numbers[name].push_back(*value);
    }
    batch.groups[it->second].samples.push_back(std::move(rollout));
  }
  table.check_all_taken();
  for (const data::Reward& r : greedy) {
    const auto group = group_of.find(r.study_id);
    if (group != group_of.end()) batch.groups[group->second].rewards.greedy = r.reward;
  }
  set_advantages(batch, options);
  describe(batch);
  for (const auto& [name, values] : numbers) batch.rewards[name] = spread_of(values);
  return batch;
}

void set_advantages(RolloutBatch& batch, const GroupOptions& o) {
  std::vector<GroupRewards> rewards;
  for (const RolloutGroup& group : batch.groups) rewards.push_back(group.rewards);
  std::vector<GroupAdvantage> all = advantages(o.advantage, rewards, o.epsilon);
  batch.zero_variance_groups = batch.untrained = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    RolloutGroup& group = batch.groups[i];
    group.advantage = std::move(all[i]);
    group.trained.clear();
    const bool learns = group.advantage.learns();
    batch.zero_variance_groups += !learns;
    for (const data::Generation& sample : group.samples) {
      const bool dropped =
          (o.drop_equal_groups && !learns) || (o.drop_unfinished && sample.finish == "length");
      group.trained.push_back(!dropped);
      batch.untrained += dropped;
    }
  }
}

void check_collapse(const RolloutBatch& batch) {
  constexpr const char* kHint = "(hint: --on-collapse go-on trains on it all the same)";
  if (batch.zero_variance_groups == static_cast<int64_t>(batch.groups.size()))
    throw Error(Exit::data,
                fmt::format("collapsed: the reports of every study have equal rewards, so none is "
                            "better than another {}",
                            kHint));
  if (batch.stopped_share == 0)
    throw Error(Exit::data,
                fmt::format("collapsed: every report was cut off at the length limit {}", kHint));
}

}  // namespace unirg::rl
