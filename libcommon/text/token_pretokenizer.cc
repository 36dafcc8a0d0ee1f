// SPDX-License-Identifier: Apache-2.0
#include "text/token_pretokenizer.h"

#include <fmt/format.h>

#include <map>

#include "text/bpe_bytes.h"
#include "text/token_classes.h"

namespace unirg::text {
namespace {

constexpr const char* kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

const Regex& gpt2_regex() {
  static const Regex made(kGpt2Pattern);
  return made;
}

/// Each character of a class is a match of its own.
std::vector<Span> class_spans(std::string_view text, bool (*is_match)(char32_t)) {
  std::vector<Span> out;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const bool match = is_match(next_char(text, at));
    if (!match && !out.empty() && !out.back().match)
      out.back().end = at;
    else
      out.push_back({begin, at, match});
  }
  return out;
}

std::vector<Span> literal_spans(std::string_view text, std::string_view delimiter) {
  std::vector<Span> out;
  size_t at = 0;
  for (size_t found = text.find(delimiter); found != std::string_view::npos;
       found = text.find(delimiter, at)) {
    if (found > at) out.push_back({at, found, false});
    at = found + delimiter.size();
    out.push_back({found, at, true});
  }
  if (at < text.size()) out.push_back({at, text.size(), false});
  return out;
}

/// Words, other marks, and blanks; the last kind is to be removed.
std::vector<Span> word_spans(std::string_view text) {
  enum class Kind { none, blank, word, other };
  std::vector<Span> out;
  Kind last = Kind::none;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t c = next_char(text, at);
    const Kind kind = is_word(c) ? Kind::word : is_white(c) ? Kind::blank : Kind::other;
    if (kind == last)
      out.back().end = at;
    else
      out.push_back({begin, at, kind == Kind::blank});
    last = kind;
  }
  return out;
}

// The library's folds over spans, which it does without a look at what a span was merged from: the
// second of two matches in a row begins a piece of its own, the third is merged with it.
void merge_with_previous(std::vector<Span>& spans) {
  std::vector<Span> out;
  bool after_match = false;
  for (const Span& span : spans) {
    if (span.match && !after_match && !out.empty())
      out.back().end = span.end;
    else
      out.push_back(span);
    after_match = span.match;
  }
  spans = std::move(out);
}

void merge_with_next(std::vector<Span>& spans) {
  std::vector<Span> out;
  bool before_match = false;
  for (auto span = spans.rbegin(); span != spans.rend(); ++span) {
    if (span->match && !before_match && !out.empty())
      out.back().begin = span->begin;
    else
      out.push_back(*span);
    before_match = span->match;
  }
  spans.assign(out.rbegin(), out.rend());
}

void merge_alike(std::vector<Span>& spans) {
  std::vector<Span> out;
  for (const Span& span : spans) {
    if (!out.empty() && out.back().match == span.match)
      out.back().end = span.end;
    else
      out.push_back(span);
  }
  spans = std::move(out);
}

class Run {
 public:
  Run(const std::vector<PreTokenizer>& steps, const std::function<void(std::string_view)>& emit)
      : steps_(steps), emit_(emit) {}

  void step(size_t index, std::string_view text, bool at_start) const {
    if (text.empty()) return;
    if (index == steps_.size()) return emit_(text);
    std::visit([&](const auto& s) { cut(s, index + 1, text, at_start); }, steps_[index]);
  }

 private:
  /// The pieces of text that spans and behavior make go on to the next step.
  void pass(size_t next, std::string_view text, bool at_start, std::vector<Span> spans,
            SplitBehavior behavior) const {
    if (behavior == SplitBehavior::merged_with_previous) merge_with_previous(spans);
    if (behavior == SplitBehavior::merged_with_next) merge_with_next(spans);
    if (behavior == SplitBehavior::contiguous) merge_alike(spans);
    for (const Span& span : spans) {
      if (span.match && behavior == SplitBehavior::removed) continue;
      step(next, text.substr(span.begin, span.end - span.begin), at_start && span.begin == 0);
    }
  }

  void cut(const PatternSplit& s, size_t next, std::string_view text, bool at_start) const {
    std::vector<Span> spans = s.pattern.spans(text);
    for (Span& span : spans) span.match = span.match != s.invert;
    pass(next, text, at_start, std::move(spans), s.behavior);
  }

  void cut(const ClassSplit& s, size_t next, std::string_view text, bool at_start) const {
    pass(next, text, at_start, class_spans(text, s.is_match), s.behavior);
  }

  void cut(const CharacterSplit& s, size_t next, std::string_view text, bool at_start) const {
    pass(next, text, at_start, literal_spans(text, s.delimiter), SplitBehavior::removed);
  }

  void cut(const WordSplit&, size_t next, std::string_view text, bool at_start) const {
    pass(next, text, at_start, word_spans(text), SplitBehavior::removed);
  }

