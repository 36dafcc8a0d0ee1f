// Gradients over units of fixed content: each unit (a micro-batch, a prompt group) is one forward
// and backward on one thread with one intra-op thread; unit gradients are added in unit order. The
// sum is the same at any thread count. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "model/parameters.h"

namespace unirg::train {

using at::Tensor;

/// Numbers a unit reports beside its gradient; added over units.
using Sums = std::map<std::string, double>;

/// A unit's loss (its share of the step's loss, already divided by the step's denominator) and its
/// numbers.
struct UnitLoss {
  Tensor loss;  ///< scalar; undefined when the unit has nothing to train on
  Sums sums;
};

struct StepGradients {
  /// In the order of the leaves; zero where no unit touched a leaf. Sums of bfloat16 gradients are
  /// float32. Where ranks share gradients out (RankedOptimizer), those of others are undefined.
  std::vector<Tensor> gradients;
  Sums sums;
};

/// What units gave, before it is made whole.
struct UnitsSum {
  std::vector<Tensor> gradients;  ///< undefined where no unit touched a leaf
  std::vector<Sums> units;        ///< of each unit
};

/// How many of `threads` may work on units: one where the parameters lie on a GPU. Units of one
/// device wait for each other anyway, and each of them would hold its activations there.
int unit_threads(const Tensor& parameter, int threads);

/// \param leaves parameters that require gradients, shared by all threads
/// \param unit   called with 0..units-1, from unit_threads() threads
StepGradients accumulate(const std::vector<Tensor>& leaves, int threads, int64_t units,
                         const std::function<UnitLoss(int64_t)>& unit);

/// The gradients of one unit, undefined where it does not touch a leaf.
std::vector<Tensor> unit_gradients(const Tensor& loss, const std::vector<Tensor>& leaves);

/// accumulate() without its end.
UnitsSum add_units(const std::vector<Tensor>& leaves, int threads, int64_t units,
                   const std::function<UnitLoss(int64_t)>& unit);

/// Zeros in the place of a leaf's undefined gradient, of the type that sums have.
Tensor no_gradient(const Tensor& leaf);

/// Sums over units, each in its turn.
Sums add_sums(const std::vector<Sums>& units);

/// Must be called by the main thread, and by a worker before tensor work: OpenMP keeps the setting
/// thread by thread.
void use_one_intra_op_thread();

}  // namespace unirg::train
