// SPDX-License-Identifier: Apache-2.0
#include "rl/advantage.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace unirg::rl {
namespace {

struct Moments {
  double mean = 0, std = 0;
};

/// Equal values leave rounding noise in the mean: values without spread are called what they are.
Moments moments(const std::vector<double>& values) {
  Moments m;
  for (const double v : values) {
    if (!std::isfinite(v)) throw Error(Exit::data, "a reward is not finite");
    m.mean += v;
  }
  m.mean /= static_cast<double>(values.size());
  double squares = 0;
  for (const double v : values) squares += (v - m.mean) * (v - m.mean);
  if (values.size() > 1) m.std = std::sqrt(squares / static_cast<double>(values.size() - 1));
  if (m.std <= 1e-12 * (1.0 + std::abs(m.mean))) m.std = 0;
  return m;
}

/// (v - mean) / scale, zeros without spread.
std::vector<double> standardised(const std::vector<double>& values, const Moments& m,
                                 double scale) {
  std::vector<double> all;
  for (const double v : values) all.push_back(m.std == 0 ? 0.0 : (v - m.mean) / scale);
  return all;
}

/// Sum over terms of w_k z_k.
std::vector<double> summed_terms(const GroupRewards& group, double epsilon) {
  if (group.terms.empty())
    throw Error(Exit::data, "advantage 'gdpo' needs rewards with their terms");
  std::vector<double> sums(group.rewards.size());
  for (const RewardTerm& term : group.terms) {
    UNIRG_ASSERT(term.values.size() == sums.size(), "a term has a value for each sample");
    std::vector<double> there;
    for (const auto& value : term.values) {
      if (value) there.push_back(*value);
    }
    if (there.empty()) continue;
    const Moments m = moments(there);
    for (size_t i = 0; i < sums.size(); ++i) {
      const auto& value = term.values[i];
      if (value && m.std > 0) sums[i] += term.weight * (*value - m.mean) / (m.std + epsilon);
    }
  }
  return sums;
}

std::vector<double> all_rewards(const std::vector<GroupRewards>& groups) {
  std::vector<double> all;
  for (const GroupRewards& group : groups)
    all.insert(all.end(), group.rewards.begin(), group.rewards.end());
  return all;
}

std::vector<double> above_greedy(const GroupRewards& group) {
  if (!group.greedy)
    throw Error(Exit::data, "advantage 'greedy' needs the greedy reply's reward of every study");
  std::vector<double> all;
  for (const double r : group.rewards) all.push_back(r - *group.greedy);
  return all;
}

/// Of one group, where `batch` is the moments of all rewards.
std::vector<double> group_values(AdvantageKind kind, const GroupRewards& group, const Moments& own,
                                 const Moments& batch, double epsilon) {
  const auto samples = static_cast<double>(group.rewards.size());
  switch (kind) {
    case AdvantageKind::grpo:
      return standardised(group.rewards, own, own.std + epsilon);
    case AdvantageKind::dr_grpo:
      return standardised(group.rewards, own, 1);
    case AdvantageKind::batch:
      return standardised(group.rewards, own, batch.std + epsilon);
    case AdvantageKind::rloo:
      if (samples < 2) throw Error(Exit::data, "advantage 'rloo' needs two samples of a study");
      return standardised(group.rewards, own, (samples - 1) / samples);
    case AdvantageKind::greedy:
      return above_greedy(group);
    case AdvantageKind::gdpo:
      return summed_terms(group, epsilon);
  }
  UNIRG_ASSERT(false, "unknown advantage");
}

/// GDPO's second step: over the batch.
void standardise_batch(std::vector<GroupAdvantage>& groups, double epsilon) {
  std::vector<double> all;
  for (const GroupAdvantage& g : groups)
    all.insert(all.end(), g.advantages.begin(), g.advantages.end());
  const Moments m = moments(all);
  for (GroupAdvantage& g : groups) {
    if (g.learns()) g.advantages = standardised(g.advantages, m, m.std + epsilon);
  }
}

}  // namespace

AdvantageKind parse_advantage(const std::string& name) {
  static const std::vector<std::string> kNames{"grpo", "dr-grpo", "batch",
                                               "rloo", "greedy",  "gdpo"};
  const auto it = std::find(kNames.begin(), kNames.end(), name);
  if (it == kNames.end())
    throw Error(Exit::usage, fmt::format("bad value '{}' for 'advantage': expected grpo, dr-grpo, "
                                         "batch, rloo, greedy or gdpo",
                                         name));
  return static_cast<AdvantageKind>(it - kNames.begin());
}

bool GroupAdvantage::learns() const {
  return std::any_of(advantages.begin(), advantages.end(), [](double a) { return a != 0; });
}

std::vector<GroupAdvantage> advantages(AdvantageKind kind, const std::vector<GroupRewards>& groups,
                                       double epsilon) {
  const Moments batch = moments(all_rewards(groups));
  std::vector<GroupAdvantage> all;
  for (const GroupRewards& group : groups) {
    UNIRG_ASSERT(!group.rewards.empty(), "a group has samples");
    const Moments own = moments(group.rewards);
    all.push_back({group_values(kind, group, own, batch, epsilon), own.mean, own.std});
  }
  if (kind == AdvantageKind::gdpo) standardise_batch(all, epsilon);
  return all;
}

double overlong_penalty(double length, double limit, double buffer) {
  return std::clamp((limit - buffer - length) / buffer, -1.0, 0.0);
}

}  // namespace unirg::rl
