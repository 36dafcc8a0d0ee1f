// Tokenizer files in and out, and training.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>
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

void read_vocab(const fs::path& file, const Document& vocab, BpeParts& parts) {
  constexpr int64_t kLargest = 1 << 24;
  if (!vocab.is_object()) refuse(file, "the vocabulary is not an object");
  for (const auto& [spelling, id] : vocab.items()) {
    if (!id.is_number_integer() || id.get<int64_t>() < 0 || id.get<int64_t>() > kLargest) refuse(file, fmt::format("token '{}': bad id", spelling));
    const auto index = static_cast<size_t>(id.get<int64_t>());
    if (parts.tokens.size() <= index) parts.tokens.resize(index + 1);
    // A vocabulary may list added tokens too, in plain text; they are set from "added_tokens".
    parts.tokens[index] = unspell_bytes(spelling).value_or(spelling);
  }
}

void add_merge(const fs::path& file, const std::string& left, const std::string& right, BpeParts& parts) {
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
    const bool whole = token.is_object() && token.contains("content") && token["content"].is_string() && token.contains("id") && token["id"].is_number_integer();
    if (!whole) refuse(file, "an added token lacks 'content' or 'id'");
    parts.added.push_back({token["content"].get<std::string>(), token["id"].get<int64_t>(), token.value("special", false)});
  }
}

BpeParts read_tokenizer_json(const fs::path& file) {
  const Document object = parse(file);
  if (!object.contains("model") || !object["model"].is_object()) refuse(file, "key 'model' is missing");
  const Document& model = object["model"];
  if (model.value("type", "BPE") != "BPE") refuse(file, fmt::format("tokenizer type '{}' is not supported here", model.value("type", "")));
  if (!model.contains("vocab") || !model.contains("merges") || !model["merges"].is_array()) refuse(file, "keys 'vocab' and 'merges' are needed");
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
    if (!line.empty() && !line.starts_with("#version")) read_merge(folder / "merges.txt", line, parts);
  }
  return parts;
}

using Pair = std::pair<int64_t, int64_t>;

/// A distinct piece, as symbols, with how often it occurs.
struct Word {
  std::vector<int64_t> symbols;
  int64_t count = 0;
};

/// Pair counts kept in step with the words as merges are applied.
class PairTable {
 public:
  explicit PairTable(std::vector<Word> words) : words_(std::move(words)) {
    for (size_t w = 0; w < words_.size(); ++w) add(w, +1);
  }
  /// The most frequent pair, ties to the smaller; nullptr when no pair occurs twice.
  const Pair* best() const {
    const Pair* found = nullptr;
    int64_t most = 1;
    for (const auto& [pair, count] : counts_) {
      if (count > most) {
        most = count;
        found = &pair;
      }
    }
    return found;
  }
  void merge(const Pair& pair, int64_t merged) {
    const std::set<size_t> touched = std::move(places_[pair]);
    for (const size_t w : touched) {
      add(w, -1);
      std::vector<int64_t> symbols;
      const std::vector<int64_t>& old = words_[w].symbols;
      for (size_t i = 0; i < old.size(); ++i) {
        const bool here = i + 1 < old.size() && Pair(old[i], old[i + 1]) == pair;
        symbols.push_back(here ? merged : old[i]);
        i += here;
      }
      words_[w].symbols = std::move(symbols);
      add(w, +1);
    }
    counts_.erase(pair);
  }

 private:
  void add(size_t w, int64_t sign) {
    const Word& word = words_[w];
    for (size_t i = 0; i + 1 < word.symbols.size(); ++i) {
      const Pair pair(word.symbols[i], word.symbols[i + 1]);
      counts_[pair] += sign * word.count;
      if (sign > 0) places_[pair].insert(w);
    }
  }
  std::vector<Word> words_;
  std::map<Pair, int64_t> counts_;
  std::map<Pair, std::set<size_t>> places_;
};

}  // namespace

const std::vector<std::string>& qwen_special_tokens() {
  static const std::vector<std::string> tokens{"<|endoftext|>",    "<|im_start|>",    "<|im_end|>",   "<|vision_start|>",
                                               "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"};
  return tokens;
}

