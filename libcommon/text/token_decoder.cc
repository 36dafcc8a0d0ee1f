// SPDX-License-Identifier: Apache-2.0
#include "text/token_decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.h"
#include "text/bpe_bytes.h"
#include "text/token_classes.h"

namespace unirg::text {
namespace {

constexpr std::string_view kSpaceMark = "\xe2\x96\x81";  // U+2581

using Tokens = std::vector<std::string>;

std::string join(const Tokens& tokens, std::string_view between) {
  std::string out;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0) out += between;
    out += tokens[i];
  }
  return out;
}

/// What a file's decoders may make of a few tokens.
constexpr size_t kLargestText = size_t{1} << 30;

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  if (from.empty()) return;
  std::string out;
  size_t begin = 0;
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, begin)) {
    out.append(text, begin, at - begin).append(to);
    begin = at + from.size();
    if (out.size() > kLargestText) throw Error(Exit::data, "decoded text is too long");
  }
  text = out.append(text, begin);
}

std::optional<unsigned char> token_byte(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>') return std::nullopt;
  unsigned value = 0;
  for (const char c : token.substr(3, 2)) {
    const bool digit = c >= '0' && c <= '9';
    const char letter = static_cast<char>(c | 0x20);
    if (!digit && (letter < 'a' || letter > 'f')) return std::nullopt;
    value = value * 16 + static_cast<unsigned>(digit ? c - '0' : letter - 'a' + 10);
  }
  return static_cast<unsigned char>(value);
}

Tokens decode_step(const ByteLevelDecoder&, const Tokens& tokens) {
  std::string bytes;
  for (const std::string& token : tokens) bytes += unspell_bytes(token).value_or(token);
  return {replace_broken_utf8(bytes)};
}

/// The short forms are listed in the library's decoders/wordpiece.rs.
void clean_up(std::string& text) {
  constexpr std::pair<const char*, const char*> kRules[] = {
      {" .", "."},   {" ?", "?"},     {" !", "!"},    {" ,", ","},
      {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},  {" do not", " don't"},
      {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [from, to] : kRules) replace_all(text, from, to);
}

Tokens decode_step(const WordPieceDecoder& d, Tokens tokens) {
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0) {
      if (tokens[i].starts_with(d.prefix))
        tokens[i].erase(0, d.prefix.size());
      else
        tokens[i].insert(0, " ");
    }
    if (d.cleanup) clean_up(tokens[i]);
  }
  return tokens;
}

Tokens decode_step(const MetaspaceDecoder& d, Tokens tokens) {
  for (size_t i = 0; i < tokens.size(); ++i)
    replace_all(tokens[i], d.mark, i == 0 && d.drop_first ? "" : " ");
  return tokens;
}

Tokens decode_step(const ReplaceDecoder& d, Tokens tokens) {
  for (std::string& token : tokens) {
    std::string out;
    for (const Span& span : d.pattern.spans(token))
      out += span.match ? d.text : token.substr(span.begin, span.end - span.begin);
    token = std::move(out);
  }
  return tokens;
}

/// Bytes in a row as one text if that is UTF-8, else U+FFFD for each.
void flush_bytes(std::string& bytes, Tokens& out) {
  if (bytes.empty()) return;
  if (is_utf8(bytes))
    out.push_back(bytes);
  else
    out.insert(out.end(), bytes.size(), "\xef\xbf\xbd");
  bytes.clear();
}

Tokens decode_step(const ByteFallbackDecoder&, Tokens tokens) {
  Tokens out;
  std::string bytes;
  for (std::string& token : tokens) {
    if (const auto byte = token_byte(token)) {
      bytes += static_cast<char>(*byte);
      continue;
    }
    flush_bytes(bytes, out);
    out.push_back(std::move(token));
  }
  flush_bytes(bytes, out);
  return out;
}

Tokens decode_step(const FuseDecoder&, const Tokens& tokens) { return {join(tokens, "")}; }

Tokens decode_step(const StripDecoder& d, Tokens tokens) {
  for (std::string& token : tokens) {
    for (int64_t i = 0; i < d.start && token.starts_with(d.content); ++i)
      token.erase(0, d.content.size());
    for (int64_t i = 0; i < d.stop && token.ends_with(d.content); ++i)
      token.resize(token.size() - d.content.size());
  }
  return tokens;
}

