// Sentencepiece's normalisation table ("precompiled charsmap"): a double-array trie from byte
// sequences to replacement text (github.com/google/sentencepiece, src/normalizer.cc). Immutable.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unirg::text {

class Charsmap {
 public:
  Charsmap() = default;
  /// \param blob little-endian uint32 size of the trie, the trie (uint32 units), then replacements,
  /// each closed by a NUL. Empty: no rules. \throws Error(Exit::data)
  explicit Charsmap(std::string_view blob);

  /// Replacement of the shortest rule that `text` begins with, as the `tokenizers` library takes
  /// it.
  [[nodiscard]] std::optional<std::string_view> shortest(std::string_view text) const;
  /// Replacement and length in bytes of the longest rule that `text` begins with, as sentencepiece
  /// takes it.
  [[nodiscard]] std::optional<std::pair<std::string_view, size_t>> longest(
      std::string_view text) const;

 private:
  [[nodiscard]] std::optional<std::string_view> replacement(uint32_t offset) const;
  template <typename Found>
  void walk(std::string_view text, Found found) const;

  std::vector<uint32_t> units_;
  std::string replacements_;
};

/// The `tokenizers` library's Precompiled normalizer: by grapheme if that is short and has a rule,
/// else by character. \param text valid UTF-8
std::string apply_by_grapheme(const Charsmap& map, std::string_view text);

/// Standard base64 with padding; nullopt if it is not that.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace unirg::text
