// SPDX-License-Identifier: Apache-2.0
#include "text/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "text/bpe_bytes.h"
#include "text/token_classes.h"
#include "text/token_pipeline.h"

namespace unirg::text {
namespace {

constexpr size_t kLongestText = size_t{1} << 30;  // ICU and PCRE2 count in 31 bits

constexpr const char* kSplitPattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

}  // namespace

const char* split_pattern() { return kSplitPattern; }

Pipeline qwen2_pipeline(BpeModel model, std::vector<AddedToken> added) {
  static const Regex pattern(kSplitPattern);
  return {.normalizers = {UnicodeForm::nfc},
          .pre_tokenizers = {PatternSplit{pattern, SplitBehavior::isolated, /*invert=*/false},
                             ByteLevelSplit{/*add_prefix_space=*/false, /*use_regex=*/false,
                                            /*spell=*/false}},
          .model = std::move(model),
          .templates = {},
          .decoders = {ByteLevelDecoder{}},
          .added = std::move(added),
          .qwen2 = true,
          .source = ""};
}

Tokenizer::Impl::Impl(Pipeline p) : pipeline(std::move(p)) {
  vocabulary = std::visit([](const auto& model) { return &model.vocabulary(); }, pipeline.model);
  const auto* bpe = std::get_if<BpeModel>(&pipeline.model);
  if (bpe && bpe->spec().bytes) byte_model = bpe;
  size = vocabulary->size();
  index_added();
  index_other_ids();
  check_templates();
}

void Tokenizer::Impl::check_templates() const {
  for (const auto* items : {&pipeline.templates.single, &pipeline.templates.pair}) {
    for (const TemplateItem& item : *items) {
      for (const int64_t id : item.ids) {
        if (id < 0 || id >= size)
          throw Error(Exit::data,
                      fmt::format("the tokenizer's post-processor adds id {}, of {}", id, size));
      }
    }
  }
}

void Tokenizer::Impl::index_added() {
  for (size_t i = 0; i < pipeline.added.size(); ++i) {
    const AddedToken& token = pipeline.added[i];
    if (token.content.empty() || token.id < 0)
      throw Error(Exit::data, "tokenizer has an empty added token");
    size = std::max(size, token.id + 1);
    added_index[token.id] = i;
    other_ids[token.content] = token.id;
    const auto bytes = byte_model ? unspell_bytes(token.content) : std::nullopt;
    added_bytes.push_back(bytes.value_or(token.content));
    if (!token.normalized) {
      raw.add(token.content, token);
      continue;
    }
    bool at_start = true;
    std::string content = normalize(pipeline.normalizers, token.content, at_start);
    if (!content.empty()) normalized.add(std::move(content), token);
  }
}

void Tokenizer::Impl::index_other_ids() {
  const std::vector<std::string>& tokens = vocabulary->tokens();
  for (size_t id = 0; id < tokens.size(); ++id) {
    if (!tokens[id].empty() && !vocabulary->id(tokens[id]))
      other_ids.emplace(tokens[id], static_cast<int64_t>(id));
  }
}

void Tokenizer::Impl::cut(std::string_view utf8, const std::function<void(std::string_view)>& piece,
                          const std::function<void(const AddedToken&)>& token) const {
  if (utf8.size() > kLongestText) throw Error(Exit::data, "the text is too long for a tokenizer");
  std::string mended;
  if (!is_utf8(utf8)) utf8 = mended = replace_broken_utf8(utf8);
  raw.walk(
      utf8,
      [&](size_t begin, size_t end) {
        bool at_start = begin == 0;
        const std::string text =
            normalize(pipeline.normalizers, std::string(utf8.substr(begin, end - begin)), at_start);
        normalized.walk(
            text,
            [&](size_t from, size_t to) {
              pre_tokenize(pipeline.pre_tokenizers, std::string_view(text).substr(from, to - from),
                           at_start && from == 0, piece);
            },
            token);
      },
      token);
}

void Tokenizer::Impl::encode_piece(std::string_view piece, std::vector<int64_t>& out) const {
  if (cache.find(piece, out)) return;
  const size_t before = out.size();
  std::visit([&](const auto& model) { model.encode(piece, out); }, pipeline.model);
  cache.store(piece, std::span(out).subspan(before));
}

void Tokenizer::Impl::encode(std::string_view utf8, std::vector<int64_t>& out) const {
  cut(
      utf8, [&](std::string_view piece) { encode_piece(piece, out); },
      [&](const AddedToken& token) { out.push_back(token.id); });
}

Encoding Tokenizer::Impl::encode_part(std::string_view utf8) const {
  Encoding part;
  encode(utf8, part.ids);
  part.words.assign(part.ids.size(), 0);
  return part;
}

const AddedToken* Tokenizer::Impl::added_token(int64_t id) const {
  const auto it = added_index.find(id);
  return it == added_index.end() ? nullptr : &pipeline.added[it->second];
}

std::string Tokenizer::Impl::token(int64_t id) const {
  const AddedToken* added = added_token(id);
  return added ? added->content : model_token(id);
}

std::string Tokenizer::Impl::model_token(int64_t id) const {
  if (id < 0 || id >= vocabulary->size()) return "";
  const auto index = static_cast<size_t>(id);
  const std::string& token = vocabulary->tokens()[index];
  if (!byte_model) return token;
  const std::vector<bool>& literal = byte_model->spec().literal;
  return index < literal.size() && literal[index] ? token : spell_bytes(token);
}

bool Tokenizer::Impl::byte_level_decoder() const {
  return byte_model && pipeline.decoders.size() == 1 &&
         std::holds_alternative<ByteLevelDecoder>(pipeline.decoders.front());
}

Tokenizer::Tokenizer(Pipeline pipeline)
    : impl_(std::make_shared<const Impl>(std::move(pipeline))) {}

Tokenizer::Tokenizer(BpeParts parts) {
  BpeSpec spec;
  spec.tokens = std::move(parts.tokens);
  spec.merges = std::move(parts.merges);
  spec.bytes = true;
  BpeModel model(std::move(spec));
  for (int byte = 0; byte < 256; ++byte) {
    if (!model.vocabulary().id(std::string(1, static_cast<char>(byte))))
      throw Error(Exit::data, fmt::format("tokenizer has no token for byte {}", byte));
  }
  impl_ = std::make_shared<const Impl>(qwen2_pipeline(std::move(model), std::move(parts.added)));
}

std::vector<int64_t> Tokenizer::encode(std::string_view utf8) const {
  std::vector<int64_t> out;
  impl_->encode(utf8, out);
  return out;
}

std::vector<int64_t> Tokenizer::encode(std::string_view utf8, const EncodeOptions& options) const {
  return fill_template(impl_->pipeline.templates, {impl_->encode_part(utf8)}, options).ids;
}

Encoding Tokenizer::encode_pair(std::string_view a, std::string_view b,
                                const EncodeOptions& options) const {
  return fill_template(impl_->pipeline.templates, {impl_->encode_part(a), impl_->encode_part(b)},
                       options);
}

Encoding Tokenizer::encode_words(std::span<const std::string> words,
                                 const EncodeOptions& options) const {
  Encoding part;
  for (size_t word = 0; word < words.size(); ++word) {
    impl_->encode(words[word], part.ids);
    part.words.resize(part.ids.size(), static_cast<int64_t>(word));
  }
  return fill_template(impl_->pipeline.templates, {std::move(part)}, options);
}

std::vector<std::string> Tokenizer::pieces(std::string_view utf8) const {
  std::vector<std::string> out;
  impl_->cut(
      utf8, [&](std::string_view piece) { out.emplace_back(piece); }, [](const AddedToken&) {});
  return out;
}

std::string Tokenizer::decode(std::span<const int64_t> ids, bool skip_special) const {
  std::string joined;
  std::vector<std::string> tokens;
  const bool bytes_only = impl_->byte_level_decoder();
  for (const int64_t id : ids) {
    if (skip_special && is_special(id)) continue;
    if (bytes_only)
      joined += bytes(id);
    else if (std::string text = token(id); !text.empty())
      tokens.push_back(std::move(text));
  }
  return bytes_only ? replace_broken_utf8(joined)
                    : decode_tokens(impl_->pipeline.decoders, std::move(tokens));
}

int64_t Tokenizer::size() const { return impl_->size; }

std::optional<int64_t> Tokenizer::id(std::string_view token) const {
  const auto it = impl_->other_ids.find(std::string(token));
  return it == impl_->other_ids.end() ? impl_->vocabulary->id(token) : std::optional(it->second);
}

std::string Tokenizer::token(int64_t id) const { return impl_->token(id); }

std::string_view Tokenizer::bytes(int64_t id) const {
  const auto it = impl_->added_index.find(id);
  if (it != impl_->added_index.end()) return impl_->added_bytes[it->second];
  if (id < 0 || id >= impl_->vocabulary->size()) return {};
  return impl_->vocabulary->tokens()[static_cast<size_t>(id)];
}

bool Tokenizer::is_special(int64_t id) const {
  const AddedToken* added = impl_->added_token(id);
  return added && added->special;
}

const std::vector<AddedToken>& Tokenizer::added() const { return impl_->pipeline.added; }

std::string StreamDecoder::news(const std::string& text, bool hold) {
  constexpr std::string_view kBroken = "\xef\xbf\xbd";
  size_t end = text.size();
  while (hold && end >= kBroken.size() && std::string_view(text).substr(0, end).ends_with(kBroken))
    end -= kBroken.size();
  if (end <= given_) return "";
  return text.substr(std::exchange(given_, end), end - given_);
}

std::string StreamDecoder::push(int64_t id) {
  if (tokenizer_.is_special(id)) return "";
  const auto& impl = *tokenizer_.impl_;
  if (!impl.byte_level_decoder()) {
    if (std::string token = tokenizer_.token(id); !token.empty())
      tokens_.push_back(std::move(token));
    std::vector<std::string> settled = tokens_;
    settled.resize(settled_tokens(impl.pipeline.decoders, tokens_));
    return news(decode_tokens(impl.pipeline.decoders, std::move(settled)), /*hold=*/true);
  }
  pending_ += tokenizer_.bytes(id);
  const size_t complete = pending_.size() - unfinished_utf8(pending_);
  std::string text = replace_broken_utf8(std::string_view(pending_).substr(0, complete));
  pending_.erase(0, complete);
  return text;
}

std::string StreamDecoder::finish() {
  const auto& impl = *tokenizer_.impl_;
  if (!impl.byte_level_decoder())
    return news(decode_tokens(impl.pipeline.decoders, tokens_), /*hold=*/false);
  std::string text = replace_broken_utf8(pending_);
  pending_.clear();
  return text;
}

}  // namespace unirg::text
