// SPDX-License-Identifier: Apache-2.0
#include "model/random_words.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <vector>

#include "base/error.h"

namespace unirg::model {
namespace {

using at::Tensor;

constexpr int64_t kLow = 0xFFFFFFFF;

constexpr int kRounds = 10;

/// What the rounds multiply and add, all of it sent to the device at once: the two factors, then
/// each round's two keys. \returns [1 + kRounds, 2, 1]
Tensor constants(const Rng& stream, const at::Device& device) {
  std::vector<int64_t> values{0xD2511F53, 0xCD9E8D57};
  int64_t first = stream.key()[0];
  int64_t second = stream.key()[1];
  for (int round = 0; round < kRounds; ++round) {
    values.insert(values.end(), {first, second});
    first = (first + 0x9E3779B9) & kLow;
    second = (second + 0xBB67AE85) & kLow;
  }
  return at::tensor(values, at::kLong).to(device).view({1 + kRounds, 2, 1});
}

}  // namespace

/// philox4x32 on all blocks at once. Products are 64 bits without sign: as int64 they wrap to the
/// same bits, and the shift's copies of the sign are masked away.
Tensor random_words(const Rng& stream, int64_t n, const at::Device& device) {
  const int64_t blocks = (n + 3) / 4;
  UNIRG_ASSERT(n >= 0 && blocks < kLow, "too many words of one stream");
  const auto options = at::TensorOptions().dtype(at::kLong).device(device);
  const auto& [c0, c1, c2, c3] = stream.counter();
  UNIRG_ASSERT(c0 == 0 && c1 == 0, "the stream has been read from");
  const Tensor zeros = at::zeros({blocks}, options);
  Tensor even = at::stack({at::arange(blocks, options), zeros + int64_t{c2}});  // words 0 and 2
  Tensor odd = at::stack({zeros, zeros + int64_t{c3}});                         // words 1 and 3
  const Tensor table = constants(stream, device);
  for (int round = 1; round <= kRounds; ++round) {
    const Tensor products = (even * table[0]).flip(0);
    even = (products.bitwise_right_shift(32) ^ odd ^ table[round]) & kLow;
    odd = products & kLow;
  }
  // [block, half, parity]
  return at::stack({even.t(), odd.t()}, -1).flatten().narrow(0, 0, n);
}

}  // namespace unirg::model
