// SPDX-License-Identifier: Apache-2.0
#include "base/rng.h"

#include <cmath>
#include <numbers>

#include "base/error.h"

namespace unirg {
namespace {

uint64_t mix(uint64_t x) {  // splitmix64 finaliser (Vigna)
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// 53 of 64 random bits as a double in [0, 1).
double to_unit(uint32_t high, uint32_t low) {
  const uint64_t bits = (uint64_t{high} << 32 | low) >> 11;
  return static_cast<double>(bits) * 0x1.0p-53;
}

struct StreamName {
  std::array<uint32_t, 2> key;
  std::array<uint32_t, 4> counter;
};

/// Key from seed and purpose, upper counter half from subject and index; the lower half counts
/// blocks.
StreamName stream_name(uint64_t seed, std::string_view purpose, std::string_view subject,
                       uint64_t index) {
  const uint64_t key = mix(seed ^ stable_hash(purpose));
  const uint64_t upper = mix(stable_hash(subject) + mix(index));
  return {{static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)},
          {0, 0, static_cast<uint32_t>(upper), static_cast<uint32_t>(upper >> 32)}};
}

void set_block(std::array<uint32_t, 4>& counter, uint64_t block) {
  counter[0] = static_cast<uint32_t>(block);
  counter[1] = static_cast<uint32_t>(block >> 32);
}

}  // namespace

std::array<uint32_t, 4> philox4x32(const std::array<uint32_t, 4>& counter,
                                   const std::array<uint32_t, 2>& key) {
  std::array<uint32_t, 4> c = counter;
  std::array<uint32_t, 2> k = key;
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53} * c[0];
    const uint64_t p1 = uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<uint32_t>(p0)};
    k[0] += 0x9E3779B9;
    k[1] += 0xBB67AE85;
  }
  return c;
}

uint64_t stable_hash(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return mix(hash);
}

Rng::Rng(uint64_t seed, std::string_view purpose, std::string_view subject, uint64_t index) {
  const StreamName name = stream_name(seed, purpose, subject, index);
  key_ = name.key;
  counter_ = name.counter;
}

uint32_t Rng::next_u32() {
  if (used_ == 4) {
    block_ = philox4x32(counter_, key_);
    if (++counter_[0] == 0) ++counter_[1];
    used_ = 0;
  }
  return block_[static_cast<size_t>(used_++)];
}

double Rng::uniform() {
  const uint32_t high = next_u32();
  return to_unit(high, next_u32());
}

double Rng::normal() {
  const double u = 1.0 - uniform();  // (0, 1]: the logarithm is finite
  const double v = uniform();
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

uint64_t Rng::below(uint64_t n) {
  UNIRG_ASSERT(n > 0, "empty range");
  const uint64_t limit = UINT64_MAX - UINT64_MAX % n;  // reject above the last whole multiple
  for (;;) {
    const uint64_t high = next_u32();
    const uint64_t x = high << 32 | next_u32();
    if (x < limit) return x % n;
  }
}

size_t Rng::weighted(const std::vector<double>& weights) {
  double total = 0;
  for (const double w : weights) total += w;
  UNIRG_ASSERT(total > 0, "no positive weight");
  double target = uniform() * total;
  size_t last_positive = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] <= 0) continue;
    last_positive = i;
    if (target < weights[i]) return i;
    target -= weights[i];
  }
  return last_positive;  // rounding at the upper end
}

double uniform_at(uint64_t seed, std::string_view purpose, std::string_view subject, uint64_t index,
                  uint64_t position) {
  StreamName name = stream_name(seed, purpose, subject, index);
  set_block(name.counter, position);
  const auto block = philox4x32(name.counter, name.key);
  return to_unit(block[0], block[1]);
}

}  // namespace unirg
