// SPDX-License-Identifier: Apache-2.0
#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/tokenizer.h"

#include <fmt/format.h>
#include <pcre2.h>
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>

#include <algorithm>
#include <array>
#include <limits>
#include <queue>
#include <unordered_map>

#include "base/error.h"
#include "io/atomic_file.h"
#include "text/bpe_bytes.h"

namespace unirg::text {
namespace {

namespace fs = std::filesystem;
using io::Json;

constexpr const char* kSplitPattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

struct Merge {
  int64_t rank = 0;
  int64_t merged = 0;
};

uint64_t pair_key(int64_t left, int64_t right) {
  return static_cast<uint64_t>(left) << 32 | static_cast<uint64_t>(right);
}

class Splitter {
 public:
  Splitter() {
    int error = 0;
    PCRE2_SIZE offset = 0;
    code_ = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(kSplitPattern), PCRE2_ZERO_TERMINATED,
                          PCRE2_UTF | PCRE2_UCP, &error, &offset, nullptr);
    UNIRG_ASSERT(code_ != nullptr, "the split pattern does not compile");
    pcre2_jit_compile(code_, PCRE2_JIT_COMPLETE);
  }
  ~Splitter() { pcre2_code_free(code_); }
  Splitter(const Splitter&) = delete;
  Splitter& operator=(const Splitter&) = delete;

  /// Calls `emit` with each match; bytes between matches are pieces too.
  template <typename Emit>
  void split(std::string_view text, Emit emit) const {
    const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> data(
        pcre2_match_data_create_from_pattern(code_, nullptr), pcre2_match_data_free);
    const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
    size_t at = 0;
    while (at < text.size()) {
      const int found = pcre2_match(code_, subject, text.size(), at,
                                    at == 0 ? 0 : PCRE2_NO_UTF_CHECK, data.get(), nullptr);
      if (found < 0) break;
      const PCRE2_SIZE* range = pcre2_get_ovector_pointer(data.get());
      if (range[0] > at) emit(text.substr(at, range[0] - at));
      if (range[1] > range[0]) emit(text.substr(range[0], range[1] - range[0]));
      at = std::max<size_t>(range[1], at + 1);
    }
    if (at < text.size()) emit(text.substr(at));
  }

 private:
  pcre2_code* code_ = nullptr;
};

std::string to_nfc(std::string_view text) {
  const bool ascii = std::all_of(text.begin(), text.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (ascii) return std::string(text);
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(status);
  std::string out;
  icu::StringByteSink<std::string> sink(&out);
  nfc->normalizeUTF8(0, icu::StringPiece(text.data(), static_cast<int32_t>(text.size())), sink,
                     nullptr, status);
  UNIRG_ASSERT(U_SUCCESS(status), "NFC failed");
  return out;
}

}  // namespace

struct Tokenizer::Impl {
  BpeParts parts;
  Splitter splitter;
  std::array<int64_t, 256> byte_ids{};
  std::unordered_map<std::string, int64_t> ids;
  std::unordered_map<uint64_t, Merge> merges;
  std::vector<bool> special;            // by id
  std::vector<AddedToken> by_length;    // longest first, for matching
  std::array<bool, 256> opens_added{};  // bytes an added token begins with

