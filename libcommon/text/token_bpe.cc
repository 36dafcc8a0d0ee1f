// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <queue>

#include "base/error.h"
#include "text/token_classes.h"
#include "text/token_model.h"

namespace unirg::text {
namespace {

uint32_t narrow(int64_t id) { return static_cast<uint32_t>(id); }

struct Symbol {
  int64_t id = 0;
  int64_t previous = -1, next = -1;
};

struct Candidate {
  uint32_t rank, merged;
  int64_t left;
  uint32_t left_id, right_id;
  bool operator<(const Candidate& o) const {
    return std::pair(rank, left) > std::pair(o.rank, o.left);
  }
};

/// Merges symbols until no pair has a merge: a heap of candidate pairs over a linked list.
class Merger {
 public:
  Merger(const PairMap& merges, const std::vector<int64_t>& ids) : merges_(merges) {
    const auto n = static_cast<int64_t>(ids.size());
    symbols_.reserve(ids.size());
    for (int64_t i = 0; i < n; ++i)
      symbols_.push_back({ids[static_cast<size_t>(i)], i - 1, i + 1 < n ? i + 1 : -1});
    for (int64_t i = 0; i + 1 < n; ++i) consider(i);
  }

  void run() {
    while (!queue_.empty()) {
      const Candidate best = queue_.top();
      queue_.pop();
      Symbol& a = at(best.left);
      if (a.id != best.left_id || a.next < 0 || at(a.next).id != best.right_id) continue;  // stale
      Symbol& b = at(a.next);
      a.id = best.merged;
      b.id = -1;
      a.next = b.next;
      if (a.next >= 0) at(a.next).previous = best.left;
      consider(a.previous);
      consider(best.left);
    }
  }

  void emit(std::vector<int64_t>& out) const {
    for (int64_t i = symbols_.empty() ? -1 : 0; i >= 0; i = symbols_[static_cast<size_t>(i)].next)
      out.push_back(symbols_[static_cast<size_t>(i)].id);
  }

 private:
  Symbol& at(int64_t i) { return symbols_[static_cast<size_t>(i)]; }

  void consider(int64_t left) {
    if (left < 0 || at(left).next < 0) return;
    const uint32_t a = narrow(at(left).id), b = narrow(at(at(left).next).id);
    if (const uint64_t* merge = merges_.find(a, b))
      queue_.push(
          {narrow(static_cast<int64_t>(*merge >> 32)), static_cast<uint32_t>(*merge), left, a, b});
  }

  const PairMap& merges_;
  std::vector<Symbol> symbols_;
  std::priority_queue<Candidate> queue_;
};

}  // namespace

BpeModel::BpeModel(BpeSpec spec) : spec_(std::move(spec)) {
  vocabulary_ = Vocabulary(std::exchange(spec_.tokens, {}), spec_.literal);
  for (size_t b = 0; b < 256; ++b) {
    const std::string token = spec_.bytes ? std::string(1, static_cast<char>(b))
                                          : byte_token(static_cast<unsigned char>(b));
    byte_ids_[b] = vocabulary_.id(token).value_or(-1);
  }
  if (spec_.unk) {
    const auto unk = vocabulary_.id(*spec_.unk);
    if (!unk)
      throw Error(Exit::data,
                  fmt::format("unknown token '{}' is not in the vocabulary", *spec_.unk));
    unk_ = *unk;
  }
  merges_.reserve(spec_.merges.size());
  for (size_t rank = 0; rank < spec_.merges.size(); ++rank) {
    const auto& [left, right] = spec_.merges[rank];
    const bool continues = !spec_.prefix.empty() && right.starts_with(spec_.prefix);
    const auto l = vocabulary_.id(left);
    const auto r = vocabulary_.id(right);
    const auto m = vocabulary_.id(left + right.substr(continues ? spec_.prefix.size() : 0));
    if (!l || !r || !m)
      throw Error(Exit::data,
                  fmt::format("tokenizer merge {} has no token in the vocabulary", rank));
    merges_.set(narrow(*l), narrow(*r), uint64_t{rank} << 32 | narrow(*m));
  }
}

bool BpeModel::add_bytes(std::string_view text, std::vector<int64_t>& ids) const {
  for (const char c : text) {
    if (byte_ids_[static_cast<unsigned char>(c)] < 0) return false;
  }
  for (const char c : text) ids.push_back(byte_ids_[static_cast<unsigned char>(c)]);
  return true;
}

/// The ids that merging begins with: one a character, or what stands for an unknown one.
void BpeModel::read_symbols(std::string_view piece, std::vector<int64_t>& ids) const {
  bool pending_unk = false;  // an unknown stretch is written once what follows it is known
  const auto flush = [&] {
    if (pending_unk) ids.push_back(unk_);
    pending_unk = false;
  };
  std::string spelled;
  for (size_t at = 0; at < piece.size();) {
    const size_t begin = at;
    if (spec_.bytes)
      ++at;
    else
      next_char(piece, at);
    std::string_view symbol = piece.substr(begin, at - begin);
    const bool continues = begin > 0 && !spec_.prefix.empty();
    const bool ends = at == piece.size() && !spec_.suffix.empty();
    if (continues || ends) {
      spelled =
          fmt::format("{}{}{}", continues ? spec_.prefix : "", symbol, ends ? spec_.suffix : "");
      symbol = spelled;
    }
    if (const auto id = vocabulary_.id(symbol)) {
      flush();
      ids.push_back(*id);
    } else if (!(spec_.byte_fallback && add_bytes(symbol, ids)) && unk_ >= 0) {
      if (!spec_.fuse_unk) flush();
      pending_unk = true;
    }
  }
  flush();
}

void BpeModel::encode(std::string_view piece, std::vector<int64_t>& out) const {
  if (spec_.ignore_merges) {
    if (const auto id = vocabulary_.id(piece)) {
      out.push_back(*id);
      return;
    }
  }
  std::vector<int64_t> ids;
  ids.reserve(piece.size());
  const bool whole = spec_.bytes && add_bytes(piece, ids);  // all bytes are tokens, as a rule
  if (!whole) read_symbols(piece, ids);
  Merger merger(merges_, ids);
  merger.run();
  merger.emit(out);
}

}  // namespace unirg::text
