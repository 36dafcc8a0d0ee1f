// SPDX-License-Identifier: Apache-2.0
#include "metrics/ngrams.h"

#include <algorithm>

namespace unirg::metrics {
namespace {

constexpr uint64_t pair_key(GramId first, GramId second) { return uint64_t{first} << 32 | second; }

}  // namespace

size_t PairMap::place(uint64_t key) const {
  const size_t mask = slots_.size() - 1;
  size_t i = (key * 0x9e3779b97f4a7c15ULL) >> 32 & mask;
  while (slots_[i].value != kNoGram && slots_[i].key != key) i = (i + 1) & mask;
  return i;
}

GramId PairMap::find(GramId first, GramId second) const {
  if (slots_.empty()) return kNoGram;
  return slots_[place(pair_key(first, second))].value;
}

void PairMap::grow() {
  std::vector<Slot> old(std::max<size_t>(64, slots_.size() * 2));
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.value != kNoGram) slots_[place(slot.key)] = slot;
  }
}

void PairMap::insert(GramId first, GramId second, GramId value) {
  if (2 * (size_ + 1) > slots_.size()) grow();
  const uint64_t key = pair_key(first, second);
  slots_[place(key)] = {key, value};
  ++size_;
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

GramId GramIndex::find(std::string_view token) const {
  if (base_ != nullptr) {
    const GramId known = base_->find(token);
    if (known != kNoGram) return known;
  }
  const auto it = tokens_.find(token);
  return it == tokens_.end() ? kNoGram : it->second;
}

GramId GramIndex::find(GramId gram, GramId token) const {
  if (base_ != nullptr) {
    const GramId known = base_->find(gram, token);
    if (known != kNoGram) return known;
  }
  return pairs_.find(gram, token);
}

GramId GramIndex::add(std::string_view token) {
  const GramId known = find(token);
  if (known != kNoGram) return known;
  tokens_.emplace(token, size_);
  return size_++;
}

GramId GramIndex::add(GramId gram, GramId token) {
  const GramId known = find(gram, token);
  if (known != kNoGram) return known;
  pairs_.insert(gram, token, size_);
  return size_++;
}

Ids GramIndex::add(const std::vector<std::string>& tokens) {
  Ids ids;
  ids.reserve(tokens.size());
  for (const std::string& token : tokens) ids.push_back(add(token));
  return ids;
}

std::vector<std::string> GramIndex::names() const {
  std::vector<std::string> names(size_);
  for (const auto& [token, id] : tokens_) names[id] = token;
  auto pairs = pairs_.entries();
  // by age: the n-1-gram that an n-gram begins with is older
  std::sort(pairs.begin(), pairs.end(),
            [](const auto& a, const auto& b) { return a.back() < b.back(); });
  for (const auto& [first, second, id] : pairs) names[id] = names[first] + ' ' + names[second];
  return names;
}

Grams count_grams(GramIndex& index, const Ids& tokens, size_t max_order) {
  Grams grams;
  Ids current = tokens;
  for (size_t n = 0; n < max_order && n < tokens.size(); ++n) {
    if (n > 0) {
      current.pop_back();  // the last n-1-gram has no next token
      for (size_t i = 0; i < current.size(); ++i) current[i] = index.add(current[i], tokens[i + n]);
    }
    Ids sorted = current;
    std::sort(sorted.begin(), sorted.end());
    for (const GramId id : sorted) {
      if (grams.orders[n].empty() || grams.orders[n].back().first != id)
        grams.orders[n].emplace_back(id, 0);
      ++grams.orders[n].back().second;
    }
  }
  return grams;
}

ReferenceGrams::ReferenceGrams(const Ids& reference, size_t max_order) : max_order_(max_order) {
  for (size_t i = 0; i < reference.size(); ++i) {
    GramId gram = kNoGram;
    for (size_t n = 0; n < max_order && i + n < reference.size(); ++n) {
      GramId next = grams_.find(gram, reference[i + n]);
      if (next == kNoGram) {
        next = static_cast<GramId>(counts_.size());
        counts_.push_back(0);
        grams_.insert(gram, reference[i + n], next);
      }
      ++counts_[next];
      gram = next;
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
