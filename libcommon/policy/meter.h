// How fast a run went, for its run record: tokens and FLOPs a second, and what share that is of the
// rate of a plain matrix product. Times are not in metrics.jsonl, which has the same bytes in every
// run. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

#include "io/jsonl.h"
#include "model/cost.h"
#include "model/qwen3_vl.h"

namespace unirg::policy {

class Meter {
 public:
  /// Time runs from here. \param threads that work on units, one intra-op thread each
  Meter(const model::Qwen3VL& model, int threads)
      : config_(model.config), weights_(model.text.embed), threads_(threads) {}

  /// Work that is done. \param passes forward passes it is worth: 1, with gradient 3
  /// \param tokens of replies, sampled or trained on
  void add(const model::PassShape& shape, double passes, int64_t tokens);

  /// {"tokens", "tokens_per_s", "gflop_per_s", "gemm_gflop_per_s", "gemm_share"}; measures the rate
  /// of float products of 1024 x 1024 on one thread (some tens of milliseconds), times the threads,
  /// or on the GPU.
  [[nodiscard]] io::Json note() const;

 private:
  const model::ModelConfig& config_;
  at::Tensor weights_;  ///< names device and number type
  int threads_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  double flops_ = 0;
  int64_t tokens_ = 0;
};

}  // namespace unirg::policy
