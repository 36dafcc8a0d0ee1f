// Short digests as keys: of a million names the text need not stay in memory.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace unirg {

/// The first 128 bits of a SHA-256. That two of n texts have one is as likely as n^2 / 2^129, for a
/// billion texts 2 in 10^21, and nobody can make two that do (2^64 attempts): equal digests are
/// taken for equal texts.
struct Digest {
  uint64_t high = 0, low = 0;
  friend auto operator<=>(const Digest&, const Digest&) = default;
};

Digest digest_of(std::string_view bytes);

/// For unordered containers: a digest is its own hash.
struct DigestHash {
  size_t operator()(const Digest& digest) const noexcept { return digest.high; }
};

}  // namespace unirg
