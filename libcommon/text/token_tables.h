// Tables that the tokenizer models look things up in: tokens by id and text, pairs of numbers, a
// trie of bytes, ids of pieces seen lately. Private to the text module.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace unirg::text {

/// Tokens by id and ids by token.
class Vocabulary {
 public:
  Vocabulary() = default;
  /// \param tokens by id, "" where an id has no token; of equal tokens the last has the name
  /// \param hidden ids that text cannot name, by id; may be shorter than tokens
  explicit Vocabulary(std::vector<std::string> tokens, const std::vector<bool>& hidden = {});
  Vocabulary(Vocabulary&&) = default;  // ids_ points into tokens_: moves with it, is not copied
  Vocabulary& operator=(Vocabulary&&) = default;
  Vocabulary(const Vocabulary&) = delete;
  Vocabulary& operator=(const Vocabulary&) = delete;

  [[nodiscard]] std::optional<int64_t> id(std::string_view token) const {
    const auto it = ids_.find(token);
    return it == ids_.end() ? std::nullopt : std::optional(it->second);
  }
  [[nodiscard]] const std::vector<std::string>& tokens() const { return tokens_; }
  [[nodiscard]] int64_t size() const { return static_cast<int64_t>(tokens_.size()); }

 private:
  std::vector<std::string> tokens_;
  std::unordered_map<std::string_view, int64_t> ids_;
};

/// "<0x0A>", the token of a byte where a vocabulary falls back to bytes.
std::string byte_token(unsigned char byte);

/// Numbers by pairs of 32-bit numbers: open addressing, for the inner loops.
class PairMap {
 public:
  void reserve(size_t entries);
  /// The last value set wins.
  void set(uint32_t first, uint32_t second, uint64_t value);
  /// nullptr if there is none
  [[nodiscard]] const uint64_t* find(uint32_t first, uint32_t second) const {
    if (slots_.empty()) return nullptr;
    const uint64_t key = join(first, second);
    for (size_t i = start(key);; i = (i + 1) & (slots_.size() - 1)) {
      if (slots_[i].key == key) return &slots_[i].value;
      if (slots_[i].key == kNoKey) return nullptr;
    }
  }

 private:
  struct Slot {
    uint64_t key = kNoKey, value = 0;
  };
  static constexpr uint64_t kNoKey = ~uint64_t{0};
  static uint64_t join(uint32_t first, uint32_t second) { return uint64_t{first} << 32 | second; }
  [[nodiscard]] size_t start(uint64_t key) const {
    return (key * 0x9E3779B97F4A7C15ULL) >> 20 & (slots_.size() - 1);
  }

  std::vector<Slot> slots_;  // a power of two of them, at most half full
  size_t used_ = 0;
};

/// Byte strings with a number each; finds those that a text begins with.
class ByteTrie {
 public:
  /// The last value inserted for a key wins.
  void insert(std::string_view key, int64_t value);
  /// Calls found(length, value) for each key that text begins with, shortest first.
  template <typename Found>
  void prefixes(std::string_view text, Found found) const {
    uint32_t node = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      const uint64_t* child = children_.find(node, static_cast<unsigned char>(text[i]));
      if (!child) return;
      node = static_cast<uint32_t>(*child);
      if (values_[node] >= 0) found(i + 1, values_[node]);
    }
  }

 private:
  PairMap children_;  // (node, byte) -> node
  std::vector<int64_t> values_{-1};
};

/// Remembers the ids of short pieces; one slot a hash. May be used from many threads.
class PieceCache {
 public:
  PieceCache();
  /// Appends the ids of `piece` to `out` if they are known.
  bool find(std::string_view piece, std::vector<int64_t>& out);
  void store(std::string_view piece, std::span<const int64_t> ids);

 private:
  struct Slot {
    std::string piece;
    std::vector<int64_t> ids;
  };
  static constexpr size_t kSlots = 1 << 14, kLocks = 64;
  std::vector<Slot> slots_;
  std::array<std::mutex, kLocks> locks_;
};

}  // namespace unirg::text
