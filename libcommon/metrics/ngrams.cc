// SPDX-License-Identifier: Apache-2.0
#include "metrics/ngrams.h"

#include <algorithm>
#include <bit>

namespace unirg::metrics {
namespace {

constexpr uint64_t pair_key(GramId first, GramId second) { return uint64_t{first} << 32 | second; }

/// Where a search for a key begins.
constexpr size_t home(uint64_t key, size_t slots) {
  return (key * 0x9e3779b97f4a7c15ULL) >> 32 & (slots - 1);
}

constexpr size_t kLeastSlots = 64;

}  // namespace

PairMap::PairMap(size_t expected)
    : slots_(expected == 0 ? 0 : std::max(kLeastSlots, std::bit_ceil(2 * (expected + 1)))) {}

size_t PairMap::place(uint64_t key) const {
  const size_t mask = slots_.size() - 1;
  size_t i = home(key, slots_.size());
  while (slots_[i].value != kNoGram && slots_[i].key != key) i = (i + 1) & mask;
  return i;
}

GramId PairMap::find(GramId first, GramId second) const {
  if (slots_.empty()) return kNoGram;
  return slots_[place(pair_key(first, second))].value;
}

void PairMap::prefetch(GramId first, GramId second) const {
  if (!slots_.empty()) __builtin_prefetch(&slots_[home(pair_key(first, second), slots_.size())]);
}

void PairMap::grow() {
  std::vector<Slot> old(std::max(kLeastSlots, slots_.size() * 2));
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.value != kNoGram) slots_[place(slot.key)] = slot;
  }
}

GramId PairMap::find_or_add(GramId first, GramId second, GramId value) {
  if (2 * (size_ + 1) > slots_.size()) grow();
  const uint64_t key = pair_key(first, second);
  Slot& slot = slots_[place(key)];
  if (slot.value == kNoGram) {
    slot = {key, value};
    ++size_;
  }
  return slot.value;
}

std::vector<std::array<GramId, 3>> PairMap::entries() const {
  std::vector<std::array<GramId, 3>> all;
  for (const Slot& slot : slots_) {
    if (slot.value != kNoGram)
      all.push_back(
          {static_cast<GramId>(slot.key >> 32), static_cast<GramId>(slot.key), slot.value});
  }
  return all;
}

size_t TokenMap::place(std::string_view token, size_t hash) const {
  const size_t mask = slots_.size() - 1;
  size_t i = hash & mask;
  for (; slots_[i].value != kNoGram; i = (i + 1) & mask) {
    if (slots_[i].hash == hash && this->token(slots_[i]) == token) break;
  }
  return i;
}

GramId TokenMap::find(std::string_view token, size_t hash) const {
  if (slots_.empty()) return kNoGram;
  return slots_[place(token, hash)].value;
}

void TokenMap::reserve(size_t tokens) {
  if (!slots_.empty()) return;
  slots_.resize(std::max(kLeastSlots, std::bit_ceil(2 * (tokens + 1))));
  text_.reserve(8 * tokens);
}

void TokenMap::grow() {
  std::vector<Slot> old(std::max(kLeastSlots, slots_.size() * 2));
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.value != kNoGram) slots_[place(token(slot), slot.hash)] = slot;
  }
}

GramId TokenMap::find_or_add(std::string_view token, size_t hash, GramId value) {
  if (2 * (size_ + 1) > slots_.size()) grow();
  Slot& slot = slots_[place(token, hash)];
  if (slot.value == kNoGram) {
    slot = {hash, text_.size(), static_cast<uint32_t>(token.size()), value};
    text_ += token;
    ++size_;
  }
  return slot.value;
}

std::vector<std::pair<std::string_view, GramId>> TokenMap::entries() const {
  std::vector<std::pair<std::string_view, GramId>> all;
  for (const Slot& slot : slots_) {
    if (slot.value != kNoGram) all.emplace_back(token(slot), slot.value);
  }
  return all;
}

GramId GramIndex::find(std::string_view token) const {
  const size_t hash = TokenMap::hash(token);
  const GramId known = base_ == nullptr ? kNoGram : base_->tokens_.find(token, hash);
  return known != kNoGram ? known : tokens_.find(token, hash);
}

