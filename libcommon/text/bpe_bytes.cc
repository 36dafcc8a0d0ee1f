// SPDX-License-Identifier: Apache-2.0
#include "text/bpe_bytes.h"

#include <unicode/utf8.h>

#include <array>
#include <unordered_map>

namespace unirg::text {
namespace {

struct Alphabet {
  std::array<std::string, 256> spelling;
  std::unordered_map<std::string, char> byte;

  Alphabet() {
    int32_t next = 256;
    for (int32_t b = 0; b < 256; ++b) {
      const bool printable =
          (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || (b >= 0xAE && b <= 0xFF);
      const int32_t code = printable ? b : next++;
      char text[4];
      int32_t length = 0;
      U8_APPEND_UNSAFE(text, length, code);
      spelling[static_cast<size_t>(b)].assign(text, static_cast<size_t>(length));
      byte.emplace(spelling[static_cast<size_t>(b)], static_cast<char>(b));
    }
  }
};

const Alphabet& alphabet() {
  static const Alphabet made;
  return made;
}

}  // namespace

std::string spell_bytes(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += alphabet().spelling[static_cast<unsigned char>(c)];
  return out;
}

std::optional<std::string> unspell_bytes(std::string_view spelling) {
  std::string out;
  const auto n = static_cast<int32_t>(spelling.size());
  for (int32_t i = 0; i < n;) {
    const int32_t begin = i;
    UChar32 code = 0;
    U8_NEXT(spelling.data(), i, n, code);
    const auto it = alphabet().byte.find(
        std::string(spelling.substr(static_cast<size_t>(begin), static_cast<size_t>(i - begin))));
    if (code < 0 || it == alphabet().byte.end()) return std::nullopt;
    out += it->second;
  }
  return out;
}

std::string replace_broken_utf8(std::string_view bytes) {
  std::string out;
  const auto n = static_cast<int32_t>(bytes.size());
  for (int32_t i = 0; i < n;) {
    const int32_t begin = i;
    UChar32 code = 0;
    U8_NEXT(bytes.data(), i, n, code);
    if (code < 0) {
      out += "\xef\xbf\xbd";
    } else {
      out.append(bytes.substr(static_cast<size_t>(begin), static_cast<size_t>(i - begin)));
    }
  }
  return out;
}

bool is_utf8(std::string_view bytes) {
  const auto n = static_cast<int32_t>(bytes.size());
  for (int32_t i = 0; i < n;) {
    UChar32 code = 0;
    U8_NEXT(bytes.data(), i, n, code);
    if (code < 0) return false;
  }
  return true;
}

size_t unfinished_utf8(std::string_view bytes) {
  const size_t n = bytes.size();
  for (size_t back = 1; back <= 3 && back <= n; ++back) {
    const auto lead = static_cast<uint8_t>(bytes[n - back]);
    if (U8_IS_TRAIL(lead)) continue;
    if (!U8_IS_LEAD(lead) || U8_COUNT_TRAIL_BYTES(lead) < static_cast<int>(back)) return 0;
    // A second byte that can never follow this lead ("E0 80") makes it broken, not unfinished.
    if (back >= 2) {
      int32_t i = 0;
      UChar32 code = 0;
      const std::string tail = std::string(bytes.substr(n - back)) + std::string(4, '\x80');
      U8_NEXT(tail.data(), i, static_cast<int32_t>(tail.size()), code);
      if (code < 0) return 0;
    }
    return back;
  }
  return 0;
}

}  // namespace unirg::text
