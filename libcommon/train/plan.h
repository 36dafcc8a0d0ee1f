// What a training stage will need: the plan of unirg-sft and unirg-update.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "cli/run_main.h"
#include "policy/plan.h"
#include "train/ranks.h"
#include "train/sft_loop.h"
#include "train/trainable.h"

namespace unirg::train {

/// One run of optimiser steps over units of work.
struct TrainingWork {
  policy::Plan::Parts facts;    ///< counts that the plan begins with
  model::PassShape unit;        ///< the largest unit
  model::PassShape study;       ///< the mean study, with one reply of mean length
  double forward_flops = 0;     ///< of all units of the run, one forward pass each
  int64_t units_at_once = 1;    ///< of a rank: threads that have one in hand; on a GPU 1
  int64_t units = 1;            ///< of a step
  int64_t units_per_step = 1;   ///< of a rank
  int64_t steps = 0;            ///< of the optimiser
  int64_t validating = 0;       ///< other threads that run units without gradient between steps
  int64_t picture_bytes = 0;    ///< of all studies in memory
  bool reference = false;       ///< a second model, or the first with its adapter off, scores the
                                ///< units
  int64_t reference_bytes = 0;  ///< of its weights, where they are not the first's
  bool vision_only = false;     ///< the labels objective
  policy::Process process;      ///< whose cost is asked for
};

/// Where the work is to run.
struct Place {
  policy::Machine machine;
  bool gpu = false;
  int64_t threads = 1;  ///< of a rank
};
/// \throws Error(Exit::usage) as policy::machine_of()
Place place_of(const policy::MachineOptions& options, const RankOptions& ranks,
               const cli::Common& common);

/// Puts a step of so many units, of all ranks, into the work: those of a rank, and how many of them
/// are in hand at once; see unit_threads() of gradients.h.
void share_units(const Place& place, int64_t units, TrainingWork& work);

struct SftStudies {
  int64_t training = 0, validation = 0;
};
/// The work of unirg-sft. \param lengths of the training studies
TrainingWork sft_work(const SftOptions& options, const model::ModelConfig& config,
                      const policy::Lengths& lengths, const SftStudies& studies,
                      const Place& place);

/// \throws Error(Exit::data) if the checkpoint is not whole
policy::Plan training_plan(const std::filesystem::path& checkpoint, const std::string& dtype,
                           const TrainableOptions& options, const TrainingWork& work,
                           const Place& place);

}  // namespace unirg::train