GramId GramIndex::find(GramId gram, GramId token) const {
  const GramId known = base_ == nullptr ? kNoGram : base_->pairs_.find(gram, token);
  return known != kNoGram ? known : pairs_.find(gram, token);
}

GramId GramIndex::add(std::string_view token) {
  const size_t hash = TokenMap::hash(token);
  const GramId known = base_ == nullptr ? kNoGram : base_->tokens_.find(token, hash);
  if (known != kNoGram) return known;
  const GramId id = tokens_.find_or_add(token, hash, size_);
  size_ += static_cast<GramId>(id == size_);
  return id;
}

GramId GramIndex::add(GramId gram, GramId token) {
  const GramId known = base_ == nullptr ? kNoGram : base_->pairs_.find(gram, token);
  if (known != kNoGram) return known;
  const GramId id = pairs_.find_or_add(gram, token, size_);
  size_ += static_cast<GramId>(id == size_);
  return id;
}

std::vector<std::string> GramIndex::names() const {
  std::vector<std::string> names(size_);
  for (const auto& [token, id] : tokens_.entries()) names[id] = token;
  auto pairs = pairs_.entries();
  // by age: the n-1-gram that an n-gram begins with is older
  std::sort(pairs.begin(), pairs.end(),
            [](const auto& a, const auto& b) { return a.back() < b.back(); });
  for (const auto& [first, second, id] : pairs) names[id] = names[first] + ' ' + names[second];
  return names;
}

std::array<Ids, kMaxOrder> gram_ids(GramIndex& index, const Ids& tokens, size_t max_order) {
  std::array<Ids, kMaxOrder> orders;
  for (size_t n = 0; n < max_order && n < tokens.size(); ++n) {
    Ids& grams = orders[n];
    grams = n == 0 ? tokens : orders[n - 1];
    if (n == 0) continue;
    grams.pop_back();  // the last n-1-gram has no next token
    for (size_t i = 0; i < grams.size(); ++i) index.prefetch(grams[i], tokens[i + n]);
    for (size_t i = 0; i < grams.size(); ++i) grams[i] = index.add(grams[i], tokens[i + n]);
  }
  return orders;
}

Grams count_grams(GramIndex& index, const Ids& tokens, size_t max_order) {
  Grams grams;
  auto orders = gram_ids(index, tokens, max_order);
  for (size_t n = 0; n < max_order; ++n) {
    Ids& sorted = orders[n];
    std::sort(sorted.begin(), sorted.end());
    grams.orders[n].reserve(sorted.size());
    for (const GramId id : sorted) {
      if (grams.orders[n].empty() || grams.orders[n].back().first != id)
        grams.orders[n].emplace_back(id, 0);
      ++grams.orders[n].back().second;
    }
  }
  return grams;
}

ReferenceGrams::ReferenceGrams(const Ids& reference, size_t max_order)
    : max_order_(max_order), grams_(reference.size() * max_order) {
  counts_.reserve(reference.size() * max_order);
  for (size_t i = 0; i < reference.size(); ++i) {
    GramId gram = kNoGram;
    for (size_t n = 0; n < max_order && i + n < reference.size(); ++n) {
      gram = grams_.find_or_add(gram, reference[i + n], static_cast<GramId>(counts_.size()));
      if (gram == counts_.size()) counts_.push_back(0);
      ++counts_[gram];
    }
  }
}

std::array<size_t, kMaxOrder> ReferenceGrams::matches(const Ids& hypothesis) const {
  std::array<size_t, kMaxOrder> matched{};
  std::vector<uint32_t> left = counts_;
  for (size_t i = 0; i < hypothesis.size(); ++i) {
    GramId gram = kNoGram;
    for (size_t n = 0; n < max_order_ && i + n < hypothesis.size(); ++n) {
      gram = grams_.find(gram, hypothesis[i + n]);
      if (gram == kNoGram) break;  // no longer n-gram from here is in the reference either
      if (left[gram] == 0) continue;
      --left[gram];
      ++matched[n];
    }
  }
  return matched;
}

}  // namespace unirg::metrics
