// The optimiser steps of one model over ranks (data parallel, ZeRO: Rajbhandari et al.,
// arXiv:1910.02054). Unit u of a step is computed by rank u % size; every rank has all weights.
// What else is shared out is the stage:
//
//   0  nothing: every rank has the step's whole gradient and all moments, and takes the whole step.
//   1  moments and masters: a rank takes the step of its share of the tensors, weights are given
//      round. A rank adds up the gradients of its own units, which are exchanged once a step.
//   2  gradients too: those of a unit go to their tensors' owners, in buckets, each as soon as the
//      backward pass has found the last of its tensors: the exchange goes on beside the rest of the
//      pass, and beside the next unit. A rank holds sums of its own share, and whole gradients of
//      the units in hand only.
//
// What is bitwise: stage 2 has the bits of one process, at any number of ranks, threads and size of
// buckets. So have 0 and 1 where no rank has more than one unit a step; otherwise their gradients
// are added in another order, equal up to float32 rounding, and the same from run to run at one
// number of ranks. A world of one is one process at any stage.
//
// Traffic of a rank and step, of P bytes of gradients (in the weights' type; at 0 and 1 in float32)
// and weights, R ranks, U units a rank: 0: 2 P; 1: 2 P; 2: (U + 1) P, times (R - 1) / R.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "cli/options.h"
#include "cli/run_main.h"
#include "distributed/ordered_sum.h"
#include "distributed/world.h"
#include "io/jsonl.h"
#include "train/gradient_watch.h"
#include "train/gradients.h"
#include "train/optimizer.h"

namespace unirg::train {

struct RankOptions {
  int64_t zero = 2;        ///< stage
  double bucket_mib = 32;  ///< largest piece of an exchange
};

/// Adds zero and bucket-mib; what they point to must outlive the table.
void add_rank_options(cli::Table& table, RankOptions& options);

/// Joins the other ranks, if there are any; all but rank 0 then log errors only.
void join_ranks(distributed::World& world, const distributed::Environment& environment,
                const cli::Common& common, Logger& log);

/// What --device means to one of several ranks: of "cuda" and "auto" its own GPU of the node.
/// \param gpus that it sees; none: what was asked for, which parse_device() judges
/// \throws Error(Exit::usage) for "cuda:N"
std::string device_of_rank(const std::string& device, int local_rank, int64_t gpus);
/// The same with what launcher and LibTorch say; a single process has what it was told.
std::string device_of_rank(const distributed::World& world, const std::string& device,
                           const distributed::Environment& environment);

class RankedOptimizer {
 public:
  /// \param leaves as all ranks have them, bit by bit; `names` in the same order
  /// \throws as World::use() of their device, if there are several ranks
  RankedOptimizer(distributed::World& world, const RankOptions& options,
                  std::vector<std::string> names, std::vector<Tensor> leaves);

  /// Collective, as all that follows. As train::accumulate(), over the units of all ranks.
  /// \param unit called with those of this rank \returns gradients of what this rank updates
  StepGradients accumulate(int threads, int64_t units,
                           const std::function<UnitLoss(int64_t)>& unit);

  /// As clip_gradients(): the norm is that of the whole gradient.
  [[nodiscard]] double clip(StepGradients& step, double max_norm) const;

  /// As adamw_step(); afterwards every rank has the new weights.
  void step(const AdamWOptions& options, double rate, Parameters& parameters,
            const StepGradients& step, AdamWState& state) const;

  /// Drops of a state what other ranks keep. Not collective.
  void keep_share(AdamWState& state) const;
  /// The state of all ranks together at rank 0, and elsewhere an empty one: for a checkpoint. From
  /// stage 1 on in CPU memory, which holds what no GPU has to.
  [[nodiscard]] AdamWState whole(const AdamWState& state) const;

  /// For the run record: {"count", "zero", "optimizer_bytes", "gradient_bytes",
  /// "peak_memory_bytes", "sent_bytes", "sent_early_bytes"}, all but the first two by rank: moments
  /// and masters; sums of gradients in the last step, at stages 0 and 1 of the rank's own units;
  /// what the system counted as the process's most; gradients sent in all steps, and how much of
  /// them while the backward pass that made them still ran. Zero and what is sent are of several
  /// ranks only.
  [[nodiscard]] io::Json note(const AdamWState& state) const;
  /// The same in a line for people: "4 ranks, --zero 2: optimiser state ...".
  [[nodiscard]] static std::string told(const io::Json& note);

 private:
  [[nodiscard]] bool keeps(size_t k) const { return zero_ == 0 || owners_[k] == world_.rank(); }
  UnitsSum add_in_order(int threads, int64_t units, const std::function<UnitLoss(int64_t)>& unit);
  void settle_order(const std::vector<size_t>& found);
  UnitsSum add_then_exchange(int threads, int64_t units,
                             const std::function<UnitLoss(int64_t)>& unit);
  void complete(std::vector<Tensor>& gradients) const;
  [[nodiscard]] Parameters whole(const Parameters& mine) const;

  distributed::World& world_;
  int64_t zero_;
  int64_t bucket_bytes_;
  std::vector<std::string> names_;
  std::vector<Tensor> leaves_;
  std::vector<int> owners_;             ///< the rank that sums and, from stage 1 on, updates each
  int64_t gradient_bytes_ = 0;          ///< of the last step, here
  std::optional<GradientWatch> watch_;  ///< at stage 2
  std::vector<size_t> order_;           ///< in which rank 0 found the gradients of its first unit
  distributed::OrderedSum::Traffic traffic_;  ///< of all steps, here
};

}  // namespace unirg::train
