// What a tokenizer is made of, and what Tokenizer makes of it. Private to the text module.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/token_added.h"
#include "text/token_decoder.h"
#include "text/token_json.h"
#include "text/token_model.h"
#include "text/token_normalizer.h"
#include "text/token_pretokenizer.h"
#include "text/token_template.h"
#include "text/tokenizer.h"

namespace unirg::text {

struct Pipeline {
  std::vector<Normalizer> normalizers;
  std::vector<PreTokenizer> pre_tokenizers;
  Model model;
  Templates templates;
  std::vector<Decoder> decoders;
  std::vector<AddedToken> added;
  bool qwen2 = false;  ///< just what BpeParts describes
  std::string source;  ///< tokenizer.json as text, if not qwen2; "" if there is none
};

/// The Qwen2 kind round a vocabulary of bytes.
Pipeline qwen2_pipeline(BpeModel model, std::vector<AddedToken> added);
/// \param file for messages \throws Error(Exit::data)
Pipeline parse_pipeline(const std::filesystem::path& file, const Document& object);

/// tokenizer.json made from an older set of files. \throws Error(Exit::data)
Document document_of_merges(const std::filesystem::path& folder);
Document document_of_vocab_txt(const std::filesystem::path& file);

/// A sentencepiece model, with sentencepiece's own normalisation; beside a tokenizer_config.json of
/// DeBERTa-v2 or v3, with the special tokens and the library's normalisation that these have.
/// \throws Error(Exit::data)
Pipeline read_sentencepiece(const std::filesystem::path& file);

struct Tokenizer::Impl {
  explicit Impl(Pipeline pipeline);

  /// Cuts text: `piece` for what the model is to see, `token` for each added token.
  void cut(std::string_view utf8, const std::function<void(std::string_view)>& piece,
           const std::function<void(const AddedToken&)>& token) const;
  void encode(std::string_view utf8, std::vector<int64_t>& out) const;
  [[nodiscard]] Encoding encode_part(std::string_view utf8) const;
  [[nodiscard]] const AddedToken* added_token(int64_t id) const;
  [[nodiscard]] std::string token(int64_t id) const;
  /// The same, as the model's vocabulary spells it, added token or not.
  [[nodiscard]] std::string model_token(int64_t id) const;
  [[nodiscard]] bool byte_level_decoder() const;

  Pipeline pipeline;
  const Vocabulary* vocabulary = nullptr;  // the model's
  const BpeModel* byte_model = nullptr;    // the model, if its tokens are bytes
  int64_t size = 0;
  AddedMatcher raw, normalized;
  std::unordered_map<int64_t, size_t> added_index;     // id -> place in pipeline.added
  std::vector<std::string> added_bytes;                // by that place
  std::unordered_map<std::string, int64_t> other_ids;  // tokens the model's text cannot name
  mutable PieceCache cache;

 private:
  void index_added();
  void index_other_ids();
  /// \throws Error(Exit::data) if the post-processor adds ids that no token has
  void check_templates() const;
  void encode_piece(std::string_view piece, std::vector<int64_t>& out) const;
};

}  // namespace unirg::text
