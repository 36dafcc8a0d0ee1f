// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <fstream>
#include <vector>

#include "base/error.h"

namespace unirg {

struct Sha256::Impl {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~Impl() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : impl_(std::make_unique<Impl>()) {
  UNIRG_ASSERT(EVP_DigestInit_ex(impl_->context, EVP_sha256(), nullptr) == 1,
               "SHA-256 is missing from libcrypto");
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) {
  UNIRG_ASSERT(EVP_DigestUpdate(impl_->context, bytes.data(), bytes.size()) == 1,
               "SHA-256 update failed");
}

std::string Sha256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  UNIRG_ASSERT(EVP_DigestFinal_ex(impl_->context, digest.data(), &size) == 1,
               "SHA-256 final failed");
  std::string text;
  for (unsigned int i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 sha;
  sha.update(bytes);
  return sha.hex();
}

std::string sha256_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(Exit::no_input, fmt::format("cannot open '{}'", path.string()));
  Sha256 sha;
  std::vector<char> buffer(1 << 20);
  while (file) {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    sha.update({buffer.data(), static_cast<size_t>(file.gcount())});
  }
  if (file.bad()) throw Error(Exit::io, fmt::format("cannot read '{}'", path.string()));
  return sha.hex();
}

}  // namespace unirg
