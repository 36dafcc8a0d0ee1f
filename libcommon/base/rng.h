// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as
// 1, 2, 3", SC11). A stream is named by (seed, purpose, subject, index), never shared, so that the
// numbers a study or a sample gets do not depend on thread count, shard or order of work. Depends
// on nothing. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace unirg {

/// One Philox4x32-10 block: four 32-bit words for a 128-bit counter under a 64-bit key.
std::array<uint32_t, 4> philox4x32(const std::array<uint32_t, 4>& counter,
                                   const std::array<uint32_t, 2>& key);

/// A 64-bit hash of text, stable for ever (FNV-1a, then a splitmix64 finaliser); names streams and
/// shards.
uint64_t stable_hash(std::string_view text);

/// One random stream. Copyable; two copies give the same numbers.
class Rng {
 public:
  /// \param purpose what the numbers are for, e.g. "sample", "shuffle", "phantom-noise"
  /// \param subject whose they are, e.g. a study id
  /// \param index   which of the subject's, e.g. the sample number
  Rng(uint64_t seed, std::string_view purpose, std::string_view subject = {}, uint64_t index = 0);

  /// What philox4x32 gets for the stream's first block; later ones count up counter[0], then [1].
  [[nodiscard]] const std::array<uint32_t, 2>& key() const { return key_; }
  [[nodiscard]] const std::array<uint32_t, 4>& counter() const { return counter_; }

  uint32_t next_u32();
  /// Uniform in [0, 1), 53 random bits.
  double uniform();
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Standard normal (Box-Muller, no cached second value: position in the stream stays
  /// predictable).
  double normal();
  double normal(double mean, double std) { return mean + std * normal(); }
  /// Uniform integer in [0, n), n >= 1, without modulo bias.
  uint64_t below(uint64_t n);
  bool chance(double probability) { return uniform() < probability; }
  /// Index drawn in proportion to non-negative weights, at least one of them positive.
  size_t weighted(const std::vector<double>& weights);

  template <typename T>
  const T& pick(const std::vector<T>& items) {
    return items[static_cast<size_t>(below(items.size()))];
  }
  template <typename T>
  void shuffle(std::vector<T>& items) {  // Fisher-Yates
    for (size_t i = items.size(); i > 1; --i)
      std::swap(items[i - 1], items[static_cast<size_t>(below(i))]);
  }

 private:
  std::array<uint32_t, 2> key_;
  std::array<uint32_t, 4> counter_;
  std::array<uint32_t, 4> block_{};
  int used_ = 4;
};

/// The uniform in [0, 1) at `position` of the stream (seed, purpose, subject, index), without
/// walking there. Sampling uses it: token t of sample i takes uniform_at(seed, "sample", study, i,
/// t).
double uniform_at(uint64_t seed, std::string_view purpose, std::string_view subject, uint64_t index,
                  uint64_t position);

}  // namespace unirg
