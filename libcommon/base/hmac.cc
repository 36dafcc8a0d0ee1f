// SPDX-License-Identifier: Apache-2.0
#include "base/hmac.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "base/error.h"

namespace unirg {

std::string hmac_sha256_hex(std::string_view key, std::string_view message) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> code{};
  unsigned int size = 0;
  UNIRG_ASSERT(::HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                      reinterpret_cast<const unsigned char*>(message.data()), message.size(),
                      code.data(), &size) != nullptr,
               "HMAC-SHA-256 is missing from libcrypto");
  std::string text;
  for (unsigned int i = 0; i < size; ++i) text += fmt::format("{:02x}", code[i]);
  return text;
}

}  // namespace unirg
