// The kernels of score_kernels.h against float64 arithmetic on the CPU, and how fast they read
// memory. Needs a GPU and no LibTorch:
//   nvcc -O2 -std=c++17 -arch=sm_90 -Ilibcommon tests/cuda/score_kernels_check.cu
//   libcommon/train/score_kernels.cu
// Ends with 0, 1 for a difference, 77 where there is no GPU.
// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "train/score_kernels.h"
#include "train/score_row.h"

namespace unirg::train {
namespace {

void check(cudaError_t error) {
  if (error == cudaSuccess) return;
  std::fprintf(stderr, "score_kernels_check: error: %s\n", cudaGetErrorString(error));
  std::exit(1);
}
void check(const char* error) {
  if (error == nullptr) return;
  std::fprintf(stderr, "score_kernels_check: error: %s\n", error);
  std::exit(1);
}

template <typename T>
struct OnGpu {
  T* data = nullptr;
  size_t size;
  explicit OnGpu(const std::vector<T>& values) : OnGpu(values.size()) {
    check(cudaMemcpy(data, values.data(), size * sizeof(T), cudaMemcpyHostToDevice));
  }
  explicit OnGpu(size_t n) : size(n) { check(cudaMalloc(&data, n * sizeof(T))); }
  OnGpu(const OnGpu&) = delete;
  OnGpu& operator=(const OnGpu&) = delete;
  ~OnGpu() { cudaFree(data); }
  std::vector<T> back() const {
    std::vector<T> values(size);
    check(cudaMemcpy(values.data(), data, size * sizeof(T), cudaMemcpyDeviceToHost));
    return values;
  }
};

float value_of(float x) { return x; }
float value_of(uint16_t x) { return from_bfloat16(x); }
void put(float value, float& into) { into = value; }
void put(float value, uint16_t& into) { into = to_bfloat16(value); }

/// Numbers between -8 and 8 that are the same everywhere.
float drawn(uint64_t index) {
  uint64_t x = (index + 1) * 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 29)) * 0xBF58476D1CE4E5B9;
  return static_cast<float>(static_cast<double>(x >> 40) / (1 << 20) - 8);
}

struct Largest {
  double logprob = 0, entropy = 0, gradient = 0;
  bool choices = true;
};

/// A row in float64.
template <typename T>
void compare_row(const T* logits, int64_t vocabulary, float scale, int64_t target,
                 float from_logprob, float from_entropy, float logprob, float entropy, int64_t best,
                 const T* gradient, Largest& off) {
  double most = -INFINITY, total = 0, h = 0;
  int64_t choice = 0;
  const auto z = [&](int64_t i) { return static_cast<double>(value_of(logits[i]) * scale); };
  for (int64_t i = 0; i < vocabulary; ++i) {
    if (z(i) > most) choice = i;
    most = std::max(most, z(i));
  }
  for (int64_t i = 0; i < vocabulary; ++i) total += std::exp(z(i) - most);
  total = most + std::log(total);
  for (int64_t i = 0; i < vocabulary; ++i) h -= std::exp(z(i) - total) * (z(i) - total);
  off.logprob = std::max(off.logprob, std::abs(logprob - (z(target) - total)));
  off.entropy = std::max(off.entropy, std::abs(entropy - h));
  off.choices = off.choices && best == choice;
  for (int64_t i = 0; i < vocabulary; ++i) {
    const double p = std::exp(z(i) - total);
    const double wanted = scale * (from_logprob * ((i == target ? 1.0 : 0.0) - p) -
                                   from_entropy * p * (z(i) - total + h));
    const double rounding = sizeof(T) == 2 ? std::abs(wanted) / 256 : 0;
    off.gradient = std::max(off.gradient, std::abs(value_of(gradient[i]) - wanted) - rounding);
  }
}

struct Results {
  std::vector<float> logprobs, entropy;
  std::vector<int64_t> best;
  bool operator==(const Results& other) const {
    return logprobs == other.logprobs && entropy == other.entropy && best == other.best;
  }
};

template <typename T>
struct Problem {
  int64_t rows, vocabulary;
  float scale;
  std::vector<T> logits;
  std::vector<int64_t> targets;
  std::vector<float> from_logprob, from_entropy;

  Problem(int64_t n, int64_t v, float s)
      : rows(n), vocabulary(v), scale(s), logits(static_cast<size_t>(n * v)) {
    for (size_t i = 0; i < logits.size(); ++i) put(drawn(i), logits[i]);
    for (int64_t r = 0; r < n; ++r) {
      targets.push_back((r * 7919) % v);
      from_logprob.push_back(0.1F * static_cast<float>(r % 5));
      from_entropy.push_back(0.01F * static_cast<float>(r % 3));
    }
  }
};

