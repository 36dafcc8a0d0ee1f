// Regular expressions of tokenizer.json: Oniguruma's Ruby syntax, run by PCRE2. Immutable; may be
// used from many threads. Depends on base (PCRE2 in the source).
//
// Known limits: characters that Unicode took in after version 14 are in no class here; set
// intersections (&&) are refused.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace unirg::text {

/// A stretch of a text, and whether a pattern matched it.
struct Span {
  size_t begin = 0, end = 0;
  bool match = false;
};

class Regex {
 public:
  /// \throws Error(Exit::data) if the pattern is not understood
  explicit Regex(std::string_view pattern);
  /// A pattern that matches just this text.
  static Regex literal(std::string_view text);

  /// Matches and what lies between them, in order; together they cover the text. Spans may be empty
  /// where a match is. \param text valid UTF-8
  /// \throws Error(Exit::data) if the match takes too many steps
  [[nodiscard]] std::vector<Span> spans(std::string_view text) const;

 private:
  struct Code;
  std::shared_ptr<const Code> code_;
};

class Node;
/// Member "pattern" of a component: {"String": text} or {"Regex": pattern}.
/// \throws Error(Exit::data), naming the file
Regex parse_pattern(const Node& component);

}  // namespace unirg::text
