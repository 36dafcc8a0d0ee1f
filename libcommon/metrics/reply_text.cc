// SPDX-License-Identifier: Apache-2.0
#include "metrics/reply_text.h"

namespace unirg::metrics {

size_t blank_bytes(std::string_view text) {
  const auto byte = [&](size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned a = byte(0);
  if (a == 0x20 || (a >= 0x09 && a <= 0x0D) || (a >= 0x1C && a <= 0x1F)) return 1;
  if (a == 0xC2) return byte(1) == 0x85 || byte(1) == 0xA0 ? 2 : 0;  // U+0085, U+00A0
  const unsigned rest = (byte(1) << 8U) | byte(2);
  if (a == 0xE1) return rest == 0x9A80 ? 3 : 0;  // U+1680
  if (a == 0xE3) return rest == 0x8080 ? 3 : 0;  // U+3000
  if (a != 0xE2) return 0;
  const bool blank = (rest >= 0x8080 && rest <= 0x808A) ||  // U+2000-200A
                     rest == 0x80A8 || rest == 0x80A9 ||    // U+2028, U+2029
                     rest == 0x80AF || rest == 0x819F;      // U+202F, U+205F
  return blank ? 3 : 0;
}

std::string_view skip_blanks(std::string_view text) {
  while (const size_t n = blank_bytes(text)) text.remove_prefix(n);
  return text;
}

std::string_view strip_blanks(std::string_view text) {
  text = skip_blanks(text);
  size_t end = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t n = blank_bytes(text.substr(at));
    at += n == 0 ? 1 : n;
    if (n == 0) end = at;
  }
  return text.substr(0, end);
}

std::string first_words(std::string_view text, int64_t words) {
  std::string out;
  int64_t taken = 0;
  for (text = skip_blanks(text); !text.empty(); text = skip_blanks(text)) {
    if (words > 0 && taken == words) break;
    size_t end = 0;
    while (end < text.size() && blank_bytes(text.substr(end)) == 0) ++end;
    if (taken++ > 0) out += ' ';
    out += text.substr(0, end);
    text.remove_prefix(end);
  }
  return out;
}

}  // namespace unirg::metrics