Tokens decode_step(const SuffixDecoder& d, Tokens tokens) {
  for (size_t i = 0; i < tokens.size(); ++i)
    replace_all(tokens[i], d.suffix, i + 1 == tokens.size() ? "" : " ");
  return tokens;
}

/// sentencepiece, src/sentencepiece_processor.cc, SentencePieceProcessor::Decode.
Tokens decode_step(const SentencePieceDecoder& d, const Tokens& tokens) {
  std::string out, bytes;
  bool at_front = d.strip_first;
  for (const std::string& token : tokens) {
    if (const auto byte = token_byte(token)) {
      bytes += static_cast<char>(*byte);
      continue;
    }
    out += replace_broken_utf8(std::exchange(bytes, ""));
    if (d.control.contains(token)) continue;
    if (token == d.unknown) {
      out += d.surface;
      continue;
    }
    at_front = at_front && out.empty();
    std::string text = token;
    if (at_front && text.starts_with(kSpaceMark)) {
      text.erase(0, kSpaceMark.size());
      at_front = d.strip_all;
    }
    replace_all(text, kSpaceMark, " ");
    out += text;
  }
  return {out + replace_broken_utf8(bytes)};
}

Decoder parse_one(const Node& node, const std::string& type) {
  if (type == "ByteLevel") return ByteLevelDecoder{};
  if (type == "ByteFallback") return ByteFallbackDecoder{};
  if (type == "Fuse") return FuseDecoder{};
  if (type == "WordPiece")
    return WordPieceDecoder{node.optional_string("prefix").value_or("##"),
                            node.flag("cleanup", true)};
  if (type == "Replace") return ReplaceDecoder{parse_pattern(node), node.string("content")};
  if (type == "BPEDecoder") return SuffixDecoder{node.optional_string("suffix").value_or("</w>")};
  if (type == "Strip")
    return StripDecoder{node.character("content"), node.at("start").integer(),
                        node.at("stop").integer()};
  if (type == "Metaspace") {
    const std::string fallback = node.flag("add_prefix_space", true) ? "always" : "never";
    return MetaspaceDecoder{node.character("replacement"),
                            node.optional_string("prepend_scheme").value_or(fallback) != "never"};
  }
  node.refuse(fmt::format("decoder '{}' is not supported", type));
}

void parse_into(const Node& node, int depth, std::vector<Decoder>& out) {
  if (depth > kDeepestSequence) node.refuse("sequences are nested too deeply");
  const std::string type = node.type();
  if (type != "Sequence") {
    out.push_back(parse_one(node, type));
    return;
  }
  for (const Node& item : node.at("decoders").items()) parse_into(item, depth + 1, out);
}

/// Tokens at the end that this step may still change.
size_t unsettled(const Decoder& step, const Tokens& tokens) {
  if (std::holds_alternative<SuffixDecoder>(step)) return std::min<size_t>(1, tokens.size());
  if (const auto* strip = std::get_if<StripDecoder>(&step))
    return strip->stop > 0 ? tokens.size() : 0;
  const bool bytes = std::holds_alternative<ByteFallbackDecoder>(step) ||
                     std::holds_alternative<SentencePieceDecoder>(step);
  if (!bytes) return 0;
  const auto end = std::find_if(tokens.rbegin(), tokens.rend(),
                                [](const std::string& token) { return !token_byte(token); });
  return static_cast<size_t>(end - tokens.rbegin());
}

}  // namespace

std::vector<Decoder> parse_decoders(const Node& node) {
  std::vector<Decoder> out;
  parse_into(node, 0, out);
  if (out.size() > kMostSteps) node.refuse("too many decoders");
  return out;
}

std::string decode_tokens(const std::vector<Decoder>& steps, std::vector<std::string> tokens) {
  if (steps.empty()) return join(tokens, " ");
  for (const Decoder& step : steps)
    tokens = std::visit([&](const auto& d) { return decode_step(d, std::move(tokens)); }, step);
  return join(tokens, "");
}

size_t settled_tokens(const std::vector<Decoder>& steps, const std::vector<std::string>& tokens) {
  size_t last = 0;
  for (const Decoder& step : steps) last = std::max(last, unsettled(step, tokens));
  return tokens.size() - last;
}

}  // namespace unirg::text