/// Times the two kernels a hundred times, in seconds a call.
template <typename F>
double seconds_of(const F& call) {
  constexpr int kTimes = 100;
  cudaEvent_t begin, end;
  check(cudaEventCreate(&begin));
  check(cudaEventCreate(&end));
  call();
  check(cudaEventRecord(begin));
  for (int i = 0; i < kTimes; ++i) call();
  check(cudaEventRecord(end));
  check(cudaEventSynchronize(end));
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, begin, end));
  return milliseconds / 1e3 / kTimes;
}

template <typename T>
bool run(const char* name, const Problem<T>& p, bool timed) {
  const OnGpu<T> logits(p.logits);
  OnGpu<T> into(p.logits.size());
  const OnGpu<int64_t> targets(p.targets);
  const OnGpu<float> from_logprob(p.from_logprob), from_entropy(p.from_entropy);
  const auto n = static_cast<size_t>(p.rows);
  OnGpu<float> logprobs(n), log_totals(n), entropy(n);
  OnGpu<int64_t> best(n);
  const LogitRows rows{logits.data, sizeof(T) == 2, p.rows, p.vocabulary, p.scale, targets.data};
  const auto forward = [&] {
    check(launch_score_rows(rows, {logprobs.data, log_totals.data, entropy.data, best.data},
                            nullptr));
  };
  const auto backward = [&] {
    check(launch_logit_gradients(
        rows, {log_totals.data, entropy.data, from_logprob.data, from_entropy.data, into.data},
        nullptr));
  };
  forward();
  backward();
  check(cudaDeviceSynchronize());
  const Results found{logprobs.back(), entropy.back(), best.back()};
  const std::vector<T> gradient = into.back();
  Largest off;
  for (int64_t r = 0; r < p.rows; ++r) {
    const auto k = static_cast<size_t>(r);
    const size_t first = k * static_cast<size_t>(p.vocabulary);
    compare_row(p.logits.data() + first, p.vocabulary, p.scale, p.targets[k], p.from_logprob[k],
                p.from_entropy[k], found.logprobs[k], found.entropy[k], found.best[k],
                gradient.data() + first, off);
  }
  forward();
  backward();
  const bool again =
      Results{logprobs.back(), entropy.back(), best.back()} == found && into.back() == gradient;
  const bool good =
      off.logprob < 1e-5 && off.entropy < 5e-5 && off.gradient < 1e-6 && off.choices && again;
  std::printf("%s: %s: off by %.1e (log-probability), %.1e (entropy), %.1e (gradient)%s%s\n", name,
              good ? "ok" : "FAILED", off.logprob, off.entropy, std::max(0.0, off.gradient),
              off.choices ? "" : ", wrong choices", again ? "" : ", other bits the second time");
  if (timed) {
    const double bytes = static_cast<double>(p.logits.size() * sizeof(T));
    const double there = seconds_of(forward), back = seconds_of(backward);
    std::printf("%s: forward %.1f us, %.0f GB/s; backward %.1f us, %.0f GB/s\n", name, there * 1e6,
                1e-9 * bytes / there, back * 1e6, 2e-9 * bytes / back);
  }
  return good;
}

bool run_all() {
  bool good = run("float32, 5 x 7", Problem<float>(5, 7, 1), false);
  good = run("bfloat16, 5 x 7", Problem<uint16_t>(5, 7, 1), false) && good;
  good =
      run("float32, 33 x 4001, temperature 0.7", Problem<float>(33, 4001, 1 / 0.7F), false) && good;
  good = run("bfloat16, 33 x 4000", Problem<uint16_t>(33, 4000, 1), false) && good;
  good = run("float32, 110 x 151936", Problem<float>(110, 151936, 1), true) && good;
  return run("bfloat16, 440 x 151936", Problem<uint16_t>(440, 151936, 1), true) && good;
}

}  // namespace
}  // namespace unirg::train

int main() {
  int devices = 0;
  const cudaError_t error = cudaGetDeviceCount(&devices);
  if (error != cudaSuccess || devices == 0) {
    std::fprintf(stderr, "score_kernels_check: skipped: no GPU (%s)\n",
                 error == cudaSuccess ? "0 devices" : cudaGetErrorString(error));
    return 77;
  }
  return unirg::train::run_all() ? 0 : 1;
}
