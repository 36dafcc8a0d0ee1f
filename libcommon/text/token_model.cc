// Models from their JSON.
// SPDX-License-Identifier: Apache-2.0
#include "text/token_model.h"

#include <fmt/format.h>

#include "base/error.h"
#include "text/bpe_bytes.h"

namespace unirg::text {
namespace {

std::string unspell(const Node& node, const std::string& spelling) {
  auto bytes = unspell_bytes(spelling);
  if (!bytes) node.refuse(fmt::format("token '{}' is not in the byte alphabet", spelling));
  return *bytes;
}

/// Tokens of the byte alphabet become bytes. A vocabulary may list added tokens too, as plain text:
/// those that the alphabet cannot spell stay as they are, and text does not reach them.
void unspell_tokens(BpeSpec& spec) {
  spec.literal.resize(spec.tokens.size());
  for (size_t id = 0; id < spec.tokens.size(); ++id) {
    auto bytes = unspell_bytes(spec.tokens[id]);
    spec.literal[id] = !bytes;
    if (bytes) spec.tokens[id] = std::move(*bytes);
  }
}

std::pair<std::string, std::string> parse_merge(const Node& merge) {
  const Document& value = merge.value();
  if (value.is_array() && value.size() == 2 && value[0].is_string() && value[1].is_string())
    return {value[0].get<std::string>(), value[1].get<std::string>()};
  const std::string text = value.is_string() ? value.get<std::string>() : "";
  const size_t space = text.find(' ');
  if (space == std::string::npos) merge.refuse("a merge is neither 'a b' nor [a, b]");
  return {text.substr(0, space), text.substr(space + 1)};
}

void parse_merges(const Node& merges, BpeSpec& spec) {
  for (const Node& item : merges.items()) {
    auto [left, right] = parse_merge(item);
    if (spec.bytes)
      spec.merges.emplace_back(unspell(item, left), unspell(item, right));
    else
      spec.merges.emplace_back(std::move(left), std::move(right));
  }
}

BpeModel parse_bpe(const Node& node, bool bytes) {
  if (const auto dropout = node.find("dropout"); dropout && dropout->number() != 0.0)
    dropout->refuse("BPE with dropout is not supported");
  if (!node.find("vocab") || !node.find("merges"))
    node.refuse("keys 'vocab' and 'merges' are needed");
  BpeSpec spec;
  spec.bytes = bytes;
  spec.tokens = parse_vocabulary(node.at("vocab"));
  if (bytes) unspell_tokens(spec);
  parse_merges(node.at("merges"), spec);
  spec.unk = node.optional_string("unk_token");
  if (bytes && spec.unk) spec.unk = unspell_bytes(*spec.unk);
  spec.prefix = node.optional_string("continuing_subword_prefix").value_or("");
  spec.suffix = node.optional_string("end_of_word_suffix").value_or("");
  spec.fuse_unk = node.flag("fuse_unk", false);
  spec.byte_fallback = node.flag("byte_fallback", false);
  spec.ignore_merges = node.flag("ignore_merges", false);
  return BpeModel(std::move(spec));
}

WordPieceModel parse_wordpiece(const Node& node) {
  const auto longest = node.find("max_input_chars_per_word");
  return WordPieceModel(Vocabulary(parse_vocabulary(node.at("vocab"))),
                        node.optional_string("unk_token").value_or("[UNK]"),
                        node.optional_string("continuing_subword_prefix").value_or("##"),
                        longest ? longest->integer() : 100);
}

UnigramModel parse_unigram(const Node& node) {
  UnigramSpec spec;
  for (const Node& item : node.at("vocab").items()) {
    const std::vector<Node> pair = item.items();
    if (pair.size() != 2) item.refuse("a token is not [text, score]");
    spec.tokens.push_back(pair[0].string());
    spec.scores.push_back(pair[1].number());
  }
  if (const auto unk = node.find("unk_id")) spec.unk = unk->token_id();
  spec.byte_fallback = node.flag("byte_fallback", false);
  return UnigramModel(std::move(spec));
}

Model parse_checked(const Node& node, bool bytes) {
  const std::string type = model_type(node);
  if (type == "BPE") return parse_bpe(node, bytes);
  if (type == "WordPiece") return parse_wordpiece(node);
  if (type == "Unigram") return parse_unigram(node);
  if (type == "WordLevel")
    return WordLevelModel(Vocabulary(parse_vocabulary(node.at("vocab"))),
                          node.optional_string("unk_token").value_or(""));
  node.refuse(fmt::format("model '{}' is not supported", type));
}

}  // namespace

std::string model_type(const Node& node) {
  if (const auto type = node.optional_string("type")) return *type;
  if (const auto vocab = node.find("vocab"); vocab && vocab->value().is_array()) return "Unigram";
  return node.find("max_input_chars_per_word") ? "WordPiece" : "BPE";
}

std::vector<std::string> parse_vocabulary(const Node& node) {
  if (!node.value().is_object()) node.refuse("the vocabulary is not an object");
  std::vector<std::string> tokens;
  for (const auto& [token, id] : node.value().items()) {
    if (!is_token_id(id)) node.refuse(fmt::format("token '{}': bad id", token));
    const auto index = static_cast<size_t>(id.get<int64_t>());
    if (tokens.size() <= index) tokens.resize(index + 1);
    tokens[index] = token;
  }
  return tokens;
}

Model parse_model(const Node& node, bool bytes) {
  try {
    return parse_checked(node, bytes);
  } catch (const Error& error) {
    const std::string what = error.what();
    if (what.starts_with('\'')) throw;  // names the file already
    node.refuse(what);
  }
}

}  // namespace unirg::text
