// Group-relative advantages. Pure numbers; no tensors.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace unirg::rl {

struct GroupAdvantage {
  std::vector<double> advantages;  ///< one per sample, unitless
  double mean = 0;                 ///< of the group's rewards
  double std = 0;                  ///< sample standard deviation (n - 1); 0 for a group of one
};

/// GRPO: (r - mean) / (std + epsilon) over the samples of one study, sample standard deviation as
/// every published trainer takes it. A group of equal rewards gets zeros. \throws Error(Exit::data)
/// if a reward is not finite \see Shao et al. 2024, arXiv:2402.03300, section 4.1
GroupAdvantage group_advantage(const std::vector<double>& rewards, double epsilon = 1e-4);

}  // namespace unirg::rl
