// SPDX-License-Identifier: Apache-2.0
#include "text/token_charsmap.h"

#include <unicode/brkiter.h>
#include <unicode/utext.h>

#include <cstring>
#include <memory>

#include "base/error.h"
#include "text/bpe_bytes.h"
#include "text/token_classes.h"

namespace unirg::text {
namespace {

constexpr size_t kLongestRule = 6;  // graphemes this long are taken by character

// One unit of a darts-clone double array.
bool has_leaf(uint32_t unit) { return (unit >> 8 & 1) == 1; }
uint32_t value(uint32_t unit) { return unit & 0x7FFFFFFF; }
uint32_t label(uint32_t unit) { return unit & (0x80000000U | 0xFF); }
uint32_t offset(uint32_t unit) { return unit >> 10 << ((unit & (1U << 9)) >> 6); }

void append_by_char(const Charsmap& map, std::string_view text, std::string& out) {
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    next_char(text, at);
    const std::string_view part = text.substr(begin, at - begin);
    out += map.shortest(part).value_or(part);
  }
}

void append_grapheme(const Charsmap& map, std::string_view grapheme, std::string& out) {
  if (grapheme.size() < kLongestRule) {
    if (const auto replaced = map.shortest(grapheme)) {
      out += *replaced;
      return;
    }
  }
  append_by_char(map, grapheme, out);
}

/// In ASCII every character is a grapheme, but CR LF is one.
std::string apply_to_ascii(const Charsmap& map, std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t length = text.substr(at, 2) == "\r\n" ? 2 : 1;
    append_grapheme(map, text.substr(at, length), out);
    at += length;
  }
  return out;
}

}  // namespace

Charsmap::Charsmap(std::string_view blob) {
  if (blob.empty()) return;
  uint32_t size = 0;
  if (blob.size() < sizeof size) throw Error(Exit::data, "charsmap: too short");
  std::memcpy(&size, blob.data(), sizeof size);
  blob.remove_prefix(sizeof size);
  if (size > blob.size() || size % sizeof(uint32_t) != 0 || size == 0)
    throw Error(Exit::data, "charsmap: the trie ends outside");
  units_.resize(size / sizeof(uint32_t));
  std::memcpy(units_.data(), blob.data(), size);
  replacements_ = blob.substr(size);
  if (!is_utf8(replacements_)) throw Error(Exit::data, "charsmap: replacements are not UTF-8");
}

std::optional<std::string_view> Charsmap::replacement(uint32_t begin) const {
  // A damaged trie may point outside or into a character: no rule, then.
  if (begin >= replacements_.size()) return std::nullopt;
  if ((static_cast<unsigned char>(replacements_[begin]) & 0xC0) == 0x80) return std::nullopt;
  const size_t end = replacements_.find('\0', begin);
  return std::string_view(replacements_)
      .substr(begin, end == std::string::npos ? end : end - begin);
}

/// Calls found(value, length) for each rule that text begins with, shortest first, until it gives
/// false.
template <typename Found>
void Charsmap::walk(std::string_view text, Found found) const {
  if (units_.empty()) return;
  uint32_t node = offset(units_[0]);
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == 0) return;
    node ^= byte;
    if (node >= units_.size() || label(units_[node]) != byte) return;
    const uint32_t unit = units_[node];
    node ^= offset(unit);
    if (!has_leaf(unit)) continue;
    if (node >= units_.size() || !found(value(units_[node]), i + 1)) return;
  }
}

std::optional<std::string_view> Charsmap::shortest(std::string_view text) const {
  std::optional<std::string_view> out;
  walk(text, [&](uint32_t begin, size_t) {
    out = replacement(begin);
    return false;
  });
  return out;
}

std::optional<std::pair<std::string_view, size_t>> Charsmap::longest(std::string_view text) const {
  std::optional<std::pair<std::string_view, size_t>> out;
  walk(text, [&](uint32_t begin, size_t length) {
    if (const auto replaced = replacement(begin)) out = {*replaced, length};
    return true;
  });
  return out;
}

std::string apply_by_grapheme(const Charsmap& map, std::string_view text) {
  if (is_ascii(text)) return apply_to_ascii(map, text);
  UErrorCode status = U_ZERO_ERROR;
  thread_local const std::unique_ptr<icu::BreakIterator> graphemes(
      icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), status));
  UNIRG_ASSERT(graphemes != nullptr, "ICU has no grapheme rules");
  status = U_ZERO_ERROR;
  UText* utext = utext_openUTF8(nullptr, text.data(), static_cast<int64_t>(text.size()), &status);
  graphemes->setText(utext, status);
  utext_close(utext);  // the iterator has made its own shallow copy
  UNIRG_ASSERT(U_SUCCESS(status), "grapheme iteration failed");
  std::string out;
  int32_t begin = graphemes->first();
  for (int32_t end = graphemes->next(); end != icu::BreakIterator::DONE; end = graphemes->next()) {
    append_grapheme(map, text.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin)),
                    out);
    begin = end;
  }
  return out;
}

std::optional<std::string> decode_base64(std::string_view text) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.size() % 4 != 0) return std::nullopt;
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string out;
  out.reserve(text.size() * 3 / 4);
  uint32_t bits = 0, held = 0;
  for (const char c : text) {
    const size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out += static_cast<char>(bits >> held & 0xFF);
  }
  return out;
}

}  // namespace unirg::text
