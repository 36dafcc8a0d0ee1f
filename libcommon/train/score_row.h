// The arithmetic of one row of logits, a value at a time: log-probability of a token, entropy, the
// greedy choice, and what flows back. One body for the kernel that runs it on a GPU
// (score_kernels.cu) and for the tests that run it on the CPU; a GPU's row is read once, where
// composed operators read and write it as float32 seven times.
// Source: the online softmax of Milakov and Gimelshein, arXiv:1805.02867, with one more sum.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#ifdef __CUDACC__
#define UNIRG_BOTH __host__ __device__
#else
#define UNIRG_BOTH
#endif

namespace unirg::train {

/// Of some of a row's logits z, m being the largest: what softmax and entropy need.
struct RowSums {
  float largest = 0;  ///< m
  float weights = 0;  ///< sum of exp(z - m), at least 1
  float moment = 0;   ///< sum of exp(z - m) (z - m), at most 0
  int64_t best = -1;  ///< the first place of m; -1: of no logit yet
};

UNIRG_BOTH inline RowSums of_logit(float z, int64_t place) { return {z, 1, 0, place}; }

/// Of the logits of both. A NaN stays one.
UNIRG_BOTH inline RowSums joined(const RowSums& a, const RowSums& b) {
  if (a.best < 0) return b;
  if (b.best < 0) return a;
  const bool second = b.largest > a.largest || (b.largest == a.largest && b.best < a.best);
  const RowSums& high = second ? b : a;
  const RowSums& low = second ? a : b;
  const float step = low.largest - high.largest;
  const float scale = std::exp(step);
  if (scale == 0) return high;  // -infinity, too, which times 0 is none
  return {high.largest, high.weights + scale * low.weights,
          high.moment + scale * (low.moment + step * low.weights), high.best};
}

/// ln of the sum of exp(z): a token's log-probability is its z less this.
UNIRG_BOTH inline float log_total(const RowSums& row) {
  return row.largest + std::log(row.weights);
}

/// -sum of p ln p, nats.
UNIRG_BOTH inline float entropy(const RowSums& row) {
  return std::log(row.weights) - row.moment / row.weights;
}

/// What flows back into a row, and what its forward pass found.
struct RowBack {
  float logprob = 0;  ///< gradient of the target's log-probability
  float entropy = 0;  ///< gradient of the entropy
  float log_total = 0, found_entropy = 0;
};

/// d/dz of both together: g (1[target] - p) - h p (ln p + H).
UNIRG_BOTH inline float logit_gradient(float z, bool is_target, const RowBack& back) {
  const float logprob = z - back.log_total;
  const float p = std::exp(logprob);
  const float at_target = is_target ? back.logprob : 0.0F;
  if (p == 0) return at_target;  // ln p may be -infinity
  return at_target - back.logprob * p - back.entropy * p * (logprob + back.found_entropy);
}

/// A bfloat16 is the upper half of a float32.
UNIRG_BOTH inline float from_bfloat16(uint16_t half) {
  const uint32_t bits = static_cast<uint32_t>(half) << 16;
  float value = 0;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/// To the nearest, halves to even; a NaN stays one.
UNIRG_BOTH inline uint16_t to_bfloat16(float value) {
  uint32_t bits = 0;
  memcpy(&bits, &value, sizeof bits);
  if (value != value) return 0x7FC0;
  return static_cast<uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

}  // namespace unirg::train
