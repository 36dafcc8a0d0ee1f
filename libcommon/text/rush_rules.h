// RuSH: rules that say where sentences begin and end, read all at once through one tree of
// characters. Depends on base, text/python_text.h. Source: Shi et al. 2016 (AMIA); packages PyRuSH
// 1.0.13 and PyFastNER 1.0.10, whose matching this repeats, oddities included. Table:
// share/ratescore/rush_rules.tsv.
//
// A rule is a string of characters and wildcards (\b \d \C \c \s \w \a \u \n \p), where '+' repeats
// what stands before it and ( ) captures; its score's last bit makes it a counterexample. Of
// captures that overlap the widest counts.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unirg::text {

/// Half-open range of characters (not bytes).
struct CharSpan {
  size_t begin = 0;
  size_t end = 0;
  bool operator==(const CharSpan&) const = default;
};

/// Places where sentences begin, and their last characters, each in the order they were found:
/// mostly that of the text.
struct RushMarks {
  std::vector<CharSpan> begins, ends;
};

class RushRules {
 public:
  /// \throws Error(Exit::no_input) without the file; Error(Exit::data) naming file and line if a
  /// rule is no "RULE<tab>SCORE<tab>stbegin|stend", or uses [ ] or \+
  static RushRules load(const std::filesystem::path& file);

  /// The same from the table's text. \param name for messages
  static RushRules parse(std::string_view table, const std::string& name);

  [[nodiscard]] RushMarks find(std::u32string_view text) const;

 private:
  friend class RushSearch;
  struct Node {
    std::vector<std::pair<char32_t, uint32_t>> next;  ///< in the table's order
    int rule = -1;                                    ///< index of rules_, if one ends here
  };
  struct Rule {
    bool begins = true;  ///< a sentence; else ends one
    bool counts = true;  ///< false: a counterexample
  };
  void add(std::u32string_view pattern, Rule rule);
  [[nodiscard]] const Node* step(const Node& node, char32_t c) const;

  std::vector<Node> nodes_{Node{}};
  std::vector<Rule> rules_;
};

}  // namespace unirg::text
