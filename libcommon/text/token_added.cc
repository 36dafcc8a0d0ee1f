// SPDX-License-Identifier: Apache-2.0
#include "text/token_added.h"

#include <algorithm>

#include "text/token_classes.h"

namespace unirg::text {
namespace {

bool inside_word(std::string_view text, size_t begin, size_t end) {
  if (begin > 0 && is_word(previous_char(text, begin))) return true;
  return end < text.size() && is_word(next_char(text, end));
}

size_t skip_blanks_left(std::string_view text, size_t at, size_t least) {
  for (size_t before = at; before > least && is_white(previous_char(text, before));) at = before;
  return std::max(at, least);
}

size_t skip_blanks_right(std::string_view text, size_t at) {
  for (size_t after = at; after < text.size() && is_white(next_char(text, after));) at = after;
  return at;
}

}  // namespace

void AddedMatcher::add(std::string content, AddedToken token) {
  std::vector<Pattern>& list = patterns_[static_cast<unsigned char>(content.front())];
  const auto place = std::find_if(list.begin(), list.end(), [&](const Pattern& p) {
    return p.content.size() < content.size();
  });
  list.insert(place, {std::move(content), std::move(token)});
  ++size_;
}

const AddedMatcher::Pattern* AddedMatcher::find(std::string_view text, size_t at) const {
  for (const Pattern& pattern : patterns_[static_cast<unsigned char>(text[at])]) {
    if (text.substr(at, pattern.content.size()) == pattern.content) return &pattern;
  }
  return nullptr;
}

void AddedMatcher::walk(std::string_view text, const std::function<void(size_t, size_t)>& plain,
                        const std::function<void(const AddedToken&)>& token) const {
  size_t done = 0;
  for (size_t at = 0; size_ > 0 && at < text.size();) {
    const Pattern* found = find(text, at);
    if (!found) {
      ++at;
      continue;
    }
    size_t begin = at, end = at + found->content.size();
    at = end;
    if (found->token.single_word && inside_word(text, begin, end)) continue;
    if (found->token.lstrip) begin = skip_blanks_left(text, begin, done);
    if (found->token.rstrip) end = skip_blanks_right(text, end);
    if (done < begin) plain(done, begin);
    token(found->token);
    done = end;
  }
  if (done < text.size()) plain(done, text.size());
}

}  // namespace unirg::text
