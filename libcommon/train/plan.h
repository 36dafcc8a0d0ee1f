// What a training stage will need: the plan of unirg-sft and unirg-update.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "policy/plan.h"
#include "train/trainable.h"

namespace unirg::train {

/// One run of optimiser steps over units of work.
struct TrainingWork {
  model::PassShape unit;      ///< the largest unit
  double forward_flops = 0;   ///< of all units of the run, one forward pass each
  int64_t units_at_once = 1;  ///< threads that have one in hand
  int64_t validating = 0;     ///< other threads that run units without gradient between steps
  int64_t picture_bytes = 0;  ///< of all studies in memory
  bool brief = false;         ///< dozens of units, not thousands
  bool reference = false;  ///< a second model, or the first with its adapter off, scores the units
  int64_t reference_bytes = 0;  ///< of its weights, where they are not the first's
  bool vision_only = false;     ///< the labels objective
};

/// \throws Error(Exit::data) if the checkpoint is not whole
policy::Plan training_plan(const std::filesystem::path& checkpoint, const std::string& dtype,
                           const TrainableOptions& options, const TrainingWork& work);

}  // namespace unirg::train
