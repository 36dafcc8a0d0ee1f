// Byte-level BPE of the Qwen2 kind: added tokens first, NFC, the split pattern, GPT-2's byte
// alphabet, merges by rank. Reads and writes tokenizer.json as the `tokenizers` library does.
// Immutable after loading; encode and decode may be called from many threads. ICU and PCRE2 stay in
// the sources. Depends on io (JSON). SPDX-License-Identifier: Apache-2.0
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
  bool special = true;  ///< left out by decode(..., skip_special)
};

/// What a byte-level BPE consists of. Tokens are spelled in bytes here, not in the byte alphabet.
struct BpeParts {
  std::vector<std::string> tokens;                          ///< by id; "" where an id has no token
  std::vector<std::pair<std::string, std::string>> merges;  ///< best first
  std::vector<AddedToken> added;
};

class Tokenizer {
 public:
  explicit Tokenizer(BpeParts parts);
  /// \param path a tokenizer.json, or a folder with tokenizer.json or vocab.json + merges.txt
  /// \throws Error(Exit::no_input) if there is none, Error(Exit::data) naming file and what is
  /// wrong
  static Tokenizer load(const std::filesystem::path& path);

  [[nodiscard]] std::vector<int64_t> encode(std::string_view utf8) const;
  /// Unknown ids are left out; broken UTF-8 becomes U+FFFD.
  [[nodiscard]] std::string decode(std::span<const int64_t> ids, bool skip_special = true) const;
  /// One past the largest id that has a token.
  [[nodiscard]] int64_t size() const;
  [[nodiscard]] std::optional<int64_t> id(std::string_view token) const;
  [[nodiscard]] const std::vector<AddedToken>& added() const;
  /// tokenizer.json, key order fixed.
  [[nodiscard]] io::Json to_json() const;
  /// Pieces of text between added tokens, before BPE; for training and tests.
  [[nodiscard]] std::vector<std::string> pieces(std::string_view utf8) const;
  /// The bytes a token stands for; "" for ids without a token.
  [[nodiscard]] std::string_view bytes(int64_t id) const;
  [[nodiscard]] bool is_special(int64_t id) const;

 private:
  [[nodiscard]] const BpeParts& parts() const;
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

/// How text is cut before BPE: the pattern of Qwen2's tokenizer.json.
const char* split_pattern();

/// Turns a stream of tokens into text, holding back bytes that may yet become a character. Special
/// tokens are left out. The parts joined are decode() of all ids.
class StreamDecoder {
 public:
  /// \param tokenizer must outlive this
  explicit StreamDecoder(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}
  /// Text that is complete with this token; "" while bytes are missing.
  std::string push(int64_t id);
  /// What is left at the end: U+FFFD for an unfinished character, else "".
  std::string finish();

 private:
  const Tokenizer& tokenizer_;
  std::string pending_;  // bytes not yet given out
};

}  // namespace unirg::text
