// Text of DICOM files as UTF-8.
// SPDX-License-Identifier: Apache-2.0
#include "image/dicom_text.h"

#include <dcmtk/config/osconfig.h>
//
#include <dcmtk/dcmdata/dcspchrs.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>

#include "image/dicom_internal.h"

namespace unirg::image::internal {
namespace {

/// Length of the valid UTF-8 sequence at `at`, 0 if there is none (RFC 3629: no surrogates, no
/// overlong forms).
size_t utf8_length(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) {
    return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0};
  };
  const auto is_tail = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const uint8_t b = byte(at);
  const uint8_t next = byte(at + 1);
  if (b < 0x80) return 1;
  if (b >= 0xC2 && b <= 0xDF) return is_tail(at + 1) ? 2 : 0;
  if (b >= 0xE0 && b <= 0xEF) {
    if ((b == 0xE0 && next < 0xA0) || (b == 0xED && next > 0x9F)) return 0;
    return is_tail(at + 1) && is_tail(at + 2) ? 3 : 0;
  }
  if (b >= 0xF0 && b <= 0xF4) {
    if ((b == 0xF0 && next < 0x90) || (b == 0xF4 && next > 0x8F)) return 0;
    return is_tail(at + 1) && is_tail(at + 2) && is_tail(at + 3) ? 4 : 0;
  }
  return 0;
}

/// Valid UTF-8 without control characters or surrounding blanks; line breaks stay or become blanks.
/// Bytes that are no UTF-8 become U+FFFD.
std::string clean(std::string_view text, bool keep_lines = false) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const size_t length = utf8_length(text, i);
    const auto byte = static_cast<uint8_t>(text[i]);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else if (byte >= 0x20 && byte != 0x7F) {
      out += text.substr(i, length);
    } else if (byte == '\t' || byte == '\n' || byte == '\r') {
      const bool is_half = byte == '\r' && text.substr(i + 1, 1) == "\n";  // of CR LF
      if (!keep_lines || !is_half) out += keep_lines && byte != '\t' ? '\n' : ' ';
    }
    i += std::max<size_t>(length, 1);
  }
  const size_t first = out.find_first_not_of(' ');
  if (first == out.npos) return {};
  return out.substr(first, out.find_last_not_of(' ') - first + 1);
}

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<uint8_t>(c) < 0x80 && c != '\x1b'; });
}

}  // namespace

TextReader::TextReader(DcmItem& dataset) : dataset_(dataset) {}
TextReader::~TextReader() = default;

std::string TextReader::operator()(DcmItem& item, const DcmTagKey& tag, bool keep_lines) {
  OFString value;
  if (item.findAndGetOFStringArray(tag, value).bad()) return {};
  const std::string_view text(value.c_str(), value.size());
  if (is_plain(text)) return clean(text, keep_lines);
  // PS3.5 6.1.2.5.3: at these characters a code extension ends and the first set is back.
  const char* delimiters = keep_lines ? "\r\n\t\f" : DcmTag(tag).getEVR() == EVR_PN ? "\\^=" : "\\";
  OFString converted;
  if (ready() && charset_->convertString(value, converted, delimiters).good())
    return clean({converted.c_str(), converted.size()}, keep_lines);
  if (const auto utf8 = iso2022_to_utf8(text, raw_text(dataset_, 0x0008, 0x0005)))
    return clean(*utf8, keep_lines);
  return clean(text, keep_lines);
}

bool TextReader::ready() {
  if (!charset_) {
    charset_ = std::make_unique<DcmSpecificCharacterSet>();
    usable_ = charset_->selectCharacterSet(dataset_).good();
  }
  return usable_;
}

std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 200)) out += c >= 0x20 && c < 0x7F ? c : ' ';
  return out;
}

std::string raw_text(DcmItem& dataset, uint16_t group, uint16_t element) {
  OFString value;
  if (dataset.findAndGetOFStringArray(DcmTagKey(group, element), value).bad()) return {};
  return clean({value.c_str(), value.size()});
}

}  // namespace unirg::image::internal
