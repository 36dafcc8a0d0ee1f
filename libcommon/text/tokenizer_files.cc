// Tokenizer files in and out.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "io/atomic_file.h"
#include "text/bpe_bytes.h"
#include "text/token_pipeline.h"
#include "text/tokenizer.h"

namespace unirg::text {
namespace {

namespace fs = std::filesystem;
using io::Json;

AddedToken parse_added_token(const Node& node) {
  const bool whole = node.find("content") && node.find("id");
  if (!whole) node.refuse("an added token lacks 'content' or 'id'");
  return {.content = node.string("content"),
          .id = node.at("id").token_id(),
          .special = node.flag("special", false),
          .single_word = node.flag("single_word", false),
          .lstrip = node.flag("lstrip", false),
          .rstrip = node.flag("rstrip", false),
          .normalized = node.flag("normalized", false)};
}

/// A byte-level BPE may work on bytes themselves: the byte alphabet is a spelling of these. The
/// last pre-tokenizer leaves it out, then. Continuations and ends of words are spelled, so not with
/// them.
bool take_bytes(const Node& model, std::vector<PreTokenizer>& steps) {
  auto* last = steps.empty() ? nullptr : std::get_if<ByteLevelSplit>(&steps.back());
  if (!last || model_type(model) != "BPE" || model.flag("byte_fallback", false)) return false;
  for (size_t i = 0; i + 1 < steps.size(); ++i) {  // an earlier one has spelled them already
    if (std::holds_alternative<ByteLevelSplit>(steps[i])) return false;
  }
  for (const char* affix : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!model.optional_string(affix).value_or("").empty()) return false;
  }
  last->spell = false;
  return true;
}

/// Whether BpeParts says all of it. \param root the whole file
bool is_qwen2(const Node& root, const Pipeline& pipeline) {
  const auto* bpe = std::get_if<BpeModel>(&pipeline.model);
  const auto normalizer = root.find("normalizer");
  const auto pre = root.find("pre_tokenizer");
  const bool plain = bpe && bpe->spec().bytes && !bpe->spec().unk && !bpe->spec().ignore_merges &&
                     normalizer && normalizer->type() == "NFC" && pre &&
                     pre->type() == "Sequence" && pipeline.pre_tokenizers.size() == 2 &&
                     pipeline.templates.single.size() == 1 && pipeline.templates.pair.size() == 2;
  if (!plain) return false;
  const auto* split = std::get_if<PatternSplit>(&pipeline.pre_tokenizers[0]);
  const auto& bytes = std::get<ByteLevelSplit>(pipeline.pre_tokenizers[1]);
  if (!split || split->invert || split->behavior != SplitBehavior::isolated) return false;
  const auto steps = pre->find("pretokenizers");
  if (!steps || steps->items().size() != 2)
    return false;  // sequences in sequences are another kind
  const auto pattern = steps->items().front().find("pattern");
  if (!pattern) return false;
  return !bytes.add_prefix_space && !bytes.use_regex &&
         pattern->optional_string("Regex") == split_pattern() &&
         std::all_of(pipeline.decoders.begin(), pipeline.decoders.end(),
                     [](const Decoder& d) { return std::holds_alternative<ByteLevelDecoder>(d); });
}

Pipeline read_tokenizer_json(const fs::path& file) {
  Pipeline pipeline = parse_pipeline(file, parse_json_file(file));
  if (!pipeline.qwen2) pipeline.source = io::read_file(file);
  return pipeline;
}

Pipeline read_older_set(const fs::path& file, Document object) {
  Pipeline pipeline = parse_pipeline(file, object);
  if (!pipeline.qwen2) pipeline.source = object.dump();
  return pipeline;
}

/// \param file a single file, by its name
Pipeline read_file_by_name(const fs::path& file) {
  if (file.extension() == ".model") return read_sentencepiece(file);
  if (file.extension() == ".txt") return read_older_set(file, document_of_vocab_txt(file));
  return read_tokenizer_json(file);
}

Pipeline read_folder(const fs::path& folder) {
  if (fs::exists(folder / "tokenizer.json")) return read_tokenizer_json(folder / "tokenizer.json");
  if (fs::exists(folder / "vocab.json") && fs::exists(folder / "merges.txt"))
    return read_older_set(folder / "vocab.json", document_of_merges(folder));
  for (const char* name : {"vocab.txt", "spm.model", "spiece.model", "tokenizer.model"}) {
    if (fs::exists(folder / name)) return read_file_by_name(folder / name);
  }
  throw Error(Exit::no_input,
              fmt::format("no tokenizer.json, vocab.json + merges.txt, vocab.txt or sentencepiece "
                          "model in '{}'",
                          folder.string()));
}

Json added_token_json(const AddedToken& token) {
  return {{"id", token.id},          {"content", token.content}, {"single_word", token.single_word},
          {"lstrip", token.lstrip},  {"rstrip", token.rstrip},   {"normalized", token.normalized},
          {"special", token.special}};
}

}  // namespace

