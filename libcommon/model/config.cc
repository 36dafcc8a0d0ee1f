// SPDX-License-Identifier: Apache-2.0
#include "model/config.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "io/atomic_file.h"

namespace unirg::model {
namespace {

/// Reads keys of one object and says which is wrong.
class Reader {
 public:
  Reader(const Json& object, std::string where) : object_(object), where_(std::move(where)) {}

  [[nodiscard]] bool has(const char* key) const {
    return object_.contains(key) && !object_.at(key).is_null();
  }
  [[noreturn]] void fail(const std::string& why) const {
    throw Error(Exit::data, fmt::format("{}: {}", where_, why));
  }

  void integer(const char* key, int64_t& out, bool required = false) const {
    if (!check(key, required)) return;
    if (!object_.at(key).is_number_integer()) fail(fmt::format("key '{}': expected integer", key));
    out = object_.at(key).get<int64_t>();
  }
  void positive(const char* key, int64_t& out) const {
    integer(key, out, /*required=*/true);
    if (out <= 0) fail(fmt::format("key '{}': must be positive", key));
  }
  void number(const char* key, double& out) const {
    if (!check(key, false)) return;
    if (!object_.at(key).is_number()) fail(fmt::format("key '{}': expected number", key));
    out = object_.at(key).get<double>();
  }
  void boolean(const char* key, bool& out) const {
    if (!check(key, false)) return;
    if (!object_.at(key).is_boolean()) fail(fmt::format("key '{}': expected true or false", key));
    out = object_.at(key).get<bool>();
  }
  void integers(const char* key, std::vector<int64_t>& out) const {
    if (!check(key, false)) return;
    const auto values = io::Fields(object_).integers(key);
    if (!values) fail(values.error().reason);
    out = *values;
  }
  [[nodiscard]] Reader child(const char* key) const {
    if (!has(key) || !object_.at(key).is_object())
      fail(fmt::format("key '{}': expected object", key));
    return {object_.at(key), where_ + ": " + key};
  }

 private:
  bool check(const char* key, bool required) const {
    if (has(key)) return true;
    if (required) fail(fmt::format("key '{}' is missing", key));
    return false;
  }

  const Json& object_;
  std::string where_;
};

VisionConfig read_vision(const Reader& reader) {
  VisionConfig c;
  reader.positive("depth", c.depth);
  reader.positive("hidden_size", c.hidden_size);
  reader.positive("intermediate_size", c.intermediate_size);
  reader.positive("num_heads", c.num_heads);
  reader.integer("in_channels", c.in_channels);
  reader.integer("patch_size", c.patch_size);
  reader.integer("temporal_patch_size", c.temporal_patch_size);
  reader.integer("spatial_merge_size", c.spatial_merge_size);
  reader.integer("num_position_embeddings", c.num_position_embeddings);
  reader.positive("out_hidden_size", c.out_hidden_size);
  reader.integers("deepstack_visual_indexes", c.deepstack_visual_indexes);
  if (reader.has("rope_parameters"))
    reader.child("rope_parameters").number("rope_theta", c.rope_theta);
  const auto side =
      static_cast<int64_t>(std::llround(std::sqrt(static_cast<double>(c.num_position_embeddings))));
  if (side < 1 || side * side != c.num_position_embeddings)
    reader.fail("key 'num_position_embeddings': must be a square");
  if (c.hidden_size % c.num_heads != 0 || c.head_dim() % 4 != 0) {
    reader.fail("key 'hidden_size': must be a multiple of 4 x num_heads");
  }
  for (const int64_t index : c.deepstack_visual_indexes) {
    if (index < 0 || index >= c.depth)
      reader.fail("key 'deepstack_visual_indexes': index out of range");
  }
  return c;
}

TextConfig read_text(const Reader& reader) {
  TextConfig c;
  reader.positive("vocab_size", c.vocab_size);
  reader.positive("hidden_size", c.hidden_size);
  reader.positive("intermediate_size", c.intermediate_size);
  reader.positive("num_hidden_layers", c.num_hidden_layers);
  reader.positive("num_attention_heads", c.num_attention_heads);
  c.num_key_value_heads = c.num_attention_heads;
  reader.integer("num_key_value_heads", c.num_key_value_heads);
  reader.integer("head_dim", c.head_dim);
  reader.integer("max_position_embeddings", c.max_position_embeddings);
  reader.number("rms_norm_eps", c.rms_norm_eps);
  reader.boolean("attention_bias", c.attention_bias);
  reader.boolean("tie_word_embeddings", c.tie_word_embeddings);
  reader.number("rope_theta", c.rope_theta);
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    if (!reader.has(key)) continue;
    const Reader rope = reader.child(key);
    rope.number("rope_theta", c.rope_theta);
    rope.integers("mrope_section", c.mrope_section);
  }
  if (c.num_key_value_heads < 1 || c.num_attention_heads % c.num_key_value_heads != 0) {
    reader.fail("key 'num_key_value_heads': must divide num_attention_heads");
  }
  if (c.head_dim < 2 || c.head_dim % 2 != 0) reader.fail("key 'head_dim': must be even");
  if (c.mrope_section.size() != 3) reader.fail("key 'mrope_section': expected three numbers");
  return c;
}

}  // namespace

