// The two ways to rewards: scoring reports, and weighing what was scored before.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "data/records.h"
#include "options.h"
#include "scoring/composition.h"

namespace unirg {

/// Rollouts and references to reward records.
Exit score_rollouts(const RewardToolOptions& options, const scoring::Composition& composition,
                    cli::Context& context);

/// Reward records to reward records with another composition; nothing is scored.
Exit reweight(const RewardToolOptions& options, const scoring::Composition& composition,
              cli::Context& context);

/// Puts weights and reward for the components there are.
/// \throws Error(Exit::data) as compose(), and where no term has a value
void set_reward(data::Reward& reward, const scoring::Composition& composition);

}  // namespace unirg
