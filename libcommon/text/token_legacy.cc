// tokenizer.json made from the files that models had before it: vocab.json + merges.txt, or
// vocab.txt, with tokenizer_config.json, special_tokens_map.json and added_tokens.json beside them.
// What `transformers` makes of such folders, for the families that our models belong to.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "base/error.h"
#include "io/atomic_file.h"
#include "text/bpe_bytes.h"
#include "text/token_pipeline.h"

namespace unirg::text {
namespace {

namespace fs = std::filesystem;

Document read_optional(const fs::path& file) {
  return fs::exists(file) ? parse_json_file(file) : Document::object();
}

/// The settings beside a vocabulary.
struct Settings {
  fs::path file;    // tokenizer_config.json, for messages
  Document config;  // its content, {} if there is none
  Document specials;
  std::string family;  // tokenizer class, else model type, in lower case; "" if unknown

  [[nodiscard]] Node node() const { return {file, config, ""}; }
  /// The content of special token `name`, e.g. "cls_token"; a string or an added-token object.
  [[nodiscard]] std::string special(const char* name, const char* fallback) const {
    for (const Document* source : {&config, &specials}) {
      const auto it = source->find(name);
      if (it == source->end()) continue;
      const Document& content = it->is_object() && it->contains("content") ? (*it)["content"] : *it;
      if (content.is_string()) return content.get<std::string>();
    }
    return fallback;
  }
  [[nodiscard]] bool is_family(std::initializer_list<std::string_view> names) const {
    return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
      return family.find(name) != std::string::npos;
    });
  }
};

Settings read_settings(const fs::path& folder) {
  Settings s{.file = folder / "tokenizer_config.json",
             .config = read_optional(folder / "tokenizer_config.json"),
             .specials = read_optional(folder / "special_tokens_map.json"),
             .family = ""};
  const auto name = s.config.find("tokenizer_class");
  if (name != s.config.end() && name->is_string()) {
    s.family = name->get<std::string>();
  } else {
    const Document model = read_optional(folder / "config.json");
    const auto type = model.find("model_type");
    if (type != model.end() && type->is_string()) s.family = type->get<std::string>();
  }
  std::transform(s.family.begin(), s.family.end(), s.family.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 0x20 : c);
  });
  return s;
}

/// Special tokens of a vocabulary, which gives the ids; a token that it lacks gets the next id.
class AddedList {
 public:
  AddedList(const Document& vocab, int64_t size) : vocab_(vocab), next_(size) {}

  int64_t add(const std::string& content, bool lstrip = false) {
    const auto it = vocab_.find(content);
    const auto known = ids_.find(content);
    if (known != ids_.end()) return known->second;
    const int64_t id = it != vocab_.end() && is_token_id(*it) ? it->get<int64_t>() : next_++;
    add_json({{"id", id}, {"content", content}, {"lstrip", lstrip}, {"special", true}});
    return id;
  }
  void add_json(Document token) {
    ids_[token["content"].get<std::string>()] = token["id"].get<int64_t>();
    next_ = std::max(next_, token["id"].get<int64_t>() + 1);
    tokens_.push_back(std::move(token));
  }
  [[nodiscard]] bool holds(const std::string& content) const { return ids_.contains(content); }
  Document take() { return std::move(tokens_); }

 private:
  const Document& vocab_;
  int64_t next_;
  std::map<std::string, int64_t> ids_;
  Document tokens_ = Document::array();
};

/// "added_tokens_decoder" of tokenizer_config.json and added_tokens.json, which lacks properties.
void add_listed(const fs::path& folder, const Settings& s, AddedList& list) {
  if (const auto decoder = s.node().find("added_tokens_decoder")) {
    for (const auto& [id, token] : decoder->value().items()) {
      const Node node(s.file, token, "added_tokens_decoder");
      const bool digits =
          !id.empty() && id.size() <= 7 &&
          std::all_of(id.begin(), id.end(), [](char c) { return c >= '0' && c <= '9'; });
      if (!digits) node.refuse(fmt::format("'{}' is no token id", id));
      Document added = {{"content", node.string("content")}, {"id", std::stoll(id)}};
      for (const char* flag : {"special", "single_word", "lstrip", "rstrip", "normalized"})
        added[flag] = node.flag(flag, false);
      list.add_json(std::move(added));
    }
  }
  const fs::path file = folder / "added_tokens.json";
  const Document plain = read_optional(file);
  for (const auto& [content, id] : plain.items()) {
    if (!is_token_id(id)) refuse_file(file, fmt::format("token '{}': bad id", content));
    const bool special = content.starts_with("<|") && content.ends_with("|>");
    if (!list.holds(content))
      list.add_json({{"content", content}, {"id", id.get<int64_t>()}, {"special", special}});
  }
}

/// A template round one text and two. \param middle special tokens between two texts
Document template_json(const std::string& first, int64_t first_id, const std::string& last,
                       int64_t last_id, int middle, int64_t second_type) {
  const auto token = [](const std::string& id, int64_t type) -> Document {
    return {{"SpecialToken", {{"id", id}, {"type_id", type}}}};
  };
  const auto sequence = [](const char* id, int64_t type) -> Document {
    return {{"Sequence", {{"id", id}, {"type_id", type}}}};
  };
  Document single = Document::array({token(first, 0), sequence("A", 0), token(last, 0)});
  Document pair = single;
  for (int i = 1; i < middle; ++i) pair.push_back(token(last, 0));
  pair.push_back(sequence("B", second_type));
  pair.push_back(token(last, second_type));
  Document specials = {{first, {{"ids", {first_id}}}}};
  specials[last] = {{"ids", {last_id}}};
  return {{"type", "TemplateProcessing"},
          {"single", std::move(single)},
          {"pair", std::move(pair)},
          {"special_tokens", std::move(specials)}};
}

