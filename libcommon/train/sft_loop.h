// The SFT run: epochs, validation, best and last checkpoint, metrics a line a step, resume after a
// stop or a kill. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/run_main.h"
#include "policy/report_writer.h"
#include "train/labels.h"
#include "train/optimizer.h"
#include "train/ranks.h"
#include "train/trainable.h"

namespace unirg::train {

struct SftOptions {
  std::string objective = "reports";  ///< "reports" or "labels"
  int64_t epochs = 3;
  int64_t batch_size = 16;
  int64_t micro_batch = 8;
  Schedule schedule{.learning_rate = 5e-5, .warmup_steps = 20};
  AdamWOptions adamw{.beta2 = 0.98, .weight_decay = 0.05};
  double max_grad_norm = 1.0;
  TrainableOptions trainable;
  RankOptions ranks;
  double brightness = 0;       ///< see --brightness
  int64_t evaluate_every = 0;  ///< steps; 0: after each epoch
  int64_t patience = 0;
  int64_t save_every = 0;
  int64_t max_steps = 0;
};

struct SftJob {
  SftOptions options;
  std::vector<policy::EncodedStudy> train;
  std::vector<policy::EncodedStudy> validation;
  LabelTargets train_labels, validation_labels;  ///< for the labels objective
  std::filesystem::path base;                    ///< checkpoint the run starts from
  std::filesystem::path output;  ///< final folder: best/, last/, metrics.jsonl, DONE
  uint64_t seed = 0;
  int threads = 1;
  std::string device = "auto";
  std::string dtype = "float32";
  double log_every = 60;    ///< seconds between progress lines
  std::string fingerprint;  ///< digest of configuration and inputs: a partial run with another one
                            ///< is refused
};

/// Runs to the end, or until `context.stop`: then the state is saved and Exit::interrupted
/// returned. A run that finds OUTPUT.partial goes on from there and writes the same bytes as an
/// unbroken one.
Exit run_sft(const SftJob& job, const policy::ReportWriter& writer, cli::Context& context);

}  // namespace unirg::train