ModelConfig config_from_json(const Json& object, const std::string& file) {
  const Reader reader(object, file);
  if (!object.is_object()) reader.fail("not a JSON object");
  const auto type = io::Fields(object).string("model_type");
  if (!type) reader.fail(type.error().reason);
  if (*type != "qwen3_vl")
    reader.fail(fmt::format("model_type '{}' is not supported (hint: expected 'qwen3_vl')", *type));
  ModelConfig config;
  config.vision = read_vision(reader.child("vision_config"));
  config.text = read_text(reader.child("text_config"));
  reader.boolean("tie_word_embeddings", config.text.tie_word_embeddings);  // the top level wins
  reader.integer("image_token_id", config.image_token_id, true);
  reader.integer("video_token_id", config.video_token_id);
  reader.integer("vision_start_token_id", config.vision_start_token_id, true);
  reader.integer("vision_end_token_id", config.vision_end_token_id, true);
  const Reader text = reader.child("text_config");
  text.integer("bos_token_id", config.bos_token_id);
  text.integer("eos_token_id", config.eos_token_id);
  for (const char* key : {"torch_dtype", "dtype"}) {
    if (object.contains(key) && object.at(key).is_string())
      config.dtype = object.at(key).get<std::string>();
  }
  if (config.vision.out_hidden_size != config.text.hidden_size) {
    reader.fail("vision_config.out_hidden_size must equal text_config.hidden_size");
  }
  return config;
}

ModelConfig load_config(const std::filesystem::path& config_json) {
  const Json object = Json::parse(io::read_file(config_json), nullptr, /*allow_exceptions=*/false);
  if (object.is_discarded())
    throw Error(Exit::data, fmt::format("{}: not valid JSON", config_json.string()));
  return config_from_json(object, config_json.string());
}

Json to_json(const ModelConfig& c) {
  const VisionConfig& v = c.vision;
  const TextConfig& t = c.text;
  return {{"architectures", {"Qwen3VLForConditionalGeneration"}},
          {"dtype", c.dtype},
          {"image_token_id", c.image_token_id},
          {"model_type", "qwen3_vl"},
          {"text_config",
           {{"attention_bias", t.attention_bias},
            {"attention_dropout", 0.0},
            {"bos_token_id", c.bos_token_id},
            {"dtype", c.dtype},
            {"eos_token_id", c.eos_token_id},
            {"head_dim", t.head_dim},
            {"hidden_act", "silu"},
            {"hidden_size", t.hidden_size},
            {"initializer_range", 0.02},
            {"intermediate_size", t.intermediate_size},
            {"max_position_embeddings", t.max_position_embeddings},
            {"model_type", "qwen3_vl_text"},
            {"num_attention_heads", t.num_attention_heads},
            {"num_hidden_layers", t.num_hidden_layers},
            {"num_key_value_heads", t.num_key_value_heads},
            {"rms_norm_eps", t.rms_norm_eps},
            {"rope_parameters",
             {{"mrope_interleaved", true},
              {"mrope_section", t.mrope_section},
              {"rope_theta", t.rope_theta},
              {"rope_type", "default"}}},
            {"rope_scaling",
             {{"mrope_interleaved", true},
              {"mrope_section", t.mrope_section},
              {"rope_type", "default"}}},
            {"rope_theta", t.rope_theta},
            {"tie_word_embeddings", t.tie_word_embeddings},
            {"use_cache", true},
            {"vocab_size", t.vocab_size}}},
          {"tie_word_embeddings", t.tie_word_embeddings},
          {"video_token_id", c.video_token_id},
          {"vision_config",
           {{"deepstack_visual_indexes", v.deepstack_visual_indexes},
            {"depth", v.depth},
            {"hidden_act", "gelu_pytorch_tanh"},
            {"hidden_size", v.hidden_size},
            {"in_channels", v.in_channels},
            {"initializer_range", 0.02},
            {"intermediate_size", v.intermediate_size},
            {"model_type", "qwen3_vl"},
            {"num_heads", v.num_heads},
            {"num_position_embeddings", v.num_position_embeddings},
            {"out_hidden_size", v.out_hidden_size},
            {"patch_size", v.patch_size},
            {"spatial_merge_size", v.spatial_merge_size},
            {"temporal_patch_size", v.temporal_patch_size}}},
          {"vision_end_token_id", c.vision_end_token_id},
          {"vision_start_token_id", c.vision_start_token_id}};
}

}  // namespace unirg::model
