// SPDX-License-Identifier: Apache-2.0
#include "rl/advantage.h"

#include <cmath>

#include "base/error.h"

namespace unirg::rl {

GroupAdvantage group_advantage(const std::vector<double>& rewards, double epsilon) {
  UNIRG_ASSERT(!rewards.empty(), "a group has samples");
  GroupAdvantage group;
  for (const double r : rewards) {
    if (!std::isfinite(r)) throw Error(Exit::data, "a reward is not finite");
    group.mean += r;
  }
  group.mean /= static_cast<double>(rewards.size());
  double squares = 0;
  for (const double r : rewards) squares += (r - group.mean) * (r - group.mean);
  if (rewards.size() > 1) group.std = std::sqrt(squares / static_cast<double>(rewards.size() - 1));
  // Equal rewards leave rounding noise in the mean: call a group without spread what it is.
  const bool equal = group.std <= 1e-12 * (1.0 + std::abs(group.mean));
  if (equal) group.std = 0;
  for (const double r : rewards)
    group.advantages.push_back(equal ? 0.0 : (r - group.mean) / (group.std + epsilon));
  return group;
}

}  // namespace unirg::rl
