// Reads sentencepiece model files (protocol buffers, sentencepiece_model.proto of
// github.com/google/sentencepiece): the few fields that encoding needs.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstring>
#include <map>

#include "base/error.h"
#include "io/atomic_file.h"
#include "text/bpe_bytes.h"
#include "text/token_pipeline.h"

namespace unirg::text {
namespace {

namespace fs = std::filesystem;

/// One field of a message: a number, or the bytes of a string or message.
struct Field {
  uint64_t number = 0;
  uint64_t value = 0;
  std::string_view bytes;
};

/// Reads a message field by field.
class Message {
 public:
  explicit Message(std::string_view bytes) : rest_(bytes) {}

  /// false at the end \throws Error(Exit::data)
  bool next(Field& field) {
    if (rest_.empty()) return false;
    const uint64_t key = varint();
    field = {key >> 3, 0, {}};
    switch (key & 7) {
      case 0:
        field.value = varint();
        break;
      case 1:
        field.bytes = take(8);
        break;
      case 2:
        field.bytes = take(varint());
        break;
      case 5:
        field.bytes = take(4);
        break;
      default:
        damaged();
    }
    return true;
  }

 private:
  [[noreturn]] static void damaged() {
    throw Error(Exit::data, "not a sentencepiece model, or damaged");
  }
  std::string_view take(uint64_t size) {
    if (size > rest_.size()) damaged();
    const std::string_view out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
  }
  uint64_t varint() {
    uint64_t out = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1).front());
      out |= uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return out;
    }
    damaged();
  }

  std::string_view rest_;
};

enum class PieceType { normal = 1, unknown, control, user_defined, unused, byte };
constexpr uint64_t kUnigram = 1, kBpe = 2;  // TrainerSpec.model_type

struct SentencePieceFile {
  std::vector<std::string> tokens;
  std::vector<double> scores;  // of single precision
  std::vector<PieceType> types;
  uint64_t model_type = kUnigram;
  bool byte_fallback = false;
  std::string unk_surface = " \xe2\x81\x87 ";  // U+2047 between spaces
  SentencePieceNormalizer normalizer;
};

void read_piece(std::string_view bytes, SentencePieceFile& out) {
  std::string token;
  float score = 0;
  uint64_t type = 1;
  Field f;
  for (Message message(bytes); message.next(f);) {
    if (f.number == 1) token = f.bytes;
    if (f.number == 2 && f.bytes.size() == sizeof score)
      std::memcpy(&score, f.bytes.data(), sizeof score);
    if (f.number == 3) type = f.value;
  }
  if (token.empty() || !is_utf8(token) || type < 1 || type > 6 ||
      !(score > -1e30F && score < 1e30F))
    throw Error(Exit::data, fmt::format("piece {} is damaged", out.tokens.size()));
  out.tokens.push_back(std::move(token));
  out.scores.push_back(static_cast<double>(score));
  out.types.push_back(static_cast<PieceType>(type));
}

void read_trainer(std::string_view bytes, SentencePieceFile& out) {
  Field f;
  for (Message message(bytes); message.next(f);) {
    if (f.number == 3) out.model_type = f.value;
    if (f.number == 24 && f.value != 0)
      throw Error(Exit::data, "treat_whitespace_as_suffix is not supported");
    if (f.number == 35) out.byte_fallback = f.value != 0;
    if (f.number == 44) out.unk_surface = f.bytes;
  }
}

void read_normalizer(std::string_view bytes, SentencePieceFile& out) {
  Field f;
  for (Message message(bytes); message.next(f);) {
    if (f.number == 2) out.normalizer.map = Charsmap(f.bytes);
    if (f.number == 3) out.normalizer.dummy_prefix = f.value != 0;
    if (f.number == 4) out.normalizer.remove_extra_spaces = f.value != 0;
    if (f.number == 5) out.normalizer.escape_spaces = f.value != 0;
  }
}

SentencePieceFile read_model(std::string_view bytes) {
  SentencePieceFile out;
  Field f;
  for (Message message(bytes); message.next(f);) {
    if (f.number == 1) read_piece(f.bytes, out);
    if (f.number == 2) read_trainer(f.bytes, out);
    if (f.number == 3) read_normalizer(f.bytes, out);
  }
  if (out.tokens.empty()) throw Error(Exit::data, "the model has no pieces");
  for (size_t id = 0; id < out.tokens.size(); ++id) {
    if (out.types[id] == PieceType::user_defined) out.normalizer.symbols.push_back(out.tokens[id]);
  }
  return out;
}

bool in_text(PieceType type) {
  return type == PieceType::normal || type == PieceType::user_defined;
}

std::optional<int64_t> unknown_id(const SentencePieceFile& model) {
  for (size_t id = 0; id < model.types.size(); ++id) {
    if (model.types[id] == PieceType::unknown) return static_cast<int64_t>(id);
  }
  return std::nullopt;
}

UnigramSpec unigram_spec(const SentencePieceFile& model) {
  UnigramSpec spec;
  spec.tokens = model.tokens;
  spec.scores = model.scores;
  spec.unk = unknown_id(model);
  spec.byte_fallback = model.byte_fallback;
  return spec;
}

