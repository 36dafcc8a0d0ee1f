// HMAC-SHA-256 (RFC 2104, FIPS 198-1) as lower-case hex, OpenSSL's libcrypto behind it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace unirg {

/// 64 hex digits. \param key  any bytes, at most 2^31 - 1
std::string hmac_sha256_hex(std::string_view key, std::string_view message);

}  // namespace unirg
