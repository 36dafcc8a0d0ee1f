// Tokenizer files in and out.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "base/error.h"
#include "io/atomic_file.h"
#include "text/bpe_bytes.h"
#include "text/tokenizer.h"

namespace unirg::text {
namespace {

namespace fs = std::filesystem;
using io::Json;

[[noreturn]] void refuse(const fs::path& file, const std::string& why) {
  throw Error(Exit::data, fmt::format("'{}': {}", file.string(), why));
}

std::string unspell(const fs::path& file, const std::string& spelling) {
  auto bytes = unspell_bytes(spelling);
  if (!bytes) refuse(file, fmt::format("token '{}' is not in the byte alphabet", spelling));
  return *bytes;
}

/// Not io::Json: that keeps key order in a list, and a vocabulary has 150,000 keys.
using Document = nlohmann::json;

Document parse(const fs::path& file) {
  Document object = Document::parse(io::read_file(file), nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) refuse(file, "not a JSON object");
  return object;
}

constexpr int64_t kLargestId = 1 << 24;
bool is_id(const Document& id) {
  return id.is_number_integer() && id.get<int64_t>() >= 0 && id.get<int64_t>() <= kLargestId;
}

void read_vocab(const fs::path& file, const Document& vocab, BpeParts& parts) {
  if (!vocab.is_object()) refuse(file, "the vocabulary is not an object");
  for (const auto& [spelling, id] : vocab.items()) {
    if (!is_id(id)) refuse(file, fmt::format("token '{}': bad id", spelling));
    const auto index = static_cast<size_t>(id.get<int64_t>());
    if (parts.tokens.size() <= index) parts.tokens.resize(index + 1);
    // A vocabulary may list added tokens too, in plain text; they are set from "added_tokens".
    parts.tokens[index] = unspell_bytes(spelling).value_or(spelling);
  }
}

void add_merge(const fs::path& file, const std::string& left, const std::string& right,
               BpeParts& parts) {
  parts.merges.emplace_back(unspell(file, left), unspell(file, right));
}

void read_merge(const fs::path& file, const Document& merge, BpeParts& parts) {
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
    return add_merge(file, merge[0].get<std::string>(), merge[1].get<std::string>(), parts);
  }
  const std::string text = merge.is_string() ? merge.get<std::string>() : "";
  const size_t space = text.find(' ');
  if (space == std::string::npos) refuse(file, "a merge is neither 'a b' nor [a, b]");
  add_merge(file, text.substr(0, space), text.substr(space + 1), parts);
}

void read_added(const fs::path& file, const Document& object, BpeParts& parts) {
  if (!object.contains("added_tokens")) return;
  for (const Document& token : object["added_tokens"]) {
    const bool whole = token.is_object() && token.contains("content") &&
                       token["content"].is_string() && token.contains("id") && is_id(token["id"]) &&
                       (!token.contains("special") || token["special"].is_boolean());
    if (!whole) refuse(file, "an added token lacks 'content' or 'id', or 'special' is no boolean");
    parts.added.push_back({token["content"].get<std::string>(), token["id"].get<int64_t>(),
                           token.value("special", false)});
  }
}

BpeParts read_tokenizer_json(const fs::path& file) {
  const Document object = parse(file);
  if (!object.contains("model") || !object["model"].is_object())
    refuse(file, "key 'model' is missing");
  const Document& model = object["model"];
  const Document type = model.value("type", Document("BPE"));
  if (type != "BPE")
    refuse(file, fmt::format("tokenizer type {} is not supported here", type.dump()));
  if (!model.contains("vocab") || !model.contains("merges") || !model["merges"].is_array())
    refuse(file, "keys 'vocab' and 'merges' are needed");
  BpeParts parts;
  read_vocab(file, model["vocab"], parts);
  for (const Document& merge : model["merges"]) read_merge(file, merge, parts);
  read_added(file, object, parts);
  return parts;
}

BpeParts read_vocab_and_merges(const fs::path& folder) {
  BpeParts parts;
  read_vocab(folder / "vocab.json", parse(folder / "vocab.json"), parts);
  std::istringstream lines(io::read_file(folder / "merges.txt"));
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty() && !line.starts_with("#version"))
      read_merge(folder / "merges.txt", line, parts);
  }
  return parts;
}

}  // namespace

Tokenizer Tokenizer::load(const fs::path& path) {
  if (fs::is_regular_file(path)) return Tokenizer(read_tokenizer_json(path));
  if (fs::exists(path / "tokenizer.json"))
    return Tokenizer(read_tokenizer_json(path / "tokenizer.json"));
  if (fs::exists(path / "vocab.json") && fs::exists(path / "merges.txt"))
    return Tokenizer(read_vocab_and_merges(path));
  throw Error(
      Exit::no_input,
      fmt::format("no tokenizer.json and no vocab.json + merges.txt in '{}'", path.string()));
}

io::Json Tokenizer::to_json() const {
  const BpeParts& parts = this->parts();
  Json added = Json::array();
  std::set<int64_t> added_ids;
  for (const AddedToken& token : parts.added) {
    added_ids.insert(token.id);
    added.push_back({{"id", token.id},
                     {"content", token.content},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", token.special}});
  }
  Json::object_t vocab;  // appended to without a search: tokens are distinct
  for (size_t i = 0; i < parts.tokens.size(); ++i) {
    const auto id = static_cast<int64_t>(i);
    if (parts.tokens[i].empty() || added_ids.contains(id) || this->id(parts.tokens[i]) != id)
      continue;
    static_cast<Json::object_t::Container&>(vocab).emplace_back(spell_bytes(parts.tokens[i]), id);
  }
  Json merges = Json::array();
  for (const auto& [left, right] : parts.merges)
    merges.push_back({spell_bytes(left), spell_bytes(right)});
  const Json byte_level = {{"type", "ByteLevel"},
                           {"add_prefix_space", false},
                           {"trim_offsets", false},
                           {"use_regex", false}};
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", std::move(added)},
          {"normalizer", {{"type", "NFC"}}},
          {"pre_tokenizer",
           {{"type", "Sequence"},
            {"pretokenizers", Json::array({{{"type", "Split"},
                                            {"pattern", {{"Regex", split_pattern()}}},
                                            {"behavior", "Isolated"},
                                            {"invert", false}},
                                           byte_level})}}},
          {"post_processor", byte_level},
          {"decoder", byte_level},
          {"model",
           {{"type", "BPE"},
            {"dropout", nullptr},
            {"unk_token", nullptr},
            {"continuing_subword_prefix", ""},
            {"end_of_word_suffix", ""},
            {"fuse_unk", false},
            {"byte_fallback", false},
            {"ignore_merges", false},
            {"vocab", std::move(vocab)},
            {"merges", std::move(merges)}}}};
}

}  // namespace unirg::text