UnigramModel make_unigram(const SentencePieceFile& model) {
  UnigramSpec spec = unigram_spec(model);
  for (const PieceType type : model.types) {
    spec.silent.push_back(!in_text(type));
    spec.symbols.push_back(type == PieceType::user_defined);
  }
  spec.single = true;
  return UnigramModel(std::move(spec));
}

/// A piece may be made of any two pieces that join to it; the piece with the higher score is made
/// first.
BpeModel make_bpe(const SentencePieceFile& model) {
  BpeSpec spec;
  std::map<std::string_view, size_t> ids;
  std::vector<size_t> by_score;
  for (size_t id = 0; id < model.tokens.size(); ++id) {
    if (!in_text(model.types[id])) continue;
    ids.emplace(model.tokens[id], id);
    by_score.push_back(id);
  }
  const bool has_symbols = std::find(model.types.begin(), model.types.end(),
                                     PieceType::user_defined) != model.types.end();
  if (has_symbols)
    throw Error(Exit::data,
                "user-defined symbols of a BPE sentencepiece model are not supported "
                "(hint: a tokenizer.json has them as added tokens)");
  std::stable_sort(by_score.begin(), by_score.end(),
                   [&](size_t a, size_t b) { return model.scores[a] > model.scores[b]; });
  for (const size_t id : by_score) {
    const std::string& token = model.tokens[id];
    for (size_t cut = 1; cut < token.size(); ++cut) {
      const std::string left = token.substr(0, cut), right = token.substr(cut);
      if (ids.contains(left) && ids.contains(right)) spec.merges.emplace_back(left, right);
    }
  }
  if (const auto unk = unknown_id(model)) spec.unk = model.tokens[static_cast<size_t>(*unk)];
  spec.tokens = model.tokens;
  spec.byte_fallback = model.byte_fallback;
  spec.fuse_unk = true;
  return BpeModel(std::move(spec));
}

Model make_model(const SentencePieceFile& model) {
  if (model.model_type == kUnigram) return make_unigram(model);
  if (model.model_type == kBpe) return make_bpe(model);
  throw Error(Exit::data, fmt::format("sentencepiece model type {} is neither Unigram nor BPE",
                                      model.model_type));
}

Pipeline sentencepiece_pipeline(const SentencePieceFile& model) {
  SentencePieceDecoder decoder{
      .control = {},
      .unknown = "",
      .surface = model.unk_surface,
      .strip_first = model.normalizer.dummy_prefix || model.normalizer.remove_extra_spaces,
      .strip_all = model.normalizer.remove_extra_spaces};
  for (size_t id = 0; id < model.tokens.size(); ++id) {
    if (model.types[id] == PieceType::control) decoder.control.insert(model.tokens[id]);
    if (model.types[id] == PieceType::unknown) decoder.unknown = model.tokens[id];
  }
  return {.normalizers = {model.normalizer},
          .pre_tokenizers = {},
          .model = make_model(model),
          .templates = {},
          .decoders = {std::move(decoder)},
          .added = {},
          .qwen2 = false,
          .source = ""};
}

/// As `transformers` converts it: class DebertaV2Converter.
Pipeline deberta_pipeline(const SentencePieceFile& model) {
  Pipeline out{.normalizers = {StripNormalizer{}, model.normalizer.map,
                               ReplaceNormalizer{Regex(" {2,}"), " "}},
               .pre_tokenizers = {MetaspaceSplit{}},
               .model = UnigramModel(unigram_spec(model)),
               .templates = {},
               .decoders = {MetaspaceDecoder{}},
               .added = {},
               .qwen2 = false,
               .source = ""};
  int64_t next = static_cast<int64_t>(model.tokens.size());
  const auto special = [&](const char* content) {
    const auto found = std::find(model.tokens.begin(), model.tokens.end(), content);
    const int64_t id = found == model.tokens.end() ? next++ : found - model.tokens.begin();
    out.added.push_back({content, id});
    return id;
  };
  special("[PAD]");
  const TemplateItem cls{-1, {special("[CLS]")}, 0}, sep{-1, {special("[SEP]")}, 0};
  special("[UNK]");
  special("[MASK]");
  const TemplateItem last{-1, sep.ids, 1};
  out.templates = {{cls, {0, {}, 0}, sep}, {cls, {0, {}, 0}, sep, {1, {}, 1}, last}};
  return out;
}

bool is_deberta(const fs::path& folder) {
  const fs::path config = folder / "tokenizer_config.json", model = folder / "config.json";
  const auto names = [](const fs::path& file, const char* key, std::string_view name) {
    if (!fs::exists(file)) return false;
    const Document object = parse_json_file(file);
    const auto found = Node(file, object, "").find(key);
    return found && found->value().is_string() && found->string().starts_with(name);
  };
  return names(config, "tokenizer_class", "DebertaV2") || names(model, "model_type", "deberta-v2");
}

}  // namespace

Pipeline read_sentencepiece(const fs::path& file) {
  const bool deberta = is_deberta(file.parent_path());
  const std::string bytes = io::read_file(file);
  try {
    const SentencePieceFile model = read_model(bytes);
    return deberta && model.model_type == kUnigram ? deberta_pipeline(model)
                                                   : sentencepiece_pipeline(model);
  } catch (const Error& error) {
    refuse_file(file, error.what());
  }
}

}  // namespace unirg::text
