// The rules of Penn Treebank tokens: at a place the rule that matches most text wins, the first of
// equals. Used by ptb_tokens.cc only. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace unirg::text {

/// What becomes of the matched text.
enum class PtbKind {
  plain,        ///< a token as it is
  drop,         ///< no token
  soft,         ///< without soft hyphens
  dash,         ///< "--"
  hyphens,      ///< "--" for three or four, else as it is
  ampersand,    ///< "&amp;" becomes "&"
  left_quote,   ///< quotes turned, those of no side to the left
  right_quote,  ///< quotes turned, those of no side to the right
  ellipsis,     ///< "..."
  fraction,     ///< one character becomes "1/2" and so on
  currency,     ///< "$", "#", "cents"
  spaced,       ///< spaces become no-break spaces
  phone,        ///< and round brackets "-LRB-", "-RRB-"
  smiley,       ///< only the latter
  less,
  greater,
  bracket,     ///< "-LRB-" and its kin
  give_two,    ///< the last two characters are the next token's
  give_three,  ///< the last three are
  stop_too,    ///< the full stop at the end is a token once more
  acronym,     ///< stop_too, but a single letter loses its stop
};

struct PtbRule {
  PtbKind kind;
  std::string head;  ///< PCRE2 pattern of the token
  std::string tail;  ///< of what must follow and counts for the length of the match; may be empty
  /// A character that stands in every match of `head`, and no space before it; 0: none. Lets a
  /// rule be passed over without trying it.
  char needs = 0;
};

/// All rules, in order of precedence.
std::vector<PtbRule> ptb_rules();

/// Whether a word is split in two ("cannot", "gonna"). \param word lower-case ASCII letters
bool is_split_ptb_word(std::string_view word);
/// Whether a word may be an abbreviation when a full stop follows. \param word lower-case ASCII
/// letters, at least two
bool is_ptb_abbreviation(std::string_view word);

}  // namespace unirg::text