  void cut(const MetaspaceSplit& s, size_t next, std::string_view text, bool at_start) const {
    std::string marked;
    for (const char c : text) {
      if (c == ' ')
        marked += s.mark;
      else
        marked += c;
    }
    const bool prepend = s.prepend == MetaspaceSplit::Prepend::always ||
                         (s.prepend == MetaspaceSplit::Prepend::first && at_start);
    if (prepend && !marked.starts_with(s.mark)) marked.insert(0, s.mark);
    if (!s.split) return step(next, marked, at_start);
    pass(next, marked, at_start, literal_spans(marked, s.mark), SplitBehavior::merged_with_next);
  }

  void cut(const ByteLevelSplit& s, size_t next, std::string_view text, bool at_start) const {
    if (s.add_prefix_space && !text.starts_with(' ')) {
      return cut_bytes(s, next, " " + std::string(text), at_start);
    }
    cut_bytes(s, next, text, at_start);
  }

  void cut_bytes(const ByteLevelSplit& s, size_t next, std::string_view text, bool at_start) const {
    if (!s.use_regex) return give_bytes(s, next, text, at_start);
    for (const Span& span : gpt2_regex().spans(text)) {
      give_bytes(s, next, text.substr(span.begin, span.end - span.begin),
                 at_start && span.begin == 0);
    }
  }

  void give_bytes(const ByteLevelSplit& s, size_t next, std::string_view piece,
                  bool at_start) const {
    if (s.spell)
      step(next, spell_bytes(piece), at_start);
    else
      step(next, piece, at_start);
  }

  const std::vector<PreTokenizer>& steps_;
  const std::function<void(std::string_view)>& emit_;
};

SplitBehavior parse_behavior(const Node& node, const char* fallback) {
  static const std::map<std::string, SplitBehavior> known{
      {"Removed", SplitBehavior::removed},
      {"Isolated", SplitBehavior::isolated},
      {"MergedWithPrevious", SplitBehavior::merged_with_previous},
      {"MergedWithNext", SplitBehavior::merged_with_next},
      {"Contiguous", SplitBehavior::contiguous}};
  const std::string name = node.optional_string("behavior").value_or(fallback);
  const auto it = known.find(name);
  if (it == known.end()) node.refuse(fmt::format("behavior '{}' is not known", name));
  return it->second;
}

MetaspaceSplit parse_metaspace(const Node& node) {
  MetaspaceSplit out;
  out.mark = node.character("replacement");
  out.split = node.flag("split", true);
  const std::string fallback = node.flag("add_prefix_space", true) ? "always" : "never";
  const std::string scheme = node.optional_string("prepend_scheme").value_or(fallback);
  if (scheme == "never")
    out.prepend = MetaspaceSplit::Prepend::never;
  else if (scheme == "first")
    out.prepend = MetaspaceSplit::Prepend::first;
  else if (scheme != "always")
    node.refuse(fmt::format("prepend_scheme '{}' is not known", scheme));
  return out;
}

PreTokenizer parse_one(const Node& node, const std::string& type) {
  if (type == "ByteLevel")
    return ByteLevelSplit{node.flag("add_prefix_space", true), node.flag("use_regex", true), true};
  if (type == "Split")
    return PatternSplit{parse_pattern(node), parse_behavior(node, "Isolated"),
                        node.flag("invert", false)};
  if (type == "Metaspace") return parse_metaspace(node);
  if (type == "Whitespace") return WordSplit{};
  if (type == "WhitespaceSplit") return ClassSplit{is_white, SplitBehavior::removed};
  if (type == "Punctuation") return ClassSplit{is_punctuation, parse_behavior(node, "Isolated")};
  if (type == "CharDelimiterSplit") return CharacterSplit{node.character("delimiter")};
  if (type == "Digits")
    return ClassSplit{is_numeric, node.flag("individual_digits", false)
                                      ? SplitBehavior::isolated
                                      : SplitBehavior::contiguous};
  node.refuse(fmt::format("pre-tokenizer '{}' is not supported", type));
}

void parse_into(const Node& node, int depth, std::vector<PreTokenizer>& out) {
  if (depth > kDeepestSequence) node.refuse("sequences are nested too deeply");
  const std::string type = node.type();
  if (type == "BertPreTokenizer") {
    out.emplace_back(ClassSplit{is_white, SplitBehavior::removed});
    out.emplace_back(ClassSplit{is_punctuation, SplitBehavior::isolated});
  } else if (type == "Sequence") {
    for (const Node& item : node.at("pretokenizers").items()) parse_into(item, depth + 1, out);
  } else {
    out.push_back(parse_one(node, type));
  }
}

}  // namespace

const char* gpt2_pattern() { return kGpt2Pattern; }

std::vector<PreTokenizer> parse_pre_tokenizers(const Node& node) {
  std::vector<PreTokenizer> out;
  parse_into(node, 0, out);
  if (out.size() > kMostSteps) node.refuse("too many pre-tokenizers");
  return out;
}

void pre_tokenize(const std::vector<PreTokenizer>& steps, std::string_view text, bool at_start,
                  const std::function<void(std::string_view)>& emit) {
  Run(steps, emit).step(0, text, at_start);
}

}  // namespace unirg::text
