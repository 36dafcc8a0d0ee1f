// Models of tokenizer.json: ids of one piece of text. Immutable once made; encode may be called
// from many threads. Private to the text module. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "text/token_json.h"
#include "text/token_tables.h"

namespace unirg::text {

/// What a BPE consists of, as read.
struct BpeSpec {
  std::vector<std::string> tokens;  ///< by id; bytes if `bytes`, else text
  std::vector<bool> literal;        ///< by id: a token outside the byte alphabet; may be shorter
  std::vector<std::pair<std::string, std::string>> merges;  ///< best first
  std::optional<std::string> unk;
  std::string prefix, suffix;  ///< of characters that continue, or end, a piece
  bool fuse_unk = false;
  bool byte_fallback = false;
  bool ignore_merges = false;  ///< a piece that is a token needs no merges
  bool bytes = false;          ///< works on bytes, not on characters
};

/// Byte-pair encoding: merges by rank, lowest first, leftmost on ties (Sennrich et al. 2016).
class BpeModel {
 public:
  /// \throws Error(Exit::data) if a merge or the unknown token is not in the vocabulary
  explicit BpeModel(BpeSpec spec);
  void encode(std::string_view piece, std::vector<int64_t>& out) const;
  [[nodiscard]] const Vocabulary& vocabulary() const { return vocabulary_; }
  /// What it was made of, but for the tokens.
  [[nodiscard]] const BpeSpec& spec() const { return spec_; }

 private:
  void read_symbols(std::string_view piece, std::vector<int64_t>& ids) const;
  bool add_bytes(std::string_view text, std::vector<int64_t>& ids) const;

  BpeSpec spec_;  // tokens moved to vocabulary_
  Vocabulary vocabulary_;
  PairMap merges_;                       // pair of ids -> rank, merged id
  std::array<int64_t, 256> byte_ids_{};  // -1: none
  int64_t unk_ = -1;
};

/// Greedy longest match from the left (Devlin et al. 2018).
class WordPieceModel {
 public:
  /// \throws Error(Exit::data) if unk is not in the vocabulary
  WordPieceModel(Vocabulary vocabulary, std::string_view unk, std::string_view prefix,
                 int64_t longest_word);
  void encode(std::string_view piece, std::vector<int64_t>& out) const;
  [[nodiscard]] const Vocabulary& vocabulary() const { return vocabulary_; }

 private:
  Vocabulary vocabulary_;
  ByteTrie first_, next_;  // tokens as they are; tokens without the prefix that they begin with
  int64_t unk_ = 0;
  int64_t longest_word_ = 100;  // in characters
};

/// One token a piece.
class WordLevelModel {
 public:
  WordLevelModel(Vocabulary vocabulary, std::string_view unk);
  void encode(std::string_view piece, std::vector<int64_t>& out) const;
  [[nodiscard]] const Vocabulary& vocabulary() const { return vocabulary_; }

 private:
  Vocabulary vocabulary_;
  std::optional<int64_t> unk_;
};

/// What a Unigram model consists of.
struct UnigramSpec {
  std::vector<std::string> tokens;  ///< by id
  std::vector<double> scores;       ///< log-probabilities, by id
  std::vector<bool> silent;         ///< by id: never in text (control tokens); may be shorter
  std::vector<bool> symbols;        ///< by id: user-defined, always taken; may be shorter
  std::optional<int64_t> unk;
  bool byte_fallback = false;
  bool single = false;  ///< sums in single precision, as sentencepiece; else as the library
};

/// The likeliest segmentation (Kudo 2018), by the rules of the `tokenizers` library: a character
/// without a token costs the lowest score less 10, and unknown characters in a row are one token.
class UnigramModel {
 public:
  /// \throws Error(Exit::data) if sizes differ or unk is outside
  explicit UnigramModel(UnigramSpec spec);
  /// \throws Error(Exit::data) if a character is unknown and there is no unknown token
  void encode(std::string_view piece, std::vector<int64_t>& out) const;
  [[nodiscard]] const Vocabulary& vocabulary() const { return vocabulary_; }

 private:
  struct Best {
    double score = 0;
    size_t begin = 0;
    int64_t id = -1;  // -1: not reached
  };
  [[nodiscard]] std::vector<Best> search(std::string_view piece) const;
  void emit(std::string_view token, bool is_unk, std::vector<int64_t>& out) const;
  [[nodiscard]] double add(double a, double b) const;

  Vocabulary vocabulary_;
  std::vector<double> scores_;
  ByteTrie trie_;
  std::array<int64_t, 256> byte_ids_{};
  std::optional<int64_t> unk_;
  double unk_score_ = 0;
  bool byte_fallback_ = false, single_ = false;
};

using Model = std::variant<BpeModel, WordPieceModel, WordLevelModel, UnigramModel>;

/// \param node member "model" of tokenizer.json \param bytes pieces come in bytes: see BpeSpec
Model parse_model(const Node& node, bool bytes);
/// Type of a model object; older files leave it out.
std::string model_type(const Node& node);
/// Tokens by id from an object of ids by token. \throws Error(Exit::data)
std::vector<std::string> parse_vocabulary(const Node& node);

}  // namespace unirg::text
