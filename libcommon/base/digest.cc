// SPDX-License-Identifier: Apache-2.0
#include "base/digest.h"

#include <openssl/sha.h>

#include <array>

namespace unirg {

Digest digest_of(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> sha{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), sha.data());
  Digest digest;
  for (size_t i = 0; i < 8; ++i) {
    digest.high = digest.high << 8 | sha[i];
    digest.low = digest.low << 8 | sha[i + 8];
  }
  return digest;
}

}  // namespace unirg
