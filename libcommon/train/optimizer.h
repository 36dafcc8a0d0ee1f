// AdamW with decoupled weight decay (Loshchilov and Hutter, arXiv:1711.05101), gradient clipping,
// and the warm-up + cosine schedule. Depends on model (parameter store) and LibTorch.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/parameters.h"

namespace unirg::train {

using at::Tensor;
using model::Parameters;

struct AdamWOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.01;  ///< on tensors of two or more axes; none on norms and biases
};

/// Moments of every trained tensor, by name, float32. Saved with the checkpoint, carried over to
/// the next stage's run.
struct AdamWState {
  Parameters first, second;
  /// What steps are taken on, in float32, of tensors that are held in bfloat16: its rounding would
  /// swallow a step of 1e-5 (mixed precision, Micikevicius et al., arXiv:1710.03740).
  Parameters master;
  int64_t step = 0;  ///< steps taken
};

/// Takes a state that was read from a file to the devices of its parameters; masters of tensors
/// that are held in float32 now are dropped. \throws Error(Exit::data) naming a tensor of it that
/// has no parameter, or another shape or type than that asks for
void place_state(AdamWState& state, const Parameters& parameters);

/// One step, in place; a tensor held in bfloat16 becomes its master, rounded. \param gradients in
/// the order of `names`, float32
void adamw_step(const AdamWOptions& options, double learning_rate,
                const std::vector<std::string>& names, Parameters& parameters,
                const std::vector<Tensor>& gradients, AdamWState& state);

/// The L2 norm of each, computed in double.
std::vector<double> gradient_norms(const std::vector<Tensor>& gradients);
/// Of all together. \param norms of each, in the order of the names
double global_norm(const std::vector<double>& norms);
/// Scales in place what has the global norm `norm`, to at most `max_norm` (0: no limit).
void scale_to_norm(std::vector<Tensor>& gradients, double norm, double max_norm);

/// Scales the gradients in place so that their global L2 norm is at most `max_norm` (0: no limit).
/// \returns the norm before, computed in double
double clip_gradients(std::vector<Tensor>& gradients, double max_norm);

struct Schedule {
  double learning_rate = 5e-5;
  int64_t warmup_steps = 0;
  int64_t total_steps = 1;
  double final_ratio = 0.0;      ///< of the peak, reached after the last step (at step total_steps)
  std::string shape = "cosine";  ///< "cosine" or "constant" (after warm-up)
};
/// Rate of step 0, 1, ...: linear warm-up to the peak at step warmup_steps - 1, then the shape.
double learning_rate(const Schedule& schedule, int64_t step);

}  // namespace unirg::train
