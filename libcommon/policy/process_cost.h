// What the paper's whole process costs at some number of studies: SFT, then RL in two steps, each
// of rollouts and updates (arXiv:2601.17151). Rewards are not in it: they are no work of the model.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/cost.h"
#include "policy/machine.h"

namespace unirg::policy {

/// The paper's numbers; where it states none, those of pipelines/conf/paper.
struct Process {
  int64_t studies = 563494;
  int64_t sft_epochs = 3;
  int64_t samples = 16;     ///< of a study in each of the two RL epochs
  int64_t batch = 256;      ///< studies of an optimiser step
  int64_t micro_batch = 4;  ///< studies of a unit of SFT
};

/// The model as it is trained.
struct TrainedModel {
  model::ModelConfig config;
  model::PassShape study;  ///< the mean one, with one reply
  int64_t values = 0;      ///< trained
  int64_t item = 2;        ///< bytes of a weight that is trained
  bool recompute = false;  ///< a second forward pass for the backward pass
};

struct StageCost {
  std::string name;
  double flops = 0;      ///< of all ranks
  double sent = 0;       ///< bytes a rank sends
  bool decodes = false;  ///< else it trains
  int64_t units = 0;     ///< of a step, which ranks share; 0: as many as there are ranks
};

/// A training pass is a forward pass and twice as much backward, with recompute one more forward;
/// RL's second step scores each rollout with a reference, too.
std::vector<StageCost> process_cost(const Process& process, const TrainedModel& trained,
                                    const Machine& machine);

double stage_seconds(const StageCost& stage, const Machine& machine);

}  // namespace unirg::policy
