// SPDX-License-Identifier: Apache-2.0
#include "evaluation/rollout_cards.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/error.h"

namespace unirg::evaluation {
namespace {

using Key = std::pair<std::string, int64_t>;  // study, sample

std::map<Key, const data::Reward*> by_sample(const std::vector<data::Reward>& rewards) {
  std::map<Key, const data::Reward*> found;
  for (const data::Reward& reward : rewards) found[{reward.study_id, reward.sample}] = &reward;
  return found;
}

void set_advantages(std::vector<RolloutSample>& samples) {
  double sum = 0;
  for (const RolloutSample& sample : samples) sum += sample.reward;
  const double mean = sum / static_cast<double>(samples.size());
  for (RolloutSample& sample : samples) sample.advantage = sample.reward - mean;
}

}  // namespace

std::vector<size_t> evenly_spread(size_t size, int64_t limit) {
  const size_t count = limit == 0 ? size : std::min(size, static_cast<size_t>(limit));
  std::vector<size_t> places;
  for (size_t i = 0; i < count; ++i) places.push_back(i * size / count);
  return places;
}

std::vector<RolloutCard> join_samples(const std::vector<data::Generation>& rollouts,
                                      const std::vector<data::Reward>& rewards, int64_t limit) {
  auto left = by_sample(rewards);
  std::vector<RolloutCard> all;
  std::map<std::string, size_t> place;
  for (const data::Generation& g : rollouts) {
    const auto it = left.find({g.study_id, g.sample});
    if (it == left.end())
      throw Error(Exit::data, fmt::format("rollout of study '{}', sample {}, has no reward",
                                          g.study_id, g.sample));
    const auto [card, is_new] = place.emplace(g.study_id, all.size());
    if (is_new) all.emplace_back().study_id = g.study_id;
    all[card->second].samples.push_back({g.sample,
                                         g.text,
                                         g.finish,
                                         static_cast<int64_t>(g.tokens.size()),
                                         it->second->reward,
                                         0,
                                         it->second->components,
                                         {}});
    left.erase(it);
  }
  if (!left.empty())
    throw Error(Exit::data, fmt::format("reward of study '{}', sample {}, has no rollout",
                                        left.begin()->first.first, left.begin()->first.second));
  std::vector<RolloutCard> cards;
  for (const size_t k : evenly_spread(all.size(), limit)) {
    cards.push_back(std::move(all[k]));
    set_advantages(cards.back().samples);
    std::sort(cards.back().samples.begin(), cards.back().samples.end(),
              [](const RolloutSample& a, const RolloutSample& b) {
                return a.reward != b.reward ? a.reward > b.reward : a.sample < b.sample;
              });
  }
  return cards;
}

}  // namespace unirg::evaluation
