// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>

#include "train/score_kernels.h"
#include "train/score_row.h"

namespace unirg::train {
namespace {

constexpr int kThreads = 512;  // of a row
constexpr int kWarp = 32;
constexpr int kBytes = 16;  // the widest load of a thread

/// So many values that one load brings.
template <typename T, int kValues>
struct alignas(sizeof(T) * kValues) Pack {
  T values[kValues];
};

__device__ float as_float(float value) { return value; }
__device__ float as_float(uint16_t value) { return from_bfloat16(value); }
__device__ void store(float value, float& into) { into = value; }
__device__ void store(float value, uint16_t& into) { into = to_bfloat16(value); }

__device__ RowSums from_lane(const RowSums& mine, int distance) {
  constexpr unsigned kAll = 0xFFFFFFFF;
  return {
      __shfl_down_sync(kAll, mine.largest, distance),
      __shfl_down_sync(kAll, mine.weights, distance), __shfl_down_sync(kAll, mine.moment, distance),
      static_cast<int64_t>(__shfl_down_sync(kAll, static_cast<long long>(mine.best), distance))};
}

/// Of all threads, in an order that is always the same; thread 0 has the result.
__device__ RowSums of_block(RowSums mine) {
  __shared__ RowSums warps[kThreads / kWarp];
  for (int distance = kWarp / 2; distance > 0; distance /= 2)
    mine = joined(mine, from_lane(mine, distance));
  if (threadIdx.x % kWarp == 0) warps[threadIdx.x / kWarp] = mine;
  __syncthreads();
  if (threadIdx.x == 0) {
    for (int warp = 1; warp < kThreads / kWarp; ++warp) mine = joined(mine, warps[warp]);
  }
  return mine;
}

template <typename T, int kValues>
__global__ void __launch_bounds__(kThreads) score(LogitRows logits, RowResults results) {
  const int64_t row = blockIdx.x;
  const T* const values = static_cast<const T*>(logits.values) + row * logits.vocabulary;
  const auto* const packs = reinterpret_cast<const Pack<T, kValues>*>(values);
  RowSums sums;
  for (int64_t k = threadIdx.x; k < logits.vocabulary / kValues; k += kThreads) {
    const Pack<T, kValues> pack = packs[k];
    for (int j = 0; j < kValues; ++j)
      sums = joined(sums, of_logit(as_float(pack.values[j]) * logits.scale, k * kValues + j));
  }
  sums = of_block(sums);
  if (threadIdx.x != 0) return;
  const float total = log_total(sums);
  const int64_t target = logits.targets[row];
  const bool known = target >= 0 && target < logits.vocabulary;
  results.logprobs[row] = known ? as_float(values[target]) * logits.scale - total : NAN;
  results.log_totals[row] = total;
  results.entropy[row] = entropy(sums);
  results.best[row] = sums.best;
}

template <typename T, int kValues>
__global__ void __launch_bounds__(kThreads) flow_back(LogitRows logits, RowGradients gradients) {
  const int64_t row = blockIdx.x;
  const int64_t first = row * logits.vocabulary;
  const auto* const from =
      reinterpret_cast<const Pack<T, kValues>*>(static_cast<const T*>(logits.values) + first);
  auto* const into = reinterpret_cast<Pack<T, kValues>*>(static_cast<T*>(gradients.into) + first);
  const RowBack back{gradients.logprob != nullptr ? gradients.logprob[row] : 0.0F,
                     gradients.entropy != nullptr ? gradients.entropy[row] : 0.0F,
                     gradients.log_totals[row], gradients.found_entropy[row]};
  const int64_t target = logits.targets[row];
  for (int64_t k = threadIdx.x; k < logits.vocabulary / kValues; k += kThreads) {
    const Pack<T, kValues> pack = from[k];
    Pack<T, kValues> result;
    for (int j = 0; j < kValues; ++j) {
      const float z = as_float(pack.values[j]) * logits.scale;
      store(logits.scale * logit_gradient(z, k * kValues + j == target, back), result.values[j]);
    }
    into[k] = result;
  }
}

/// Whether every row begins where a wide load may.
template <typename T>
bool is_wide(const LogitRows& logits, const void* other) {
  const auto is_even = [](const void* p) { return reinterpret_cast<uintptr_t>(p) % kBytes == 0; };
  return logits.vocabulary % (kBytes / sizeof(T)) == 0 && is_even(logits.values) && is_even(other);
}

const char* last_error() {
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

template <typename T>
void launch_score(const LogitRows& logits, const RowResults& results, cudaStream_t stream) {
  const auto rows = static_cast<unsigned>(logits.rows);
  if (is_wide<T>(logits, nullptr))
    score<T, kBytes / sizeof(T)><<<rows, kThreads, 0, stream>>>(logits, results);
  else
    score<T, 1><<<rows, kThreads, 0, stream>>>(logits, results);
}

template <typename T>
void launch_back(const LogitRows& logits, const RowGradients& gradients, cudaStream_t stream) {
  const auto rows = static_cast<unsigned>(logits.rows);
  if (is_wide<T>(logits, gradients.into))
    flow_back<T, kBytes / sizeof(T)><<<rows, kThreads, 0, stream>>>(logits, gradients);
  else
    flow_back<T, 1><<<rows, kThreads, 0, stream>>>(logits, gradients);
}

}  // namespace

const char* launch_score_rows(const LogitRows& logits, const RowResults& results, void* stream) {
  auto* const on = static_cast<cudaStream_t>(stream);
  if (logits.half)
    launch_score<uint16_t>(logits, results, on);
  else
    launch_score<float>(logits, results, on);
  return last_error();
}

const char* launch_logit_gradients(const LogitRows& logits, const RowGradients& gradients,
                                   void* stream) {
  auto* const on = static_cast<cudaStream_t>(stream);
  if (logits.half)
    launch_back<uint16_t>(logits, gradients, on);
  else
    launch_back<float>(logits, gradients, on);
  return last_error();
}

}  // namespace unirg::train
