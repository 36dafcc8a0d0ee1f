// SPDX-License-Identifier: Apache-2.0
#include "model/encoder_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <sstream>

#include "base/error.h"
#include "model/config_keys.h"

namespace unirg::model {
namespace {

const std::map<std::string, EncoderFamily>& families() {
  static const std::map<std::string, EncoderFamily> kFamilies{
      {"bert", EncoderFamily::bert},
      {"cxr-bert", EncoderFamily::bert},  // BERT with a projection head; RadGraph-XL's encoder
      {"roberta", EncoderFamily::roberta},
      {"xlm-roberta", EncoderFamily::roberta},
      {"mpnet", EncoderFamily::mpnet},
      {"deberta-v2", EncoderFamily::deberta_v2},
  };
  return kFamilies;
}

Activation read_activation(const Keys& keys, const char* key, const std::string& otherwise) {
  static const std::map<std::string, Activation> kNames{
      {"gelu", Activation::gelu},
      {"gelu_python", Activation::gelu},
      {"gelu_new", Activation::gelu_tanh},
      {"gelu_fast", Activation::gelu_tanh},
      {"gelu_pytorch_tanh", Activation::gelu_tanh},
      {"relu", Activation::relu},
      {"silu", Activation::silu},
      {"swish", Activation::silu},
      {"tanh", Activation::tanh},
  };
  const std::string name = keys.string(key, otherwise);
  const auto it = kNames.find(name);
  if (it == kNames.end())
    keys.fail(key, fmt::format("activation '{}' is not supported (hint: gelu, gelu_new, relu, silu "
                               "and tanh are)",
                               name));
  return it->second;
}

/// "p2c|c2p", or a list of such names.
std::vector<std::string> read_names(const Keys& keys, const char* key) {
  std::vector<std::string> names;
  if (!keys.has(key)) return names;
  const Json& value = keys.at(key);
  if (value.is_array()) {
    for (const Json& item : value) {
      if (!item.is_string()) keys.fail(key, "expected strings");
      names.push_back(item.get<std::string>());
    }
    return names;
  }
  std::istringstream parts(keys.string(key, ""));
  for (std::string part; std::getline(parts, part, '|');) {
    part.erase(std::remove(part.begin(), part.end(), ' '), part.end());
    if (!part.empty()) names.push_back(part);
  }
  return names;
}

bool contains(const std::vector<std::string>& names, const char* name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

DebertaConfig read_deberta(const Keys& keys, const EncoderConfig& c) {
  DebertaConfig d;
  d.embedding_size = keys.integer("embedding_size", c.hidden_size);
  d.position_biased_input = keys.boolean("position_biased_input", true);
  d.relative_attention = keys.boolean("relative_attention", false);
  d.position_buckets = keys.integer("position_buckets", -1);
  d.max_relative_positions = keys.integer("max_relative_positions", -1);
  if (d.max_relative_positions < 1) d.max_relative_positions = c.max_position_embeddings;
  d.norm_rel_ebd = contains(read_names(keys, "norm_rel_ebd"), "layer_norm");
  d.share_att_key = keys.boolean("share_att_key", false);
  const std::vector<std::string> terms = read_names(keys, "pos_att_type");
  for (const std::string& term : terms) {
    if (term != "c2p" && term != "p2c")
      keys.fail("pos_att_type",
                fmt::format("unknown term '{}' (hint: c2p and p2c are known)", term));
  }
  d.c2p = contains(terms, "c2p");
  d.p2c = contains(terms, "p2c");
  d.conv_kernel_size = std::max<int64_t>(keys.integer("conv_kernel_size", 0), 0);
  d.conv_groups = keys.integer("conv_groups", 1);
  d.conv_act = read_activation(keys, "conv_act", "tanh");

  if (d.embedding_size < 1) keys.fail("embedding_size", "must be 1 to 10000");
  if (keys.integer("attention_head_size", c.head_dim()) != c.head_dim())
    keys.fail("attention_head_size", "must be hidden_size / num_attention_heads");
  // Twice either must stay a number of rows.
  constexpr int64_t kLargest = int64_t{1} << 31;
  if (d.max_relative_positions > kLargest) keys.fail("max_relative_positions", "is too large");
  if (d.relative_attention && d.position_buckets > 0) {
    // The logarithm's range: two exact buckets at least, and something beyond them.
    const int64_t middle = d.position_buckets / 2;
    if (middle < 1 || middle >= d.max_relative_positions - 1)
      keys.fail("position_buckets",
                "must be at least 2 and below 2 x (max_relative_positions - 1)");
  }
  if (d.conv_kernel_size > 0 && d.conv_kernel_size % 2 == 0)
    keys.fail("conv_kernel_size", "must be odd, or the sequence changes its length");
  if (d.conv_groups < 1 || c.hidden_size % d.conv_groups != 0)
    keys.fail("conv_groups", "must divide hidden_size");
  return d;
}

/// Class names of the token classification head; empty for other architectures.
std::vector<std::string> read_labels(const Keys& keys) {
  if (!keys.has("architectures")) return {};
  const Json& architectures = keys.at("architectures");
  if (!architectures.is_array()) keys.fail("architectures", "expected strings");
  const bool classifies =
      std::any_of(architectures.begin(), architectures.end(), [](const Json& a) {
        return a.is_string() && a.get<std::string>().ends_with("ForTokenClassification");
      });
  if (!classifies) return {};
  const bool named = keys.has("id2label");
  if (named && !keys.at("id2label").is_object()) keys.fail("id2label", "expected object");
  const int64_t n = named ? static_cast<int64_t>(keys.at("id2label").size())
                          : keys.integer("num_labels", 2);  // transformers' default
  if (n < 1 || n > 10'000) keys.fail(named ? "id2label" : "num_labels", "must be positive");
  std::vector<std::string> labels;
  for (int64_t i = 0; i < n; ++i) {
    if (!named) {
      labels.push_back(fmt::format("LABEL_{}", i));
      continue;
    }
    const Json& map = keys.at("id2label");
    const std::string index = std::to_string(i);
    if (!map.contains(index) || !map.at(index).is_string())
      keys.fail("id2label", fmt::format("expected a name for class {}", i));
    labels.push_back(map.at(index).get<std::string>());
  }
  return labels;
}

/// Switches that change the result and that we do not follow.
void refuse_unsupported(const Keys& keys) {
  if (keys.boolean("is_decoder", false))
    keys.fail("is_decoder", "a causal decoder is not supported (hint: expected an encoder)");
  if (keys.boolean("add_cross_attention", false))
    keys.fail("add_cross_attention", "is not supported");
  if (keys.string("position_embedding_type", "absolute") != "absolute")
    keys.fail("position_embedding_type", "only 'absolute' is supported");
}

}  // namespace

std::optional<int64_t> EncoderConfig::max_tokens() const {
  switch (family) {
    case EncoderFamily::bert:
      return max_position_embeddings;
    case EncoderFamily::roberta:
    case EncoderFamily::mpnet:
      return max_position_embeddings - pad_token_id - 1;  // positions start after the padding id
    case EncoderFamily::deberta_v2:
      if (deberta.position_biased_input) return max_position_embeddings;
      return std::nullopt;
  }
  UNIRG_ASSERT(false, "unknown family");
}

bool is_encoder_type(const std::string& model_type) { return families().count(model_type) > 0; }

EncoderConfig encoder_config_from_json(const io::Json& object, const std::string& file,
                                       const std::string& default_type) {
  const Keys keys(object, file);
  EncoderConfig c;
  c.model_type = keys.string("model_type", default_type);
  if (c.model_type.empty()) keys.fail("key 'model_type' is missing");
  if (!is_encoder_type(c.model_type)) {
    keys.fail(fmt::format(
        "model_type '{}' is no encoder we know (hint: bert, cxr-bert, roberta, xlm-roberta, "
        "mpnet and deberta-v2 are)",
        c.model_type));
  }
  c.family = families().at(c.model_type);
  refuse_unsupported(keys);

  const bool is_deberta = c.family == EncoderFamily::deberta_v2;
  const bool counts_positions =
      c.family == EncoderFamily::roberta || c.family == EncoderFamily::mpnet;
  c.vocab_size = keys.positive("vocab_size");
  c.hidden_size = keys.positive("hidden_size");
  c.num_hidden_layers = keys.positive("num_hidden_layers");
  c.num_attention_heads = keys.positive("num_attention_heads");
  c.intermediate_size = keys.positive("intermediate_size");
  c.max_position_embeddings = keys.positive("max_position_embeddings");
  c.layer_norm_eps = keys.number("layer_norm_eps", is_deberta ? 1e-7 : 1e-12);
  c.hidden_act = read_activation(keys, "hidden_act", "gelu");
  c.pad_token_id = keys.integer("pad_token_id", counts_positions ? 1 : 0);
  c.type_vocab_size = keys.integer("type_vocab_size", is_deberta ? 0 : 2);
  if (c.family == EncoderFamily::mpnet) {
    c.pad_token_id = 1;  // transformers' MPNet counts positions from 2 whatever the file says
    c.type_vocab_size = 0;
    c.relative_attention_num_buckets = keys.integer("relative_attention_num_buckets", 32);
    if (c.relative_attention_num_buckets < 32)
      keys.fail("relative_attention_num_buckets", "must be at least 32, the buckets in use");
  }
  if (is_deberta) c.deberta = read_deberta(keys, c);

  if (c.num_hidden_layers > 1000) keys.fail("num_hidden_layers", "must be at most 1000");
  if (c.hidden_size % c.num_attention_heads != 0)
    keys.fail("hidden_size", "must be a multiple of num_attention_heads");
  if (c.pad_token_id < 0 || c.pad_token_id >= c.vocab_size)
    keys.fail("pad_token_id", "must be an id of the vocabulary");
  if (c.type_vocab_size < (is_deberta || c.family == EncoderFamily::mpnet ? 0 : 1))
    keys.fail("type_vocab_size", "must be positive");
  if (c.max_tokens().value_or(1) < 1) keys.fail("max_position_embeddings", "leaves no position");
  if (!(c.layer_norm_eps > 0)) keys.fail("layer_norm_eps", "must be positive");
  c.labels = read_labels(keys);
  return c;
}

EncoderConfig load_encoder_config(const std::filesystem::path& config_json) {
  return encoder_config_from_json(read_json_object(config_json), config_json.string());
}

}  // namespace unirg::model
