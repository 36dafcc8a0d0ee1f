// Exact small numbers for tokens and n-grams, so that they are compared and counted as integers: no
// hash value ever stands for an n-gram. Pure data. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unirg::metrics {

/// A number of a token or n-gram in one index.
using GramId = uint32_t;
inline constexpr GramId kNoGram = 0xffffffffU;
inline constexpr size_t kMaxOrder = 4;
using Ids = std::vector<GramId>;

/// A map from pairs of ids to ids: open addressing, because an index lives for one group of reports
/// and a node for every n-gram would cost more than all the counting.
class PairMap {
 public:
  /// \param expected pairs that it holds without growing
  explicit PairMap(size_t expected = 0);
  [[nodiscard]] GramId find(GramId first, GramId second) const;
  /// The pair's value, which is `value` from now on if it had none.
  GramId find_or_add(GramId first, GramId second, GramId value);
  /// Asks for the memory that find() will look at: a large map is mostly not in the cache.
  void prefetch(GramId first, GramId second) const;
  [[nodiscard]] size_t size() const { return size_; }
  /// Every pair with its value, in no order: first, second, value.
  [[nodiscard]] std::vector<std::array<GramId, 3>> entries() const;

 private:
  struct Slot {
    uint64_t key = 0;
    GramId value = kNoGram;  ///< kNoGram: empty
  };
  void grow();
  [[nodiscard]] size_t place(uint64_t key) const;
  std::vector<Slot> slots_;  ///< a power of two, or none
  size_t size_ = 0;
};

/// A map from tokens to ids, made alike: all tokens lie in one string.
class TokenMap {
 public:
  /// Makes room for so many tokens, if there are none yet.
  void reserve(size_t tokens);
  static size_t hash(std::string_view token) { return std::hash<std::string_view>{}(token); }
  /// \param hash hash(token), which a caller with two maps works out once
  [[nodiscard]] GramId find(std::string_view token, size_t hash) const;
  /// The token's value, which is `value` from now on if it had none.
  GramId find_or_add(std::string_view token, size_t hash, GramId value);
  /// Every token with its id, in no order.
  [[nodiscard]] std::vector<std::pair<std::string_view, GramId>> entries() const;

 private:
  struct Slot {
    size_t hash = 0;
    size_t begin = 0;  ///< in text_
    uint32_t length = 0;
    GramId value = kNoGram;  ///< kNoGram: empty
  };
  void grow();
  [[nodiscard]] std::string_view token(const Slot& slot) const {
    return std::string_view(text_).substr(slot.begin, slot.length);
  }
  [[nodiscard]] size_t place(std::string_view token, size_t hash) const;
  std::vector<Slot> slots_;
  std::string text_;
  size_t size_ = 0;
};

/// Numbers tokens and n-grams as they come. An n-gram is its first n-1 tokens' number and its last
/// token's. With a base, which has none itself, what the base knows keeps the base's number and
/// what is new gets numbers from base->size() on; the base is only read, so many indices may share
/// one over threads.
class GramIndex {
 public:
  explicit GramIndex(const GramIndex* base = nullptr)
      : base_(base), size_(base == nullptr ? 0 : base->size()) {}

  /// \param token of at most 4 GB
  GramId add(std::string_view token);
  GramId add(GramId gram, GramId token);
  /// kNoGram where it was never added.
  [[nodiscard]] GramId find(std::string_view token) const;
  [[nodiscard]] GramId find(GramId gram, GramId token) const;
  void prefetch(GramId gram, GramId token) const {
    (base_ == nullptr ? pairs_ : base_->pairs_).prefetch(gram, token);
  }
  /// \param tokens strings or views of them
  template <typename Token>
  Ids add(const std::vector<Token>& tokens) {
    Ids ids;
    ids.reserve(tokens.size());
    if (base_ == nullptr) tokens_.reserve(tokens.size());
    for (const Token& token : tokens) ids.push_back(add(std::string_view(token)));
    return ids;
  }
  [[nodiscard]] GramId size() const { return size_; }
  /// What each number stands for, tokens joined by single spaces; only of an index without a base.
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  const GramIndex* base_;
  GramId size_;
  TokenMap tokens_;
  PairMap pairs_;
};

/// Different n-grams of one order with how often they occur, by number.
/// The n-grams of one text by where they begin, orders 1..max_order; one comes as often as it is
/// there. \param tokens of `index`, which learns what it does not know
std::array<Ids, kMaxOrder> gram_ids(GramIndex& index, const Ids& tokens, size_t max_order);

using GramCounts = std::vector<std::pair<GramId, uint32_t>>;

/// How often each n-gram is in one text, orders 1..max_order; sorted by n-gram.
struct Grams {
  std::array<GramCounts, kMaxOrder> orders;
};
Grams count_grams(GramIndex& index, const Ids& tokens, size_t max_order);

/// The n-grams of a reference, ready to be matched by many hypotheses.
class ReferenceGrams {
 public:
  ReferenceGrams(const Ids& reference, size_t max_order);
  /// Clipped matches of each order, sum over n-grams of min(count in hypothesis, in reference);
  /// orders above max_order are 0. Ids as given to the constructor's.
  [[nodiscard]] std::array<size_t, kMaxOrder> matches(const Ids& hypothesis) const;

 private:
  size_t max_order_;
  PairMap grams_;                 ///< (n-gram of the reference or kNoGram, token) -> n-gram
  std::vector<uint32_t> counts_;  ///< by n-gram
};

/// How many n-grams of an order a text has.
constexpr size_t gram_total(size_t tokens, size_t order) {
  return tokens >= order ? tokens - order + 1 : 0;
}

}  // namespace unirg::metrics
