// Pre-tokenizers of tokenizer.json: how text is cut into the pieces that the model sees one by one.
// Plain data and one function; a Sequence is flattened. Private to the text module.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "text/token_json.h"
#include "text/token_regex.h"

namespace unirg::text {

/// What becomes of the stretches that a pattern matches.
enum class SplitBehavior { removed, isolated, merged_with_previous, merged_with_next, contiguous };

struct ByteLevelSplit {
  bool add_prefix_space = false;
  bool use_regex = true;  ///< cut by GPT-2's pattern
  bool spell = true;      ///< give pieces in the byte alphabet, not in bytes
};
struct PatternSplit {
  Regex pattern;
  SplitBehavior behavior = SplitBehavior::isolated;
  bool invert = false;  ///< matches are what the pattern does not match
};
/// Spaces become `mark`, and each mark begins a piece.
struct MetaspaceSplit {
  enum class Prepend { always, first, never };
  std::string mark = "\xe2\x96\x81";  // U+2581
  Prepend prepend = Prepend::always;
  bool split = true;
};
/// Cuts by a class of characters.
struct ClassSplit {
  bool (*is_match)(char32_t) = nullptr;
  SplitBehavior behavior = SplitBehavior::isolated;
};
struct CharacterSplit {
  std::string delimiter;
};
struct WordSplit {};  ///< words (\w+) and runs of what is neither word nor blank

using PreTokenizer = std::variant<ByteLevelSplit, PatternSplit, MetaspaceSplit, ClassSplit,
                                  CharacterSplit, WordSplit>;

/// \param node a pre_tokenizer object \throws Error(Exit::data), naming a type that is not known
std::vector<PreTokenizer> parse_pre_tokenizers(const Node& node);

/// GPT-2's pattern, which ByteLevel cuts by.
const char* gpt2_pattern();

/// Calls emit with each piece in order; a piece is valid during the call only.
/// \param text valid UTF-8 \param at_start text begins where the whole input does
void pre_tokenize(const std::vector<PreTokenizer>& steps, std::string_view text, bool at_start,
                  const std::function<void(std::string_view)>& emit);

}  // namespace unirg::text
