// Normalizers of tokenizer.json: what is done to the text before it is cut. Plain data and one
// function; a Sequence is flattened. Private to the text module.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "text/token_charsmap.h"
#include "text/token_json.h"
#include "text/token_regex.h"

namespace unirg::text {

enum class UnicodeForm { nfc, nfd, nfkc, nfkd };

struct BertNormalizer {
  bool clean = true;       ///< drop control characters, blanks to spaces
  bool ideographs = true;  ///< spaces round CJK ideographs
  bool strip_accents = true;
  bool lower = true;
};
struct LowerNormalizer {};
struct StripAccentsNormalizer {};
struct NmtNormalizer {};
struct StripNormalizer {
  bool left = true, right = true;
};
struct PrependNormalizer {
  std::string text;
};
struct ReplaceNormalizer {
  Regex pattern;
  std::string text;
};
struct ByteNormalizer {};  ///< to GPT-2's byte alphabet
/// Sentencepiece's own normalisation: rules by longest match, spaces to U+2581.
struct SentencePieceNormalizer {
  Charsmap map;
  std::vector<std::string> symbols;  ///< user-defined symbols stay as they are
  bool dummy_prefix = true;
  bool remove_extra_spaces = true;
  bool escape_spaces = true;
};

using Normalizer =
    std::variant<UnicodeForm, BertNormalizer, LowerNormalizer, StripAccentsNormalizer,
                 NmtNormalizer, StripNormalizer, PrependNormalizer, ReplaceNormalizer,
                 ByteNormalizer, Charsmap, SentencePieceNormalizer>;

/// \param node a normalizer object \throws Error(Exit::data), naming a type that is not known
std::vector<Normalizer> parse_normalizers(const Node& node);

/// Normalised text. \param text valid UTF-8 \param at_start in: text begins where the whole input
/// does; out: so does what comes out (nothing was dropped in front)
std::string normalize(const std::vector<Normalizer>& steps, std::string text, bool& at_start);

}  // namespace unirg::text
