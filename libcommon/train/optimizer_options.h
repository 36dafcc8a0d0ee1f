// The options that every stage which trains has. Depends on cli.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/options.h"
#include "train/optimizer.h"

namespace unirg::train {

/// Adds learning-rate, schedule, warmup-steps, final-rate-ratio, weight-decay, beta1, beta2 and
/// max-grad-norm; what they point to must outlive the table.
void add_optimizer_options(cli::Table& table, Schedule& schedule, AdamWOptions& adamw,
                           double& max_grad_norm);

}  // namespace unirg::train