Document read_merges(const fs::path& file) {
  Document merges = Document::array();
  std::istringstream lines(io::read_file(file));
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty() && !line.starts_with("#version")) merges.push_back(line);
  }
  return merges;
}

int64_t vocabulary_end(const Document& vocab) {
  int64_t end = 0;
  for (const Document& id : vocab) {
    if (is_token_id(id)) end = std::max(end, id.get<int64_t>() + 1);
  }
  return end;
}

Document byte_level(bool add_prefix_space, bool use_regex) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", add_prefix_space},
          {"trim_offsets", false},
          {"use_regex", use_regex}};
}

/// GPT-2 and RoBERTa: GPT-2's pattern, no normalisation; RoBERTa has <s> A </s>.
void fill_gpt2(const Settings& s, bool roberta, AddedList& added, Document& out) {
  out["pre_tokenizer"] = byte_level(s.node().flag("add_prefix_space", false), /*use_regex=*/true);
  if (!roberta) {
    added.add(s.special("eos_token", "<|endoftext|>"));
    return;
  }
  added.add(s.special("bos_token", "<s>"));
  added.add(s.special("eos_token", "</s>"));
  added.add(s.special("unk_token", "<unk>"));
  added.add(s.special("pad_token", "<pad>"));
  added.add(s.special("mask_token", "<mask>"), /*lstrip=*/true);
  const std::string cls = s.special("cls_token", "<s>"), sep = s.special("sep_token", "</s>");
  out["post_processor"] = template_json(cls, added.add(cls), sep, added.add(sep), 2, 0);
}

void fill_qwen2(Document& out) {
  out["normalizer"] = {{"type", "NFC"}};
  out["pre_tokenizer"] = {
      {"type", "Sequence"},
      {"pretokenizers", Document::array({{{"type", "Split"},
                                          {"pattern", {{"Regex", split_pattern()}}},
                                          {"behavior", "Isolated"},
                                          {"invert", false}},
                                         byte_level(false, false)})}};
}

Document vocabulary_of_lines(const fs::path& file) {
  Document vocab = Document::object();
  std::istringstream lines(io::read_file(file));
  int64_t id = 0;
  for (std::string line; std::getline(lines, line); ++id) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!is_utf8(line))
      throw Error(Exit::data, fmt::format("'{}': line {} is not UTF-8", file.string(), id + 1));
    if (!line.empty()) vocab[line] = id;
  }
  if (vocab.empty()) refuse_file(file, "the vocabulary is empty");
  return vocab;
}

}  // namespace

Document document_of_merges(const fs::path& folder) {
  const Settings s = read_settings(folder);
  Document vocab = parse_json_file(folder / "vocab.json");
  // Any vocabulary may hold "<s>"; RoBERTa's begins with it.
  const bool sentence_marks = vocab.contains("<s>") && vocab["<s>"] == 0;
  const bool roberta =
      s.is_family({"roberta", "bart", "longformer"}) || (s.family.empty() && sentence_marks);
  Document out = {{"decoder", byte_level(false, false)}};
  AddedList added(vocab, vocabulary_end(vocab));
  add_listed(folder, s, added);
  if (roberta || s.is_family({"gpt2", "deberta"}))
    fill_gpt2(s, roberta, added, out);
  else
    fill_qwen2(out);
  out["added_tokens"] = added.take();
  out["model"] = {{"type", "BPE"}, {"merges", read_merges(folder / "merges.txt")}};
  out["model"]["vocab"] = std::move(vocab);
  return out;
}

Document document_of_vocab_txt(const fs::path& file) {
  const Settings s = read_settings(file.parent_path());
  Document vocab = vocabulary_of_lines(file);
  const bool mpnet = s.is_family({"mpnet"}) || (s.family.empty() && !vocab.contains("[CLS]"));
  const std::string cls = s.special("cls_token", mpnet ? "<s>" : "[CLS]");
  const std::string sep = s.special("sep_token", mpnet ? "</s>" : "[SEP]");
  const std::string unk = s.special("unk_token", "[UNK]");
  AddedList added(vocab, vocabulary_end(vocab));
  add_listed(file.parent_path(), s, added);
  added.add(s.special("pad_token", mpnet ? "<pad>" : "[PAD]"));
  added.add(unk);
  const int64_t cls_id = added.add(cls), sep_id = added.add(sep);
  added.add(s.special("mask_token", mpnet ? "<mask>" : "[MASK]"), /*lstrip=*/mpnet);
  Document normalizer = {{"type", "BertNormalizer"},
                         {"lowercase", s.node().flag("do_lower_case", true)},
                         {"handle_chinese_chars", s.node().flag("tokenize_chinese_chars", true)}};
  if (const auto strip = s.node().optional_flag("strip_accents"))
    normalizer["strip_accents"] = *strip;
  Document out = {{"normalizer", std::move(normalizer)},
                  {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
                  {"post_processor", template_json(cls, cls_id, sep, sep_id, mpnet ? 2 : 1, 1)},
                  {"decoder", {{"type", "WordPiece"}}},
                  {"added_tokens", added.take()}};
  out["model"] = {{"type", "WordPiece"}, {"unk_token", unk}};
  out["model"]["vocab"] = std::move(vocab);
  return out;
}

}  // namespace unirg::text
