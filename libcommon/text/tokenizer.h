// Tokenizers as the `tokenizers` library has them: added tokens first, then normalizer,
// pre-tokenizer, model (byte-level BPE, BPE, WordPiece, Unigram), special tokens round the text;
// and back. Read from tokenizer.json or from the older sets of files; token_*.h hold the parts.
// Immutable after loading; encode and decode may be called from many threads. ICU and PCRE2 stay in
// the sources. Depends on io (JSON).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/jsonl.h"

namespace unirg::text {

/// A token that is matched in the text before anything else.
struct AddedToken {
  std::string content;
  int64_t id = 0;
  bool special = true;       ///< left out by decode(..., skip_special)
  bool single_word = false;  ///< not inside a word
  bool lstrip = false;       ///< takes blanks to its left
  bool rstrip = false;       ///< takes blanks to its right
  bool normalized = false;   ///< matched in normalised text
};

/// What a byte-level BPE of the Qwen2 kind consists of. Tokens are spelled in bytes here, not in
/// the byte alphabet.
struct BpeParts {
  std::vector<std::string> tokens;                          ///< by id; "" where an id has no token
  std::vector<std::pair<std::string, std::string>> merges;  ///< best first
  std::vector<AddedToken> added;
};

struct EncodeOptions {
  bool add_special_tokens = true;  ///< the tokenizer's template round the text, e.g. [CLS] A [SEP]
  int64_t max_length = 0;          ///< ids at most, special tokens counted and kept; 0: no limit
};

/// One text or two as ids. The three have one length.
struct Encoding {
  std::vector<int64_t> ids;
  std::vector<int64_t> type_ids;  ///< which text an id belongs to, as the template says
  std::vector<int64_t> words;     ///< index of the word an id comes from, -1: special tokens
};

struct Pipeline;  // token_pipeline.h

class Tokenizer {
 public:
  /// \throws Error(Exit::data) if a byte or a merge has no token
  explicit Tokenizer(BpeParts parts);
  /// \param path a folder with tokenizer.json, or vocab.json + merges.txt, or vocab.txt, or a
  /// sentencepiece model (spm.model, spiece.model, tokenizer.model); or one of these files.
  /// Truncation and padding written in a file are left to the caller.
  /// \throws Error(Exit::no_input) if there is none, Error(Exit::data) naming file and what is
  /// wrong
  static Tokenizer load(const std::filesystem::path& path);

  /// Ids of the text alone. Broken UTF-8 counts as U+FFFD.
  /// \throws Error(Exit::data) if the model has no token for a character and none for unknown ones
  [[nodiscard]] std::vector<int64_t> encode(std::string_view utf8) const;
  [[nodiscard]] std::vector<int64_t> encode(std::string_view utf8,
                                            const EncodeOptions& options) const;
  /// Two texts; the longer one is cut first. Of whole texts `words` says nothing (0).
  [[nodiscard]] Encoding encode_pair(std::string_view a, std::string_view b,
                                     const EncodeOptions& options) const;
  /// A text given as words, each encoded on its own (the library's is_pretokenized).
  [[nodiscard]] Encoding encode_words(std::span<const std::string> words,
                                      const EncodeOptions& options) const;
  /// Unknown ids are left out; broken UTF-8 becomes U+FFFD.
  [[nodiscard]] std::string decode(std::span<const int64_t> ids, bool skip_special = true) const;
  /// One past the largest id that has a token.
  [[nodiscard]] int64_t size() const;
  /// \param token in bytes for byte-level models, e.g. " the"; else as the file spells it
  [[nodiscard]] std::optional<int64_t> id(std::string_view token) const;
  /// As the file spells it, e.g. "Ġthe"; "" for ids without a token.
  [[nodiscard]] std::string token(int64_t id) const;
  [[nodiscard]] const std::vector<AddedToken>& added() const;
  /// tokenizer.json. Of the Qwen2 kind it is written anew, key order fixed; of other kinds it is
  /// the file that was read. \throws Error(Exit::data) if this was read from a sentencepiece model
  [[nodiscard]] io::Json to_json() const;
  /// Pieces of text between added tokens, before the model; for training and tests.
  [[nodiscard]] std::vector<std::string> pieces(std::string_view utf8) const;
  /// The bytes a token stands for; "" for ids without a token. Models that are not byte-level: the
  /// token as it is spelled.
  [[nodiscard]] std::string_view bytes(int64_t id) const;
  [[nodiscard]] bool is_special(int64_t id) const;

 private:
  friend class StreamDecoder;
  explicit Tokenizer(Pipeline pipeline);
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

/// How text is cut before BPE: the pattern of Qwen2's tokenizer.json.
const char* split_pattern();

/// Turns a stream of tokens into text, holding back what later tokens may yet change, such as bytes
/// of an unfinished character. Special tokens are left out. The parts joined are decode() of all
/// ids.
class StreamDecoder {
 public:
  /// \param tokenizer must outlive this
  explicit StreamDecoder(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}
  /// Text that is complete with this token; "" while bytes are missing.
  std::string push(int64_t id);
  /// What is left at the end: U+FFFD for an unfinished character, else "".
  std::string finish();

 private:
  /// What decoded text has beyond the bytes given out; U+FFFD at the end waits if `hold`.
  std::string news(const std::string& text, bool hold);

  const Tokenizer& tokenizer_;
  std::string pending_;              // byte-level: bytes not yet given out
  std::vector<std::string> tokens_;  // other decoders: all tokens so far
  size_t given_ = 0;                 // bytes of their text given out
};

}  // namespace unirg::text
