// SPDX-License-Identifier: Apache-2.0
#include "policy/study_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "base/error.h"
#include "base/rng.h"

namespace unirg::policy {

std::vector<const data::Study*> choose_studies(const data::StudySet& set, const StudyChoice& choice,
                                               uint64_t seed) {
  const std::vector<const data::Study*> all = set.of_splits(choice.splits);
  if (choice.prompts == 0) return all;
  if (all.empty()) throw Error(Exit::data, "no study to choose from");
  const auto n = static_cast<int64_t>(all.size());
  const int64_t count = choice.prompts;
  if (count > n)
    throw Error(
        Exit::data,
        fmt::format("{} studies asked for and {} are there (hint: a smaller --prompts)", count, n));
  const int64_t first = choice.round * count;
  const int64_t period = count / std::gcd(n, count);  // passes after which one begins with a round
  std::vector<const data::Study*> chosen;
  std::vector<int64_t> order(static_cast<size_t>(n));
  for (int64_t pass = first / n / period * period; static_cast<int64_t>(chosen.size()) < count;
       ++pass) {
    // Each pass over the studies has its own permutation. Those that the round in hand has shown
    // come last: none twice.
    std::vector<bool> shown(order.size());
    std::for_each(order.end() - pass * n % count, order.end(),
                  [&](int64_t i) { shown[static_cast<size_t>(i)] = true; });
    std::iota(order.begin(), order.end(), int64_t{0});
    Rng(seed, "prompt-order", {}, static_cast<uint64_t>(pass)).shuffle(order);
    std::stable_partition(order.begin(), order.end(),
                          [&](int64_t i) { return !shown[static_cast<size_t>(i)]; });
    for (int64_t k = std::max<int64_t>(0, first - pass * n);
         k < std::min(n, first + count - pass * n); ++k) {
      chosen.push_back(all[static_cast<size_t>(order[static_cast<size_t>(k)])]);
    }
  }
  return chosen;
}

namespace {

/// Smallest and largest reward of a study's samples.
struct Range {
  double least = 0, most = 0;
};

std::map<std::string, Range> ranges_of(const std::vector<data::Reward>& rewards) {
  std::map<std::string, Range> ranges;
  for (const data::Reward& r : rewards) {
    const auto [entry, is_new] = ranges.try_emplace(r.study_id, Range{r.reward, r.reward});
    Range& range = entry->second;
    range = {std::min(range.least, r.reward), std::max(range.most, r.reward)};
  }
  return ranges;
}

}  // namespace

std::vector<const data::Study*> replacements(const data::StudySet& set, const StudyChoice& choice,
                                             uint64_t seed,
                                             const std::vector<data::Reward>& rewards) {
  const std::map<std::string, Range> ranges = ranges_of(rewards);
  for (const data::Study* study : choose_studies(set, choice, seed)) {
    if (ranges.contains(study->study_id)) continue;
    throw Error(Exit::data, fmt::format("study '{}' of the round has no reward (hint: --instead-of "
                                        "the rewards of this round: same --prompts, --round, "
                                        "--split and --seed)",
                                        study->study_id));
  }
  const auto spread = std::count_if(ranges.begin(), ranges.end(), [](const auto& entry) {
    return entry.second.most > entry.second.least;
  });
  std::vector<const data::Study*> others = set.of_splits(choice.splits);
  std::erase_if(others, [&](const data::Study* s) { return ranges.contains(s->study_id); });
  Rng(seed, "replacement-order", {}, static_cast<uint64_t>(choice.round)).shuffle(others);
  const auto wanted = static_cast<size_t>(std::max<int64_t>(0, choice.prompts - spread));
  others.resize(std::min(others.size(), wanted));
  return others;
}

}  // namespace unirg::policy
