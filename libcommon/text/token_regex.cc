// SPDX-License-Identifier: Apache-2.0
#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/token_regex.h"

#include <fmt/format.h>
#include <pcre2.h>

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "text/token_classes.h"
#include "text/token_json.h"

namespace unirg::text {
namespace {

/// PCRE2 counts steps; an honest split pattern takes a few for each character.
constexpr uint32_t kMatchLimit = 10'000'000;
constexpr uint32_t kDepthLimit = 100'000;
constexpr size_t kLongestPattern = 10'000;

// What Oniguruma means by \s and \w, as members of a class. PCRE2's \s holds U+180E too, its \w
// lacks marks and counts all numbers.
constexpr const char* kSpaces =
    R"(\x09-\x0d\x20\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
constexpr const char* kWordParts =
    R"(\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\x{24b6}-\x{24e9}\x{1f130}-\x{1f149}\x{1f150}-\x{1f169}\x{1f170}-\x{1f189})";

[[noreturn]] void refuse(std::string_view pattern, const std::string& why) {
  throw Error(Exit::data, fmt::format("pattern '{}': {}", pattern, why));
}

/// The escape `\letter` outside (or inside) a class, or "" to keep it as it is.
std::string translate_escape(char letter, bool in_class) {
  const bool space = letter == 's' || letter == 'S';
  if (!space && letter != 'w' && letter != 'W') return "";
  const bool negated = letter == 'S' || letter == 'W';
  const char* members = space ? kSpaces : kWordParts;
  // A negated set inside a set has no spelling of ours in PCRE2; its own differs in few characters.
  if (in_class) return negated ? "" : members;
  return fmt::format("[{}{}]", negated ? "^" : "", members);
}

std::string to_pcre(std::string_view pattern) {
  std::string out;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size()) {
      const std::string ours = translate_escape(pattern[i + 1], in_class);
      out += ours.empty() ? std::string(pattern.substr(i, 2)) : ours;
      ++i;
      continue;
    }
    if (c == '[' && !in_class) {
      in_class = true;
      out += c;
      if (i + 1 < pattern.size() && pattern[i + 1] == '^') out += pattern[++i];
      if (i + 1 < pattern.size() && pattern[i + 1] == ']') refuse(pattern, "an empty class");
      continue;
    }
    if (c == ']') in_class = false;
    if (in_class && pattern.substr(i, 2) == "&&") refuse(pattern, "'&&' is not supported here");
    if (in_class && c == '[' && pattern.substr(i, 2) != "[:")
      refuse(pattern, "a class in a class is not supported here");
    out += c;
  }
  return out;
}

std::string error_text(int code) {
  PCRE2_UCHAR text[128] = {};
  pcre2_get_error_message(code, text, sizeof text);
  return reinterpret_cast<const char*>(text);
}

struct MatchDataFree {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};

}  // namespace

struct Regex::Code {
  pcre2_code* code = nullptr;
  pcre2_match_context* limits = nullptr;

  explicit Code(std::string_view pattern) {
    if (pattern.size() > kLongestPattern) refuse(pattern.substr(0, 40), "the pattern is too long");
    const std::string ours = to_pcre(pattern);
    pcre2_compile_context* context = pcre2_compile_context_create(nullptr);
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    int error = 0;
    PCRE2_SIZE offset = 0;
    code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(ours.data()), ours.size(),
                         PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &error,
                         &offset, context);
    pcre2_compile_context_free(context);
    if (!code) refuse(pattern, error_text(error));
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    limits = pcre2_match_context_create(nullptr);
    pcre2_set_match_limit(limits, kMatchLimit);
    pcre2_set_depth_limit(limits, kDepthLimit);
  }
  ~Code() {
    pcre2_match_context_free(limits);
    pcre2_code_free(code);
  }
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;

  /// The next match at or after `at`; false if there is none.
  bool find(std::string_view text, size_t at, pcre2_match_data* data) const {
    const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
    int found = pcre2_match(code, subject, text.size(), at, PCRE2_NO_UTF_CHECK, data, limits);
    // The compiled matcher has a small stack; the interpreter takes what it needs from the heap.
    if (found == PCRE2_ERROR_JIT_STACKLIMIT)
      found = pcre2_match(code, subject, text.size(), at, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, data,
                          limits);
    if (found >= 0) return true;
    if (found == PCRE2_ERROR_NOMATCH) return false;
    throw Error(Exit::data, fmt::format("a split pattern fails: {}", error_text(found)));
  }
};

Regex::Regex(std::string_view pattern) : code_(std::make_shared<const Code>(pattern)) {}

Regex Regex::literal(std::string_view text) {
  std::string pattern;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && std::isalnum(byte) == 0)
      pattern += fmt::format("\\x{:02x}", byte);
    else
      pattern += c;
  }
  return Regex(pattern);
}

std::vector<Span> Regex::spans(std::string_view text) const {
  std::vector<Span> out;
  const std::unique_ptr<pcre2_match_data, MatchDataFree> data(
      pcre2_match_data_create_from_pattern(code_->code, nullptr));
  size_t covered = 0;        // up to here spans are out
  size_t at = 0;             // where to look next
  bool after_match = false;  // a match ended at `at`: an empty one there does not count
  while (at <= text.size() && code_->find(text, at, data.get())) {
    const PCRE2_SIZE* range = pcre2_get_ovector_pointer(data.get());
    const size_t begin = std::max<size_t>(range[0], covered),
                 end = std::max<size_t>(range[1], begin);
    if (begin == end && after_match && begin == at) {
      if (at == text.size()) break;
      next_char(text, at);
      after_match = false;
      continue;
    }
    if (begin > covered) out.push_back({covered, begin, false});
    out.push_back({begin, end, true});
    covered = at = end;
    after_match = true;
  }
  if (covered < text.size()) out.push_back({covered, text.size(), false});
  return out;
}

Regex parse_pattern(const Node& component) {
  const Node pattern = component.at("pattern");
  try {
    if (const auto text = pattern.optional_string("String")) return Regex::literal(*text);
    return Regex(pattern.string("Regex"));
  } catch (const Error& error) {
    pattern.refuse(error.what());
  }
}

}  // namespace unirg::text
