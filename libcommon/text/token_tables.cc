// SPDX-License-Identifier: Apache-2.0
#include "text/token_tables.h"

#include <fmt/format.h>

#include <bit>
#include <functional>

namespace unirg::text {
namespace {

constexpr size_t kLongestCached = 128;  // bytes; longer pieces hardly recur

}  // namespace

Vocabulary::Vocabulary(std::vector<std::string> tokens, const std::vector<bool>& hidden)
    : tokens_(std::move(tokens)) {
  ids_.reserve(tokens_.size());
  for (size_t id = 0; id < tokens_.size(); ++id) {
    if (tokens_[id].empty() || (id < hidden.size() && hidden[id])) continue;
    ids_[tokens_[id]] = static_cast<int64_t>(id);
  }
}

std::string byte_token(unsigned char byte) { return fmt::format("<0x{:02X}>", byte); }

void PairMap::reserve(size_t entries) {
  const size_t size = std::bit_ceil(std::max<size_t>(16, 2 * entries));
  if (size <= slots_.size()) return;
  std::vector<Slot> old(size);
  old.swap(slots_);
  used_ = 0;
  for (const Slot& slot : old) {
    if (slot.key != kNoKey)
      set(static_cast<uint32_t>(slot.key >> 32), static_cast<uint32_t>(slot.key), slot.value);
  }
}

void PairMap::set(uint32_t first, uint32_t second, uint64_t value) {
  if (2 * (used_ + 1) > slots_.size()) reserve(2 * (used_ + 1));
  const uint64_t key = join(first, second);
  size_t i = start(key);
  while (slots_[i].key != kNoKey && slots_[i].key != key) i = (i + 1) & (slots_.size() - 1);
  if (slots_[i].key == kNoKey) ++used_;
  slots_[i] = {key, value};
}

void ByteTrie::insert(std::string_view key, int64_t value) {
  uint32_t node = 0;
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    if (const uint64_t* child = children_.find(node, byte)) {
      node = static_cast<uint32_t>(*child);
      continue;
    }
    const auto made = static_cast<uint32_t>(values_.size());
    values_.push_back(-1);
    children_.set(node, byte, made);
    node = made;
  }
  if (node != 0) values_[node] = value;
}

PieceCache::PieceCache() : slots_(kSlots) {}

bool PieceCache::find(std::string_view piece, std::vector<int64_t>& out) {
  if (piece.size() > kLongestCached) return false;
  const size_t hash = std::hash<std::string_view>()(piece);
  const std::lock_guard lock(locks_[hash % kLocks]);
  const Slot& slot = slots_[hash % kSlots];
  if (slot.piece != piece) return false;
  out.insert(out.end(), slot.ids.begin(), slot.ids.end());
  return true;
}

void PieceCache::store(std::string_view piece, std::span<const int64_t> ids) {
  if (piece.size() > kLongestCached) return;
  const size_t hash = std::hash<std::string_view>()(piece);
  const std::lock_guard lock(locks_[hash % kLocks]);
  slots_[hash % kSlots] = {std::string(piece), {ids.begin(), ids.end()}};
}

}  // namespace unirg::text
