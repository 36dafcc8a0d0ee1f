// Decoders of tokenizer.json: from tokens back to text. Plain data and one function; a Sequence is
// flattened. Private to the text module.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <unordered_set>
#include <variant>
#include <vector>

#include "text/token_json.h"
#include "text/token_regex.h"

namespace unirg::text {

struct ByteLevelDecoder {};
struct WordPieceDecoder {
  std::string prefix = "##";
  bool cleanup = true;  ///< no space before punctuation and short forms
};
struct MetaspaceDecoder {
  std::string mark = "\xe2\x96\x81";  // U+2581
  bool drop_first = true;             ///< marks of the first token stand for no space
};
struct ReplaceDecoder {
  Regex pattern;
  std::string text;
};
struct ByteFallbackDecoder {};
struct FuseDecoder {};
struct StripDecoder {
  std::string content;  ///< one character
  int64_t start = 0, stop = 0;
};
struct SuffixDecoder {
  std::string suffix;
};
/// Sentencepiece's own: control tokens vanish, the unknown one has a surface of its own.
struct SentencePieceDecoder {
  std::unordered_set<std::string> control;
  std::string unknown, surface;
  bool strip_first = true;  ///< the mark in front of the text stands for no space
  bool strip_all = true;    ///< so do those after it
};

using Decoder = std::variant<ByteLevelDecoder, WordPieceDecoder, MetaspaceDecoder, ReplaceDecoder,
                             ByteFallbackDecoder, FuseDecoder, StripDecoder, SuffixDecoder,
                             SentencePieceDecoder>;

/// \param node a decoder object \throws Error(Exit::data), naming a type that is not known
std::vector<Decoder> parse_decoders(const Node& node);

/// The text of some tokens; without decoders they are joined by spaces.
std::string decode_tokens(const std::vector<Decoder>& steps, std::vector<std::string> tokens);

/// How many of `tokens`, from the front, decode to text that later tokens cannot change.
size_t settled_tokens(const std::vector<Decoder>& steps, const std::vector<std::string>& tokens);

}  // namespace unirg::text
