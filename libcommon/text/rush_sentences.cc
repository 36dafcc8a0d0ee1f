// SPDX-License-Identifier: Apache-2.0
#include "text/rush_sentences.h"

#include <algorithm>
#include <optional>

#include "text/python_text.h"

namespace unirg::text {
namespace {

using Text = std::u32string_view;

constexpr size_t kShortGap = 5;       ///< a longer gap between sentences is a sentence
constexpr size_t kShortSentence = 3;  ///< shorter ones are dropped

/// What lies in a gap, from its first character that is no blank to its last letter, digit or
/// closing mark; nullopt if that is not more than one character.
std::optional<CharSpan> trimmed_gap(Text text, size_t begin, size_t end) {
  if (end <= begin) return std::nullopt;
  size_t first = begin;
  while (first < end && is_python_space(text[first])) ++first;
  for (size_t last = end; last-- > first + 1;) {
    const char32_t c = text[last];
    if (is_python_alnum(c) || Text(U".!?)]\"").find(c) != Text::npos)
      return CharSpan{first, last + 1};
  }
  return std::nullopt;
}

size_t width(CharSpan span) { return span.end - span.begin; }

/// Turns marks into sentences as the source does, statement by statement: which begin opens a
/// sentence hangs on what was found before.
class SpanBuilder {
 public:
  SpanBuilder(Text text, RushMarks marks) : text_(text), marks_(std::move(marks)) {}

  std::vector<CharSpan> build() {
    for (size_t i = 0; i < marks_.begins.size(); ++i) {
      const size_t begin = marks_.begins[i].begin;
      if (!started_) begin_ = begin;
      if (begin < end_) continue;
      started_ = true;
      fill_gap_before();
      look_for_end(i);
    }
    fill_outer_gaps();
    return std::move(out_);
  }

 private:
  void fill_gap_before() {
    const size_t from = out_.empty() ? 0 : out_.back().end;
    if (begin_ <= from) return;
    const auto gap = trimmed_gap(text_, from, begin_);
    if (!gap) return;
    if (width(*gap) > kShortGap) {
      out_.push_back(*gap);
    } else if (!out_.empty()) {
      out_.back().end = gap->end;
    }
  }

  [[nodiscard]] size_t trimmed_end(size_t k) const {
    size_t end = std::min(marks_.ends[k].begin + 1, text_.size());
    while (end >= 1 && is_python_space(text_[end - 1])) --end;
    return end;
  }

  void look_for_end(size_t i) {
    const auto& begins = marks_.begins;
    const auto& ends = marks_.ends;
    const bool last_begin = i + 1 == begins.size();
    for (size_t k = next_end_; k < ends.size(); ++k) {
      const bool last_end = k + 1 == ends.size();
      if (!last_begin && !last_end && begins[i + 1].begin < ends[k].begin + 1) break;
      end_ = trimmed_end(k);
      next_end_ = k;
      if (end_ < begin_) continue;
      if (started_) {
        out_.push_back({begin_, end_});
        started_ = false;
        if (last_begin || (!last_end && begins[i + 1].begin > ends[k + 1].end)) continue;
        break;
      }
      out_.back() = {begin_, end_};
    }
  }

  void fill_outer_gaps() {
    if (out_.empty()) {
      const auto all = trimmed_gap(text_, 0, text_.size());
      if (all && width(*all) > kShortGap) out_.push_back(*all);
      return;
    }
    if (const auto gap = trimmed_gap(text_, 0, out_.front().begin)) {
      if (!marks_.ends.empty() && out_.front().begin <= marks_.ends.front().begin) {
        out_.front().begin = gap->begin;
      } else {
        out_.insert(out_.begin(), *gap);
      }
    }
    if (const auto gap = trimmed_gap(text_, out_.back().end, text_.size())) {
      if (width(*gap) > kShortGap) {
        out_.push_back(*gap);
      } else {
        out_.back().end = gap->end;
      }
    }
  }

  Text text_;
  RushMarks marks_;
  std::vector<CharSpan> out_;
  size_t begin_ = 0, end_ = 0, next_end_ = 0;
  bool started_ = false;
};

/// Which tokens begin a sentence of the document: a span's first token, the one behind its last,
/// the first blank one between two spans, blank ones behind all.
std::vector<size_t> sentence_starts(Text text, const std::vector<CharSpan>& spans) {
  const std::vector<size_t> tokens = spacy_token_starts(text);
  std::vector<bool> starts(tokens.size(), false);
  size_t s = 0;
  for (size_t t = 0; t < tokens.size();) {
    const size_t at = tokens[t];
    if (s + 1 < spans.size() && at >= spans[s].end && at < spans[s + 1].begin) {
      size_t chosen = t;
      size_t end = t;
      while (end < tokens.size() && tokens[end] < spans[s + 1].begin) ++end;
      while (chosen < end && !is_python_space(text[tokens[chosen]])) ++chosen;
      starts[chosen < end ? chosen : t] = true;
      t = end;
      continue;
    }
    while (s < spans.size() && at >= spans[s].end) ++s;
    if (s == spans.size()) {
      if (is_python_space(text[at])) starts[t] = true;
    } else if (at >= spans[s].begin) {
      if (at == spans[s].begin) starts[t] = true;
      if (t + 1 < tokens.size() && tokens[t + 1] >= spans[s].end) starts[t + 1] = true;
    }
    ++t;
  }
  std::vector<size_t> places;
  for (size_t t = 0; t < tokens.size(); ++t) {
    if (starts[t] || t == 0) places.push_back(tokens[t]);
  }
  return places;
}

}  // namespace

std::vector<CharSpan> rush_spans(const RushRules& rules, std::u32string_view text) {
  return SpanBuilder(text, rules.find(text)).build();
}

std::vector<std::string> rush_sentences(const RushRules& rules, std::string_view report) {
  const std::u32string text = code_points(report);
  std::vector<size_t> starts = sentence_starts(text, rush_spans(rules, text));
  starts.push_back(text.size());
  std::vector<std::string> sentences;
  for (size_t i = 0; i + 1 < starts.size(); ++i) {
    const std::string whole = to_utf8(Text(text).substr(starts[i], starts[i + 1] - starts[i]));
    const std::string sentence(python_strip(whole));
    if (code_points(sentence).size() >= kShortSentence) sentences.push_back(sentence);
  }
  return sentences;
}

}  // namespace unirg::text