  void index();
  void encode_piece(std::string_view piece, std::vector<int64_t>& out) const;
  /// Added token that begins at `at`, nullptr if none.
  [[nodiscard]] const AddedToken* added_at(std::string_view text, size_t at) const {
    if (!opens_added[static_cast<unsigned char>(text[at])]) return nullptr;
    for (const AddedToken& token : by_length) {
      if (text.substr(at, token.content.size()) == token.content) return &token;
    }
    return nullptr;
  }
  /// Walks text: `plain` for stretches without added tokens, `token` for each of these.
  template <typename Plain, typename Token>
  void walk(std::string_view text, Plain plain, Token token) const;
};

void Tokenizer::Impl::index() {
  for (size_t id = 0; id < parts.tokens.size(); ++id) {
    if (!parts.tokens[id].empty()) ids.emplace(parts.tokens[id], static_cast<int64_t>(id));
  }
  for (size_t byte = 0; byte < 256; ++byte) {
    const auto it = ids.find(std::string(1, static_cast<char>(byte)));
    if (it == ids.end())
      throw Error(Exit::data, fmt::format("tokenizer has no token for byte {}", byte));
    byte_ids[byte] = it->second;
  }
  for (size_t rank = 0; rank < parts.merges.size(); ++rank) {
    const auto& [left, right] = parts.merges[rank];
    const auto l = ids.find(left);
    const auto r = ids.find(right);
    const auto m = ids.find(left + right);
    if (l == ids.end() || r == ids.end() || m == ids.end()) {
      throw Error(Exit::data,
                  fmt::format("tokenizer merge {} has no token in the vocabulary", rank));
    }
    merges.emplace(pair_key(l->second, r->second), Merge{static_cast<int64_t>(rank), m->second});
  }
  int64_t size = static_cast<int64_t>(parts.tokens.size());
  for (const AddedToken& token : parts.added) size = std::max(size, token.id + 1);
  parts.tokens.resize(static_cast<size_t>(size));
  special.resize(static_cast<size_t>(size));
  for (const AddedToken& token : parts.added) {
    if (token.content.empty() || token.id < 0)
      throw Error(Exit::data, "tokenizer has an empty added token");
    parts.tokens[static_cast<size_t>(token.id)] = token.content;
    ids[token.content] = token.id;
    special[static_cast<size_t>(token.id)] = token.special;
    by_length.push_back(token);
    opens_added[static_cast<unsigned char>(token.content[0])] = true;
  }
  std::stable_sort(
      by_length.begin(), by_length.end(),
      [](const AddedToken& a, const AddedToken& b) { return a.content.size() > b.content.size(); });
}

/// Merges by rank, leftmost first on ties: a heap of candidate pairs over a linked list of symbols.
void Tokenizer::Impl::encode_piece(std::string_view piece, std::vector<int64_t>& out) const {
  struct Symbol {
    int64_t id = 0;
    int64_t previous = -1, next = -1;
  };
  struct Candidate {
    int64_t rank, left, left_id, right_id;
    bool operator<(const Candidate& o) const {
      return std::pair(rank, left) > std::pair(o.rank, o.left);
    }
  };
  const auto n = static_cast<int64_t>(piece.size());
  std::vector<Symbol> symbols(piece.size());
  for (int64_t i = 0; i < n; ++i) {
    symbols[static_cast<size_t>(i)] = {
        byte_ids[static_cast<unsigned char>(piece[static_cast<size_t>(i)])], i - 1,
        i + 1 < n ? i + 1 : -1};
  }
  std::priority_queue<Candidate> queue;
  const auto consider = [&](int64_t left) {
    if (left < 0 || symbols[static_cast<size_t>(left)].next < 0) return;
    const Symbol& a = symbols[static_cast<size_t>(left)];
    const Symbol& b = symbols[static_cast<size_t>(a.next)];
    const auto it = merges.find(pair_key(a.id, b.id));
    if (it != merges.end()) queue.push({it->second.rank, left, a.id, b.id});
  };
  for (int64_t i = 0; i + 1 < n; ++i) consider(i);
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    Symbol& a = symbols[static_cast<size_t>(best.left)];
    if (a.id != best.left_id || a.next < 0 ||
        symbols[static_cast<size_t>(a.next)].id != best.right_id)
      continue;  // stale
    Symbol& b = symbols[static_cast<size_t>(a.next)];
    a.id = merges.at(pair_key(a.id, b.id)).merged;
    b.id = -1;
    a.next = b.next;
    if (a.next >= 0) symbols[static_cast<size_t>(a.next)].previous = best.left;
    consider(a.previous);
    consider(best.left);
  }
  for (int64_t i = 0; i >= 0 && i < n; i = symbols[static_cast<size_t>(i)].next)
    out.push_back(symbols[static_cast<size_t>(i)].id);
}

template <typename Plain, typename Token>
void Tokenizer::Impl::walk(std::string_view text, Plain plain, Token token) const {
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const AddedToken* added = added_at(text, at);
    if (!added) {
      ++at;
      continue;
    }
    if (at > begin) plain(text.substr(begin, at - begin));
    token(*added);
    at += added->content.size();
    begin = at;
  }
  if (begin < text.size()) plain(text.substr(begin));
}

Tokenizer::Tokenizer(BpeParts parts) {
  auto impl = std::make_shared<Impl>();
  impl->parts = std::move(parts);
  impl->index();
  impl_ = std::move(impl);
}

std::vector<int64_t> Tokenizer::encode(std::string_view utf8) const {
  std::vector<int64_t> out;
  impl_->walk(
      utf8,
      [&](std::string_view plain) {
        impl_->splitter.split(to_nfc(plain),
                              [&](std::string_view piece) { impl_->encode_piece(piece, out); });
      },
      [&](const AddedToken& token) { out.push_back(token.id); });
  return out;
}

std::vector<std::string> Tokenizer::pieces(std::string_view utf8) const {
  std::vector<std::string> out;
  impl_->walk(
      utf8,
      [&](std::string_view plain) {
        impl_->splitter.split(to_nfc(plain),
                              [&](std::string_view piece) { out.emplace_back(piece); });
      },
      [](const AddedToken&) {});
  return out;
}

std::string Tokenizer::decode(std::span<const int64_t> ids, bool skip_special) const {
  std::string joined;
  for (const int64_t id : ids) {
    if (!(skip_special && is_special(id))) joined += bytes(id);
  }
  return replace_broken_utf8(joined);
}

int64_t Tokenizer::size() const { return static_cast<int64_t>(impl_->parts.tokens.size()); }

std::optional<int64_t> Tokenizer::id(std::string_view token) const {
  const auto it = impl_->ids.find(std::string(token));
  return it == impl_->ids.end() ? std::nullopt : std::optional(it->second);
}

std::string_view Tokenizer::bytes(int64_t id) const {
  if (id < 0 || id >= size()) return {};
  return impl_->parts.tokens[static_cast<size_t>(id)];
}

bool Tokenizer::is_special(int64_t id) const {
  return id >= 0 && id < size() && impl_->special[static_cast<size_t>(id)];
}

const std::vector<AddedToken>& Tokenizer::added() const { return impl_->parts.added; }
const BpeParts& Tokenizer::parts() const { return impl_->parts; }
const char* split_pattern() { return kSplitPattern; }

std::string StreamDecoder::push(int64_t id) {
  if (!tokenizer_.is_special(id)) pending_ += tokenizer_.bytes(id);
  const size_t complete = pending_.size() - unfinished_utf8(pending_);
  std::string text = replace_broken_utf8(std::string_view(pending_).substr(0, complete));
  pending_.erase(0, complete);
  return text;
}

std::string StreamDecoder::finish() {
  std::string text = replace_broken_utf8(pending_);
  pending_.clear();
  return text;
}

}  // namespace unirg::text
