// Numbers that units report, over the units of all ranks: unit u is computed by rank u % size, and
// sums are made in the order of units, so that they have one process's bits.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "distributed/world.h"
#include "io/run_record.h"
#include "train/gradients.h"

namespace unirg::train {

/// How many of `units` this rank computes: rank, rank + size, ...
int64_t own_units(const distributed::World& world, int64_t units);

/// Every unit's numbers, at every rank. \param mine of this rank's units, in order
std::vector<Sums> gather_sums(distributed::World& world, const std::vector<Sums>& mine,
                              int64_t units);

/// The sum over all units of what `unit` reports, called for this rank's from `threads` threads.
Sums sum_units(distributed::World& world, int threads, int64_t units,
               const std::function<Sums(int64_t)>& unit);

/// \throws Error(Exit::config) unless all ranks have the same build, configuration and inputs (but
/// --threads): they would train different models
void check_same_run(distributed::World& world, const io::RunRecord& record);

}  // namespace unirg::train
