// What an update will need: the plan of unirg-update. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "rl/update.h"
#include "train/plan.h"

namespace unirg::rl {

/// The work of a job whose rollouts and studies are there.
train::TrainingWork update_work(const UpdateJob& job, const model::ModelConfig& config,
                                const train::Place& place);

}  // namespace unirg::rl
