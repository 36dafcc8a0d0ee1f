// Advantages of rollouts out of their rewards. Pure numbers; no tensors.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace unirg::rl {

/// R reward, G samples of a study, means and standard deviations over its group unless said
/// otherwise; all standard deviations are sample ones (n - 1), as every published trainer has them.
enum class AdvantageKind {
  grpo,     ///< (R - mean) / (std + epsilon) (arXiv:2402.03300, section 4.1)
  dr_grpo,  ///< R - mean (arXiv:2503.20783)
  batch,    ///< (R - mean) / (std over the batch + epsilon) (arXiv:2508.08221)
  rloo,     ///< R - mean of the others' R = G / (G - 1) (R - mean) (arXiv:2402.14740)
  greedy,   ///< R - R of the greedy reply: self-critical training (arXiv:1612.00563), ReMax
  gdpo,     ///< S = sum over terms k of w_k (r_k - mean) / (std + epsilon), then
            ///< (S - mean over the batch) / (std over the batch + epsilon) (NVlabs/GDPO; TRL)
};
/// \throws Error(Exit::usage) for another name than grpo, dr-grpo, batch, rloo, greedy, gdpo
AdvantageKind parse_advantage(const std::string& name);

/// A term of a composed reward, of each sample.
struct RewardTerm {
  double weight = 0;
  std::vector<std::optional<double>> values;  ///< none: the sample's score of this term is 0
};

/// What one study's samples got.
struct GroupRewards {
  std::vector<double> rewards;         ///< of each sample, at least one
  std::optional<double> greedy = {};   ///< of the greedy reply; for AdvantageKind::greedy
  std::vector<RewardTerm> terms = {};  ///< for AdvantageKind::gdpo
};

struct GroupAdvantage {
  std::vector<double> advantages;  ///< one per sample, unitless
  double mean = 0;                 ///< of the group's rewards
  double std = 0;                  ///< sample standard deviation; 0 for a group of one

  /// Whether any sample pulls the policy.
  [[nodiscard]] bool learns() const;
};

/// Of every group of a batch. A group of equal rewards (for gdpo: equal terms) gets zeros, whatever
/// rounding says. \throws Error(Exit::data) if a reward or term is not finite, rloo meets a group
/// of one, greedy lacks a baseline, or gdpo lacks terms
std::vector<GroupAdvantage> advantages(AdvantageKind kind, const std::vector<GroupRewards>& groups,
                                       double epsilon = 1e-4);

/// DAPO's soft punishment of long replies (arXiv:2503.14476, section 3.4): 0 up to
/// `limit - buffer` tokens, from there linear to -1 at `limit` and beyond. \pre 0 < buffer <= limit
double overlong_penalty(double length, double limit, double buffer);

}  // namespace unirg::rl