Pipeline parse_pipeline(const fs::path& file, const Document& object) {
  const Node root(file, object, "");
  std::vector<Normalizer> normalizers;
  std::vector<PreTokenizer> pre_tokenizers;
  std::vector<Decoder> decoders;
  std::vector<AddedToken> added;
  Templates templates;
  if (const auto node = root.find("normalizer")) normalizers = parse_normalizers(*node);
  if (const auto node = root.find("pre_tokenizer")) pre_tokenizers = parse_pre_tokenizers(*node);
  if (const auto node = root.find("post_processor")) templates = parse_templates(*node);
  if (const auto node = root.find("decoder")) decoders = parse_decoders(*node);
  if (const auto node = root.find("added_tokens")) {
    for (const Node& token : node->items()) added.push_back(parse_added_token(token));
  }
  const Node model = root.at("model");
  if (!model.value().is_object()) root.refuse("key 'model' is missing");
  const bool bytes = take_bytes(model, pre_tokenizers);
  Pipeline pipeline{.normalizers = std::move(normalizers),
                    .pre_tokenizers = std::move(pre_tokenizers),
                    .model = parse_model(model, bytes),
                    .templates = std::move(templates),
                    .decoders = std::move(decoders),
                    .added = std::move(added),
                    .qwen2 = false,
                    .source = ""};
  pipeline.qwen2 = is_qwen2(root, pipeline);
  return pipeline;
}

Tokenizer Tokenizer::load(const fs::path& path) {
  Pipeline pipeline = fs::is_regular_file(path) ? read_file_by_name(path) : read_folder(path);
  try {
    return Tokenizer(std::move(pipeline));
  } catch (const Error& error) {
    const fs::path whole = path / "tokenizer.json";  // what a folder is read from, if it has one
    refuse_file(fs::exists(whole) ? whole : path, error.what());
  }
}

io::Json Tokenizer::to_json() const {
  const Pipeline& pipeline = impl_->pipeline;
  if (!pipeline.qwen2) {
    if (pipeline.source.empty())
      throw Error(Exit::data, "a tokenizer read from a sentencepiece model has no tokenizer.json");
    return Json::parse(pipeline.source);
  }
  Json added = Json::array();
  for (const AddedToken& token : pipeline.added) added.push_back(added_token_json(token));
  Json::object_t vocab;  // appended to without a search: tokens are distinct
  for (int64_t id = 0; id < impl_->vocabulary->size(); ++id) {
    std::string token = impl_->model_token(id);  // an added token may be one of the model's too
    if (!token.empty())
      static_cast<Json::object_t::Container&>(vocab).emplace_back(std::move(token), id);
  }
  Json merges = Json::array();
  for (const auto& [left, right] : impl_->byte_model->spec().merges)
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
