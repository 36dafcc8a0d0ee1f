// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "base/error.h"
#include "text/token_classes.h"
#include "text/token_model.h"

namespace unirg::text {
namespace {

constexpr double kUnknownPenalty = 10.0;  // sentencepiece, src/unigram_model.cc

bool set_in(const std::vector<bool>& flags, size_t i) { return i < flags.size() && flags[i]; }

}  // namespace

UnigramModel::UnigramModel(UnigramSpec spec)
    : scores_(std::move(spec.scores)),
      unk_(spec.unk),
      byte_fallback_(spec.byte_fallback),
      single_(spec.single) {
  if (scores_.size() != spec.tokens.size()) throw Error(Exit::data, "a token has no score");
  if (unk_ && (*unk_ < 0 || *unk_ >= static_cast<int64_t>(scores_.size())))
    throw Error(Exit::data, "unk_id is not in the vocabulary");
  double lowest = std::numeric_limits<double>::infinity(), highest = -lowest;
  for (size_t id = 0; id < scores_.size(); ++id) {
    if (set_in(spec.silent, id) || set_in(spec.symbols, id)) continue;
    lowest = std::min(lowest, scores_[id]);
    highest = std::max(highest, scores_[id]);
  }
  unk_score_ = add(lowest, -kUnknownPenalty);
  for (size_t id = 0; id < scores_.size(); ++id) {
    if (set_in(spec.silent, id)) continue;
    const std::string& token = spec.tokens[id];
    // Sentencepiece's rule: a symbol beats any segmentation of its bytes.
    if (set_in(spec.symbols, id))
      scores_[id] = add(static_cast<double>(token.size()) * highest, -0.1);
    trie_.insert(token, static_cast<int64_t>(id));
  }
  vocabulary_ = Vocabulary(std::move(spec.tokens));
  for (size_t b = 0; b < 256; ++b)
    byte_ids_[b] = vocabulary_.id(byte_token(static_cast<unsigned char>(b))).value_or(-1);
}

double UnigramModel::add(double a, double b) const {
  return single_ ? static_cast<double>(static_cast<float>(a) + static_cast<float>(b)) : a + b;
}

/// By byte position: the best way to get there.
std::vector<UnigramModel::Best> UnigramModel::search(std::string_view piece) const {
  std::vector<Best> best(piece.size() + 1);
  for (size_t at = 0; at < piece.size();) {
    const double here = best[at].score;
    const size_t begin = at;
    next_char(piece, at);
    const auto offer = [&](size_t end, double score, int64_t id) {
      if (best[end].id < 0 || score > best[end].score) best[end] = {score, begin, id};
    };
    bool has_single = false;
    trie_.prefixes(piece.substr(begin), [&](size_t length, int64_t id) {
      offer(begin + length, add(scores_[static_cast<size_t>(id)], here), id);
      has_single = has_single || begin + length == at;
    });
    if (has_single) continue;
    if (!unk_) throw Error(Exit::data, "a character is unknown and there is no unknown token");
    offer(at, add(unk_score_, here), *unk_);
  }
  return best;
}

void UnigramModel::emit(std::string_view token, bool is_unk, std::vector<int64_t>& out) const {
  // Unknown characters in a row may spell a token; the library takes it, sentencepiece does not.
  const auto id = is_unk && single_ ? std::nullopt : vocabulary_.id(token);
  if (id) {
    out.push_back(*id);
    return;
  }
  const bool bytes = byte_fallback_ && std::all_of(token.begin(), token.end(), [&](char c) {
                       return byte_ids_[static_cast<unsigned char>(c)] >= 0;
                     });
  if (!bytes) {
    out.push_back(*unk_);
    return;
  }
  for (const char c : token) out.push_back(byte_ids_[static_cast<unsigned char>(c)]);
}

void UnigramModel::encode(std::string_view piece, std::vector<int64_t>& out) const {
  const std::vector<Best> best = search(piece);
  std::vector<std::pair<std::string_view, bool>> tokens;  // from the end; is it unknown?
  for (size_t end = piece.size(); end > 0;) {
    const auto& [score, begin, id] = best[end];
    const bool is_unk = id == unk_;
    std::string_view token = piece.substr(begin, end - begin);
    if (is_unk && !tokens.empty() && tokens.back().second) {
      token = piece.substr(begin, token.size() + tokens.back().first.size());
      tokens.pop_back();
    }
    tokens.emplace_back(token, is_unk);
    end = begin;
  }
  for (auto token = tokens.rbegin(); token != tokens.rend(); ++token)
    emit(token->first, token->second, out);
}

}  // namespace unirg::text
