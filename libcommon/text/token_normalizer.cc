// SPDX-License-Identifier: Apache-2.0
#include "text/token_normalizer.h"

#include <fmt/format.h>
#include <unicode/normalizer2.h>
#include <unicode/uniset.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "base/error.h"
#include "text/bpe_bytes.h"
#include "text/token_classes.h"

namespace unirg::text {
namespace {

/// Hostile replacements could grow a text without end.
constexpr size_t kLargestText = size_t{1} << 30;
constexpr std::string_view kSpaceMark = "\xe2\x96\x81";  // U+2581

const icu::Normalizer2& base_form(UnicodeForm form) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* out = nullptr;
  switch (form) {
    case UnicodeForm::nfc:
      out = icu::Normalizer2::getNFCInstance(status);
      break;
    case UnicodeForm::nfd:
      out = icu::Normalizer2::getNFDInstance(status);
      break;
    case UnicodeForm::nfkc:
      out = icu::Normalizer2::getNFKCInstance(status);
      break;
    case UnicodeForm::nfkd:
      out = icu::Normalizer2::getNFKDInstance(status);
      break;
  }
  UNIRG_ASSERT(U_SUCCESS(status), "ICU has no normalisation data");
  return *out;
}

/// The library's tables are those of Unicode 9; later characters pass unchanged.
const icu::UnicodeSet& unicode_9() {
  static const auto made = [] {
    UErrorCode status = U_ZERO_ERROR;
    auto set = std::make_unique<icu::UnicodeSet>(u"[:age=9.0:]", status);
    UNIRG_ASSERT(U_SUCCESS(status), "ICU has no character ages");
    set->freeze();
    return set;
  }();
  return *made;
}

std::string to_form(UnicodeForm form, const std::string& text) {
  UErrorCode status = U_ZERO_ERROR;
  if (base_form(form).isNormalizedUTF8(text, status)) return text;
  const auto decoded = icu::UnicodeString::fromUTF8(text);
  const icu::FilteredNormalizer2 filtered(base_form(form), unicode_9());
  icu::UnicodeString formed;
  filtered.normalize(decoded, formed, status);
  UNIRG_ASSERT(U_SUCCESS(status), "normalisation failed");
  std::string out;
  formed.toUTF8String(out);
  return out;
}

/// Each character through change(out, c), which appends what it becomes.
template <typename Change>
std::string map_chars(std::string_view text, bool& at_start, Change change) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const bool first = at == 0;
    change(out, next_char(text, at));
    if (first && out.empty()) at_start = false;
  }
  return out;
}

std::string apply(const BertNormalizer& n, std::string text, bool& at_start) {
  if (n.clean) {
    text = map_chars(text, at_start, [](std::string& out, char32_t c) {
      if (c == 0 || c == 0xFFFD || is_control(c)) return;
      append_char(out, is_white(c) ? U' ' : c);
    });
  }
  if (n.ideographs && !is_ascii(text)) {
    text = map_chars(text, at_start, [](std::string& out, char32_t c) {
      const bool alone = is_ideograph(c);
      if (alone) out += ' ';
      append_char(out, c);
      if (alone) out += ' ';
    });
  }
  if (n.strip_accents && !is_ascii(text)) {
    text = map_chars(to_form(UnicodeForm::nfd, text), at_start, [](std::string& out, char32_t c) {
      if (!is_nonspacing_mark(c)) append_char(out, c);
    });
  }
  if (n.lower) text = map_chars(text, at_start, append_lower);
  return text;
}

std::string apply(UnicodeForm form, std::string text, bool&) {
  return is_ascii(text) ? text : to_form(form, text);
}

std::string apply(const LowerNormalizer&, const std::string& text, bool& at_start) {
  return map_chars(text, at_start, append_lower);
}

std::string apply(const StripAccentsNormalizer&, const std::string& text, bool& at_start) {
  return map_chars(text, at_start, [](std::string& out, char32_t c) {
    if (!is_combining_mark(c)) append_char(out, c);
  });
}

