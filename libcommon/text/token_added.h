// Finds added tokens in text, by the rules of the `tokenizers` library: leftmost, longest. Private
// to the text module.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace unirg::text {

class AddedMatcher {
 public:
  /// \param content what is matched, not empty; of equal contents the first counts
  void add(std::string content, AddedToken token);
  [[nodiscard]] bool empty() const { return size_ == 0; }

  /// Walks text: `plain` for stretches without added tokens, `token` for each of these.
  void walk(std::string_view text, const std::function<void(size_t begin, size_t end)>& plain,
            const std::function<void(const AddedToken&)>& token) const;

 private:
  struct Pattern {
    std::string content;
    AddedToken token;
  };
  /// The longest pattern that begins at `at`, nullptr if none.
  [[nodiscard]] const Pattern* find(std::string_view text, size_t at) const;

  std::array<std::vector<Pattern>, 256> patterns_;  // by first byte, longest first
  size_t size_ = 0;
};

}  // namespace unirg::text
