// The machine a plan is made for - ranks of one device each, what they can do and what they cost -
// and the arithmetic of data-parallel training on it. Pure arithmetic.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "cli/options.h"

namespace unirg::policy {

/// As options give it; quantities as parse_quantity() reads them, empty: not known.
struct MachineOptions {
  int64_t ranks = 1;  ///< processes with a device each
  std::string device_memory, peak_flops, bandwidth;
  double flops_share = 0.4;    ///< of the peak, in training
  double decode_share = 0.05;  ///< of the peak, in decoding
  double price = 0;            ///< of a device for an hour, in any currency
  int64_t studies = 563494;    ///< of the whole process that is costed
  std::string format = "table";
};
/// Rows for a plan of decoding. What they point to must outlive the table.
void add_machine_options(cli::Table& table, MachineOptions& options);
/// Those, and rows for a plan of training.
void add_training_machine_options(cli::Table& table, MachineOptions& options);

struct Machine {
  int64_t ranks = 1;
  int64_t zero = 0;          ///< stage: 1 shards the optimiser's state, 2 the gradients too
  double device_memory = 0;  ///< bytes a rank; 0: not known
  double peak_flops = 0;     ///< FLOP/s a rank; 0: not known
  double bandwidth = 0;      ///< bytes/s that a rank sends; 0: not known
  double flops_share = 1, decode_share = 1;
  double price = 0;
};
/// `zero` is left at 0. \throws Error(Exit::usage) naming the option whose value is no quantity
Machine machine_of(const MachineOptions& options);

/// "80G" is 80e9, "80Gi" 80 x 2^30, "1.5T", "4e11"; above 0. \param option its name, for the error
/// \throws Error(Exit::usage)
double parse_quantity(const std::string& text, const std::string& option);

/// Whether a plan for --device is one for a GPU: "auto" is where the plan names a device's memory
/// or this machine has a GPU. None needs to be there.
bool plans_gpu(const std::string& device, const Machine& machine);

/// Bytes a rank sends, and receives, when n ranks add up `bytes` in a ring: (n - 1) / n for the
/// reduce-scatter, as much for the all-gather (Patarasuk and Yuan, 2009).
double reduce_scatter_bytes(int64_t ranks, double bytes);
double all_reduce_bytes(int64_t ranks, double bytes);

/// What training holds for its trained values, in bytes of one rank.
struct TrainingState {
  int64_t gradients = 0, moments = 0, masters = 0;
};
/// Gradients are summed in float32, moments are two float32, masters float32 copies of weights held
/// in bfloat16: 4, 8 and 4 bytes a value, of which stage 1 leaves each rank its n-th of moments and
/// masters, stage 2 of gradients too (ZeRO, Rajbhandari et al., arXiv:1910.02054, section 5).
TrainingState training_state(const Machine& machine, int64_t values, bool masters);

/// Bytes a rank sends in an optimiser step of `units` units each: the float32 sums of gradients
/// added up; with ZeRO reduce-scattered - those sums once a step at stage 1, at stage 2 each unit's
/// gradients of `item` bytes, of which no rank holds the whole sum - and the new weights, of `item`
/// bytes too, gathered (arXiv:1910.02054, section 7).
double step_bytes(const Machine& machine, int64_t values, int64_t item, int64_t units);

/// Ranks that have work on average, where a step has so many units: 40 units keep 32 ranks as busy
/// as 20 would be, in two turns.
double busy_ranks(const Machine& machine, int64_t units);

/// Seconds of work that `busy` ranks share, and in which each sends `sent` bytes; nothing overlaps.
/// 0 where the machine's peak is not known; a bandwidth that is not known is endless.
double work_seconds(const Machine& machine, double busy, double flops, double share, double sent);

/// Of all ranks for that long.
double price_of(double seconds, const Machine& machine);

}  // namespace unirg::policy
