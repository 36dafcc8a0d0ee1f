// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/error.h"
#include "text/token_classes.h"
#include "text/token_model.h"

namespace unirg::text {

WordPieceModel::WordPieceModel(Vocabulary vocabulary, std::string_view unk, std::string_view prefix,
                               int64_t longest_word)
    : vocabulary_(std::move(vocabulary)), longest_word_(longest_word) {
  const auto unk_id = vocabulary_.id(unk);
  if (!unk_id)
    throw Error(Exit::data, fmt::format("unknown token '{}' is not in the vocabulary", unk));
  unk_ = *unk_id;
  for (int64_t id = 0; id < vocabulary_.size(); ++id) {
    const std::string& token = vocabulary_.tokens()[static_cast<size_t>(id)];
    if (vocabulary_.id(token) != id) continue;
    first_.insert(token, id);
    if (token.starts_with(prefix)) next_.insert(std::string_view(token).substr(prefix.size()), id);
  }
}

void WordPieceModel::encode(std::string_view piece, std::vector<int64_t>& out) const {
  int64_t characters = 0;
  for (size_t at = 0; at < piece.size(); ++characters) next_char(piece, at);
  const size_t before = out.size();
  size_t at = 0;
  while (at < piece.size() && characters <= longest_word_) {
    size_t length = 0;
    int64_t id = -1;
    (at == 0 ? first_ : next_).prefixes(piece.substr(at), [&](size_t found_length, int64_t found) {
      length = found_length;
      id = found;
    });
    if (id < 0) break;
    out.push_back(id);
    at += length;
  }
  if (at == piece.size()) return;
  out.resize(before);
  out.push_back(unk_);
}

WordLevelModel::WordLevelModel(Vocabulary vocabulary, std::string_view unk)
    : vocabulary_(std::move(vocabulary)), unk_(vocabulary_.id(unk)) {}

void WordLevelModel::encode(std::string_view piece, std::vector<int64_t>& out) const {
  const auto id = vocabulary_.id(piece);
  if (!id && !unk_) throw Error(Exit::data, "a word is unknown and there is no unknown token");
  out.push_back(id ? *id : *unk_);
}

}  // namespace unirg::text
