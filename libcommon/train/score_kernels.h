// Kernels that read rows of logits once, for log-probabilities, entropies and greedy choices, and
// once more for the gradient (bodies: score_row.h). Raw pointers on one GPU, no LibTorch: nvcc
// compiles the file beside this one as C++17. score_rows.h is what the rest of the module calls.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace unirg::train {

/// Logits [rows, vocabulary], contiguous, that are multiplied by `scale` (1 / temperature).
struct LogitRows {
  const void* values = nullptr;  ///< float, or bfloat16
  bool half = false;             ///< bfloat16
  int64_t rows = 0, vocabulary = 0;
  float scale = 1;
  const int64_t* targets = nullptr;  ///< [rows]
};

/// [rows] each. The log-probability of a target outside the vocabulary is NaN.
struct RowResults {
  float *logprobs = nullptr, *log_totals = nullptr, *entropy = nullptr;
  int64_t* best = nullptr;
};
/// Runs on `stream` (a cudaStream_t). Same bits each time. \returns CUDA's error, or nullptr
const char* launch_score_rows(const LogitRows& logits, const RowResults& results, void* stream);

struct RowGradients {
  const float *log_totals = nullptr, *found_entropy = nullptr;  ///< of the forward pass
  const float *logprob = nullptr, *entropy = nullptr;           ///< [rows]; nullptr: zero
  void* into = nullptr;  ///< [rows, vocabulary], of the logits' type
};
const char* launch_logit_gradients(const LogitRows& logits, const RowGradients& gradients,
                                   void* stream);

}  // namespace unirg::train
