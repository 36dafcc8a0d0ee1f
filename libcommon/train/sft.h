// Supervised fine-tuning: cross-entropy of the reply tokens given images and prompt. One optimiser
// step is a batch of studies cut into micro-batches of similar length; the loss is the mean over
// all reply tokens of the step. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "distributed/world.h"
#include "policy/report_writer.h"
#include "train/gradients.h"

namespace unirg::train {

/// Random change of brightness per study and epoch: gain 1 + s z, offset s/2 z', z standard normal.
struct Augmentation {
  double strength = 0;  ///< s; 0: none
  uint64_t seed = 0;
  int64_t epoch = 0;
};
policy::Brightness brightness_of(const Augmentation& augmentation, const std::string& study_id);

/// Order of the examples in an epoch: a permutation that depends on (seed, epoch) alone.
std::vector<int64_t> epoch_order(int64_t examples, uint64_t seed, int64_t epoch);

/// Cuts a batch (indices into `studies`) into micro-batches of at most `size`, longest together.
/// The cut depends on the batch alone.
std::vector<std::vector<int64_t>> micro_batches(const std::vector<policy::EncodedStudy>& studies,
                                                std::vector<int64_t> batch, int64_t size);

/// Sum of -log p over the reply tokens of a micro-batch, times `scale`.
/// \returns loss; sums: "loss" (unscaled sum), "tokens", "correct" (greedy hits)
UnitLoss sft_unit(const model::Qwen3VL& model, const policy::ReportWriter& writer,
                  const std::vector<policy::EncodedStudy>& studies,
                  const std::vector<int64_t>& unit, double scale,
                  const Augmentation& augmentation = {}, const model::Pass& pass = {});

int64_t reply_tokens(const std::vector<policy::EncodedStudy>& studies,
                     const std::vector<int64_t>& batch);

/// Mean loss per reply token and greedy token accuracy, no gradient; its units are divided over the
/// ranks of `world`, which all get the result.
struct Evaluation {
  double loss = 0;      ///< nats a token
  double accuracy = 0;  ///< share of reply tokens the model would have chosen
};
Evaluation evaluate(const model::Qwen3VL& model, const policy::ReportWriter& writer,
                    const std::vector<policy::EncodedStudy>& studies, int threads,
                    int64_t micro_batch, distributed::World& world);

}  // namespace unirg::train
