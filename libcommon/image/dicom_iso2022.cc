// Code extensions of ISO 2022 in DICOM text (PS3.5 6.1.2.5, PS3.3 C.12.1.1.2), for what DCMTK
// cannot convert: over glibc's iconv it knows no JIS X 0208 (ISO 2022 IR 87) and JIS X 0212 (IR
// 159). SPDX-License-Identifier: Apache-2.0
#include <iconv.h>

#include <algorithm>
#include <array>
#include <string>

#include "image/dicom_internal.h"

namespace unirg::image::internal {
namespace {

/// A set that an escape sequence brings into the upper half of the code table (G1).
struct UpperSet {
  std::string_view escape;  ///< without ESC
  std::string_view number;  ///< of its registration, as in "ISO 2022 IR 100"
  const char* iconv_name;
};
constexpr std::array<UpperSet, 14> kUpperSets{{{"-A", "100", "ISO-8859-1"},
                                               {"-B", "101", "ISO-8859-2"},
                                               {"-C", "109", "ISO-8859-3"},
                                               {"-D", "110", "ISO-8859-4"},
                                               {"-L", "144", "ISO-8859-5"},
                                               {"-G", "127", "ISO-8859-6"},
                                               {"-F", "126", "ISO-8859-7"},
                                               {"-H", "138", "ISO-8859-8"},
                                               {"-M", "148", "ISO-8859-9"},
                                               {"-b", "203", "ISO-8859-15"},
                                               {"-T", "166", "TIS-620"},
                                               {")I", "13", "SHIFT_JIS"},
                                               {"$)C", "149", "EUC-KR"},
                                               {"$)A", "58", "GB2312"}}};
/// Those of the lower half (G0): ASCII, JIS X 0201, JIS X 0208, JIS X 0212. ISO-2022-JP-2 has them
/// all under the same sequences.
constexpr std::array<std::string_view, 5> kLowerSets{"(B", "(J", "$B", "$@", "$(D"};
constexpr const char* kLowerEncoding = "ISO-2022-JP-2";

/// Appends `bytes` as UTF-8; false if they are none of the encoding.
bool append_utf8(const char* encoding, std::string bytes, std::string& out) {
  iconv_t converter = iconv_open("UTF-8", encoding);
  if (converter == reinterpret_cast<iconv_t>(-1)) return false;
  std::string utf8(bytes.size() * 4 + 16, '\0');
  char* in = bytes.data();
  char* to = utf8.data();
  size_t in_left = bytes.size();
  size_t out_left = utf8.size();
  const bool ok = iconv(converter, &in, &in_left, &to, &out_left) != static_cast<size_t>(-1) &&
                  iconv(converter, nullptr, nullptr, &to, &out_left) != static_cast<size_t>(-1);
  iconv_close(converter);
  if (ok) out.append(utf8, 0, utf8.size() - out_left);
  return ok;
}

const char* first_upper_set(std::string_view charsets) {
  const std::string_view first = charsets.substr(0, charsets.find('\\'));
  for (const UpperSet& set : kUpperSets) {
    if (first.ends_with(" " + std::string(set.number))) return set.iconv_name;
  }
  return nullptr;
}

}  // namespace

std::optional<std::string> iso2022_to_utf8(std::string_view text, std::string_view charsets) {
  const char* upper = first_upper_set(charsets);
  std::string_view lower = kLowerSets[0];
  std::string out;
  const auto is_high = [&](size_t i) { return (static_cast<unsigned char>(text[i]) & 0x80) != 0; };
  for (size_t at = 0; at < text.size();) {
    if (text[at] == '\x1b') {
      const std::string_view rest = text.substr(at + 1);
      const auto begins = [&](std::string_view escape) { return rest.starts_with(escape); };
      const auto* low = std::find_if(kLowerSets.begin(), kLowerSets.end(), begins);
      const auto* high = std::find_if(kUpperSets.begin(), kUpperSets.end(),
                                      [&](const UpperSet& s) { return begins(s.escape); });
      if (low == kLowerSets.end() && high == kUpperSets.end()) return std::nullopt;
      if (low != kLowerSets.end()) lower = *low;
      if (high != kUpperSets.end()) upper = high->iconv_name;
      at += 1 + (low != kLowerSets.end() ? low->size() : high->escape.size());
      continue;
    }
    size_t end = at + 1;
    while (end < text.size() && text[end] != '\x1b' && is_high(end) == is_high(at)) ++end;
    const std::string run(text.substr(at, end - at));
    const bool ok = is_high(at) ? upper != nullptr && append_utf8(upper, run, out)
                                : append_utf8(kLowerEncoding,
                                              "\x1b" + std::string(lower) + run + "\x1b(B", out);
    if (!ok) return std::nullopt;
    at = end;
  }
  return out;
}

}  // namespace unirg::image::internal