std::string apply(const NmtNormalizer&, const std::string& text, bool& at_start) {
  return map_chars(text, at_start, [](std::string& out, char32_t c) {
    const bool dropped = (c >= 1 && c <= 8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F ||
                         c == 0x8F || c == 0x9F;
    const bool blank = c == 9 || c == 0xA || c == 0xC || c == 0xD || c == 0x1680 ||
                       (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 || c == 0x2581 ||
                       c == 0xFEFF || c == 0xFFFD;
    if (!dropped) append_char(out, blank ? U' ' : c);
  });
}

std::string apply(const StripNormalizer& n, const std::string& text, bool& at_start) {
  size_t begin = 0, end = text.size();
  for (size_t at = 0; n.left && at < text.size() && is_white(next_char(text, at));) begin = at;
  for (size_t at = end; n.right && at > begin && is_white(previous_char(text, at));) end = at;
  if (begin > 0) at_start = false;
  return text.substr(begin, end - begin);
}

std::string apply(const PrependNormalizer& n, const std::string& text, bool&) {
  return text.empty() ? text : n.text + text;
}

std::string apply(const ReplaceNormalizer& n, const std::string& text, bool& at_start) {
  std::string out;
  for (const Span& span : n.pattern.spans(text)) {
    out += span.match ? n.text : text.substr(span.begin, span.end - span.begin);
    if (out.size() > kLargestText) throw Error(Exit::data, "normalised text is too long");
    if (span.begin == 0 && span.end > 0 && out.empty()) at_start = false;
  }
  return out;
}

std::string apply(const ByteNormalizer&, const std::string& text, bool&) {
  return spell_bytes(text);
}

std::string apply(const Charsmap& map, const std::string& text, bool& at_start) {
  std::string out = apply_by_grapheme(map, text);
  size_t first = 0;
  if (!text.empty()) next_char(text, first);
  if (first > 0 && map.shortest(std::string_view(text).substr(0, first)) == std::string_view())
    at_start = false;
  return out;
}

/// What the front of text becomes, and how many bytes that takes.
std::pair<std::string_view, size_t> normalized_prefix(const SentencePieceNormalizer& n,
                                                      std::string_view text) {
  size_t symbol = 0;
  for (const std::string& s : n.symbols) {
    if (text.starts_with(s)) symbol = std::max(symbol, s.size());
  }
  if (symbol > 0) return {text.substr(0, symbol), symbol};
  if (const auto rule = n.map.longest(text)) return *rule;
  size_t length = 0;
  next_char(text, length);
  return {text.substr(0, length), length};
}

/// sentencepiece, src/normalizer.cc, Normalizer::Normalize.
std::string apply(const SentencePieceNormalizer& n, const std::string& input, bool&) {
  std::string_view text = input;
  while (n.remove_extra_spaces && !text.empty()) {
    const auto [replaced, length] = normalized_prefix(n, text);
    if (replaced != " ") break;
    text.remove_prefix(length);
  }
  if (text.empty()) return "";
  const std::string_view space = n.escape_spaces ? kSpaceMark : " ";
  std::string out(n.dummy_prefix ? space : "");
  bool after_space = n.remove_extra_spaces;
  while (!text.empty()) {
    auto [replaced, length] = normalized_prefix(n, text);
    while (after_space && replaced.starts_with(' ')) replaced.remove_prefix(1);
    for (const char c : replaced) {
      if (c == ' ')
        out += space;
      else
        out += c;
    }
    if (!replaced.empty()) after_space = n.remove_extra_spaces && replaced.ends_with(' ');
    text.remove_prefix(length);
  }
  while (n.remove_extra_spaces && out.ends_with(space)) out.resize(out.size() - space.size());
  return out;
}

Charsmap parse_charsmap(const Node& node) {
  const auto blob = decode_base64(node.string("precompiled_charsmap"));
  if (!blob) node.refuse("precompiled_charsmap is not base64");
  try {
    return Charsmap(*blob);
  } catch (const Error& error) {
    node.refuse(error.what());
  }
}

Normalizer parse_one(const Node& node, const std::string& type) {
  if (type == "NFC") return UnicodeForm::nfc;
  if (type == "NFD") return UnicodeForm::nfd;
  if (type == "NFKC") return UnicodeForm::nfkc;
  if (type == "NFKD") return UnicodeForm::nfkd;
  if (type == "Lowercase") return LowerNormalizer{};
  if (type == "StripAccents") return StripAccentsNormalizer{};
  if (type == "Nmt") return NmtNormalizer{};
  if (type == "ByteLevel") return ByteNormalizer{};
  if (type == "Strip")
    return StripNormalizer{node.flag("strip_left", true), node.flag("strip_right", true)};
  if (type == "Prepend") return PrependNormalizer{node.string("prepend")};
  if (type == "Precompiled") return parse_charsmap(node);
  if (type == "Replace") return ReplaceNormalizer{parse_pattern(node), node.string("content")};
  if (type == "BertNormalizer") {
    const bool lower = node.flag("lowercase", true);
    return BertNormalizer{node.flag("clean_text", true), node.flag("handle_chinese_chars", true),
                          node.optional_flag("strip_accents").value_or(lower), lower};
  }
  node.refuse(fmt::format("normalizer '{}' is not supported", type));
}

void parse_into(const Node& node, int depth, std::vector<Normalizer>& out) {
  if (depth > kDeepestSequence) node.refuse("sequences are nested too deeply");
  const std::string type = node.type();
  if (type != "Sequence") {
    out.push_back(parse_one(node, type));
    return;
  }
  for (const Node& item : node.at("normalizers").items()) parse_into(item, depth + 1, out);
}

}  // namespace

std::vector<Normalizer> parse_normalizers(const Node& node) {
  std::vector<Normalizer> out;
  parse_into(node, 0, out);
  if (out.size() > kMostSteps) node.refuse("too many normalizers");
  return out;
}

std::string normalize(const std::vector<Normalizer>& steps, std::string text, bool& at_start) {
  for (const Normalizer& step : steps) {
    text = std::visit([&](const auto& n) { return apply(n, std::move(text), at_start); }, step);
    if (text.size() > kLargestText) throw Error(Exit::data, "normalised text is too long");
  }
  return text;
}

}  // namespace unirg::text