Tokenizer Tokenizer::load(const fs::path& path) {
  if (fs::is_regular_file(path)) return Tokenizer(read_tokenizer_json(path));
  if (fs::exists(path / "tokenizer.json")) return Tokenizer(read_tokenizer_json(path / "tokenizer.json"));
  if (fs::exists(path / "vocab.json") && fs::exists(path / "merges.txt")) return Tokenizer(read_vocab_and_merges(path));
  throw Error(Exit::no_input, fmt::format("no tokenizer.json and no vocab.json + merges.txt in '{}'", path.string()));
}

io::Json Tokenizer::to_json() const {
  const BpeParts& parts = this->parts();
  Json added = Json::array();
  std::set<int64_t> added_ids;
  for (const AddedToken& token : parts.added) {
    added_ids.insert(token.id);
    added.push_back({{"id", token.id}, {"content", token.content}, {"single_word", false}, {"lstrip", false}, {"rstrip", false},
                     {"normalized", false}, {"special", token.special}});
  }
  Json vocab = Json::object();
  for (size_t id = 0; id < parts.tokens.size(); ++id) {
    if (!parts.tokens[id].empty() && !added_ids.contains(static_cast<int64_t>(id))) vocab[spell_bytes(parts.tokens[id])] = id;
  }
  Json merges = Json::array();
  for (const auto& [left, right] : parts.merges) merges.push_back({spell_bytes(left), spell_bytes(right)});
  const Json byte_level = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", false}, {"use_regex", false}};
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", std::move(added)},
          {"normalizer", {{"type", "NFC"}}},
          {"pre_tokenizer",
           {{"type", "Sequence"},
            {"pretokenizers",
             Json::array({{{"type", "Split"}, {"pattern", {{"Regex", split_pattern()}}}, {"behavior", "Isolated"}, {"invert", false}}, byte_level})}}},
          {"post_processor", byte_level},
          {"decoder", byte_level},
          {"model",
           {{"type", "BPE"}, {"dropout", nullptr}, {"unk_token", nullptr}, {"continuing_subword_prefix", ""}, {"end_of_word_suffix", ""},
            {"fuse_unk", false}, {"byte_fallback", false}, {"ignore_merges", false}, {"vocab", std::move(vocab)}, {"merges", std::move(merges)}}}};
}

Tokenizer train_bpe(const std::vector<std::string>& texts, int64_t vocab_size) {
  BpeParts parts;
  for (int b = 0; b < 256; ++b) parts.tokens.emplace_back(1, static_cast<char>(b));
  const Tokenizer bytes(parts);
  std::map<std::string, int64_t> counts;
  for (const std::string& text : texts) {
    for (std::string& piece : bytes.pieces(text)) ++counts[std::move(piece)];
  }
  std::vector<Word> words;
  for (const auto& [piece, count] : counts) {
    Word word{{}, count};
    for (const char c : piece) word.symbols.push_back(static_cast<unsigned char>(c));
    words.push_back(std::move(word));
  }
  PairTable table(std::move(words));
  std::map<std::string, int64_t> ids;
  for (size_t id = 0; id < parts.tokens.size(); ++id) ids.emplace(parts.tokens[id], static_cast<int64_t>(id));
  const int64_t last = vocab_size - static_cast<int64_t>(qwen_special_tokens().size());
  while (static_cast<int64_t>(parts.tokens.size()) < last) {
    const Pair* best = table.best();
    if (!best) break;
    const Pair pair = *best;
    const std::string left = parts.tokens[static_cast<size_t>(pair.first)];
    const std::string right = parts.tokens[static_cast<size_t>(pair.second)];
    // Another pair may already have made these bytes; one token then has two merges.
    const auto [known, is_new] = ids.emplace(left + right, static_cast<int64_t>(parts.tokens.size()));
    table.merge(pair, known->second);
    if (is_new) parts.tokens.push_back(left + right);
    parts.merges.emplace_back(left, right);
  }
  for (const std::string& token : qwen_special_tokens()) {
    parts.added.push_back({token, static_cast<int64_t>(parts.tokens.size() + parts.added.size()), true});
  }
  return Tokenizer(std::move(parts));
}

}  // namespace unirg::text
