// SPDX-License-Identifier: Apache-2.0
#include "model/encoder.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/clamp_min.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.h"
#include "io/safetensors.h"
#include "model/bert.h"
#include "model/config_keys.h"
#include "model/deberta.h"

namespace unirg::model {
namespace {

using Sequences = std::vector<std::vector<int64_t>>;

std::string_view prefix_of(EncoderFamily family) {
  switch (family) {
    case EncoderFamily::bert:
      return "bert.";
    case EncoderFamily::roberta:
      return "roberta.";
    case EncoderFamily::mpnet:
      return "mpnet.";
    case EncoderFamily::deberta_v2:
      return "deberta.";
  }
  UNIRG_ASSERT(false, "unknown family");
}

/// Heads that published checkpoints hold beside the encoder: masked and next-sentence prediction,
/// replaced-token detection, answers, CXR-BERT's projection to the space of images.
bool is_unused_head(std::string_view name) {
  constexpr std::array<std::string_view, 6> kHeads{
      "cls.",       "cls_projection_head.", "lm_head.", "lm_predictions.", "mask_predictions.",
      "qa_outputs."};
  return std::any_of(kHeads.begin(), kHeads.end(),
                     [&](std::string_view head) { return name.starts_with(head); });
}

/// Buffers, which are counted anew, and DeBERTa's absolute positions where they are not added.
bool is_unused_table(const EncoderConfig& config, std::string_view name) {
  if (name == "embeddings.position_ids" || name == "embeddings.token_type_ids") return true;
  return config.family == EncoderFamily::deberta_v2 && !config.deberta.position_biased_input &&
         name == "embeddings.position_embeddings.weight";
}

std::string without_old_norm_names(std::string name) {
  for (const auto& [old_name, new_name] : {std::pair{"LayerNorm.gamma", "LayerNorm.weight"},
                                           std::pair{"LayerNorm.beta", "LayerNorm.bias"}}) {
    if (name.ends_with(old_name))
      return name.substr(0, name.size() - std::string_view(old_name).size()) + new_name;
  }
  return name;
}

[[noreturn]] void refuse(int64_t sequence, const std::string& why) {
  throw Error(Exit::data, fmt::format("sequence {}: {}", sequence, why));
}

/// Every value of row b below `bound`.
void check_values(const Tensor& row, int64_t b, int64_t bound, const char* what) {
  const int64_t low = row.min().item<int64_t>();
  const int64_t high = row.max().item<int64_t>();
  if (low < 0 || high >= bound)
    refuse(b, fmt::format("{} {} is outside [0, {})", what, low < 0 ? low : high, bound));
}

void check_batch(const EncoderConfig& config, const TokenBatch& batch) {
  UNIRG_ASSERT(batch.ids.dim() == 2 && batch.ids.size(0) >= 1 &&
                   batch.ids.size(0) == static_cast<int64_t>(batch.lengths.size()),
               "batch of token ids is ill-shaped");
  UNIRG_ASSERT(!batch.types.defined() || batch.types.sizes() == batch.ids.sizes(),
               "token types do not fit the ids");
  const std::optional<int64_t> longest = config.max_tokens();
  for (int64_t b = 0; b < batch.ids.size(0); ++b) {
    const int64_t length = batch.lengths[static_cast<size_t>(b)];
    UNIRG_ASSERT(length >= 1 && length <= batch.ids.size(1), "sequence length out of range");
    if (longest && length > *longest)
      refuse(b, fmt::format("{} tokens, the model takes {}", length, *longest));
    check_values(batch.ids[b], b, config.vocab_size, "token id");
    if (batch.types.defined())
      check_values(batch.types[b], b, std::max<int64_t>(config.type_vocab_size, 1), "token type");
  }
}

/// The rows of one key of a request.
Sequences read_rows(const io::Json& request, const char* key, const std::string& where) {
  const Keys keys(request, where);
  if (!keys.has(key) || !keys.at(key).is_array() || keys.at(key).empty())
    keys.fail(key, "expected a list of lists of integers");
  Sequences rows;
  for (const io::Json& row : keys.at(key)) {
    if (!row.is_array()) keys.fail(key, "expected a list of lists of integers");
    rows.emplace_back();
    for (const io::Json& value : row) {
      if (!value.is_number_integer()) keys.fail(key, "expected integers");
      rows.back().push_back(value.get<int64_t>());
    }
  }
  return rows;
}

}  // namespace

Shapes encoder_shapes(const EncoderConfig& config) {
  Shapes shapes =
      config.family == EncoderFamily::deberta_v2 ? deberta_shapes(config) : bert_shapes(config);
  const int64_t H = config.hidden_size;
  if (config.has_pooler) add_dense_shapes(shapes, "pooler.dense", H, H);
  if (!config.labels.empty())
    add_dense_shapes(shapes, "classifier", static_cast<int64_t>(config.labels.size()), H);
  return shapes;
}

Naming encoder_naming(const EncoderConfig& config) {
  return [config](const std::string& file_name) -> std::string {
    const std::string_view prefix = prefix_of(config.family);
    const bool is_inner = file_name.starts_with(prefix);
    std::string name =
        without_old_norm_names(is_inner ? file_name.substr(prefix.size()) : file_name);
    if (is_unused_table(config, name)) return "";
    if (is_inner) return name;
    // Beside the encoder: heads. DeBERTa's pooler belongs to its sequence classifier.
    if (is_unused_head(name)) return "";
    if (name.starts_with("classifier.") && config.labels.empty()) return "";
    if (name.starts_with("pooler.") && config.family == EncoderFamily::deberta_v2) return "";
    return name;
  };
}

bool is_encoder_folder(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder / "config.json")) return false;
  const io::Json object = read_json_object(folder / "config.json");
  const Keys keys(object, (folder / "config.json").string());
  return is_encoder_type(keys.string("model_type", ""));
}

Encoder load_encoder_weights(const std::filesystem::path& folder, EncoderConfig config,
                             const Shapes& extra, const Naming& naming, const at::Device& device) {
  Encoder encoder;
  config.has_pooler = false;
  const io::SafetensorsFolder files(folder);
  for (const auto& [file_name, view] : files.tensors()) {
    const std::string name = naming(file_name);
    if (name.empty()) encoder.left_out.push_back(file_name);
    if (name == "pooler.dense.weight") config.has_pooler = true;
  }
  Shapes expected = encoder_shapes(config);
  expected.insert(extra.begin(), extra.end());
  encoder.parameters =
      load_parameters(folder, expected, naming, {.dtype = at::kFloat, .device = device});
  encoder.config = std::move(config);
  return encoder;
}

Encoder load_encoder(const std::filesystem::path& folder, const at::Device& device) {
  const EncoderConfig config = load_encoder_config(folder / "config.json");
  return load_encoder_weights(folder, config, {}, encoder_naming(config), device);
}

Encoder packed(Encoder encoder) {
  pack_dense(encoder.parameters);
  return encoder;
}

TokenBatch pad_batch(const Sequences& ids, int64_t pad_token_id, const Sequences& types) {
  UNIRG_ASSERT(!ids.empty(), "an empty batch has no shape");
  if (!types.empty() && types.size() != ids.size()) {
    throw Error(Exit::data,
                fmt::format("token types of {} sequences for {}", types.size(), ids.size()));
  }
  TokenBatch batch;
  for (size_t b = 0; b < ids.size(); ++b) {
    if (ids[b].empty()) refuse(static_cast<int64_t>(b), "no tokens");
    if (!types.empty() && types[b].size() != ids[b].size()) {
      refuse(static_cast<int64_t>(b),
             fmt::format("{} token types for {} tokens", types[b].size(), ids[b].size()));
    }
    batch.lengths.push_back(static_cast<int64_t>(ids[b].size()));
  }
  const int64_t T = *std::max_element(batch.lengths.begin(), batch.lengths.end());
  const auto fill = [&](const Sequences& rows, int64_t padding) {
    Tensor table = at::full({static_cast<int64_t>(rows.size()), T}, padding, at::kLong);
    int64_t* values = table.mutable_data_ptr<int64_t>();
    for (size_t b = 0; b < rows.size(); ++b)
      std::copy(rows[b].begin(), rows[b].end(), values + static_cast<int64_t>(b) * T);
    return table;
  };
  batch.ids = fill(ids, pad_token_id);
  if (!types.empty()) batch.types = fill(types, 0);
  return batch;
}

EncoderOutput encoder_forward(const Encoder& encoder, const TokenBatch& batch,
                              std::optional<int64_t> layers) {
  const EncoderConfig& config = encoder.config;
  const int64_t depth = layers.value_or(config.num_hidden_layers);
  UNIRG_ASSERT(depth >= 0 && depth <= config.num_hidden_layers, "more layers than the encoder has");
  check_batch(config, batch);
  EncoderOutput out;
  out.hidden = config.family == EncoderFamily::deberta_v2
                   ? deberta_hidden(config, encoder.parameters, batch, depth)
                   : bert_hidden(config, encoder.parameters, batch, depth);
  if (depth < config.num_hidden_layers) return out;
  if (config.has_pooler)
    out.pooled =
        at::tanh(dense(encoder.parameters, "pooler.dense", first_token(out.hidden.back())));
  if (!config.labels.empty())
    out.token_logits = dense(encoder.parameters, "classifier", out.hidden.back());
  return out;
}

Tensor first_token(const Tensor& hidden) { return hidden.select(1, 0); }

Tensor mean_pool(const Tensor& hidden, const TokenBatch& batch) {
  const Tensor is_token = token_mask(batch, hidden.device());
  return (hidden * is_token).sum(1) / is_token.sum(1);
}

Tensor l2_normalize(const Tensor& x) {
  const Tensor length = at::linalg_vector_norm(x, 2, /*dim=*/{-1}, /*keepdim=*/true);
  return x / at::clamp_min(length, 1e-12);
}

Parameters encoder_outputs(const Encoder& encoder, const io::Json& request,
                           const std::string& where) {
  if (!request.is_object()) throw Error(Exit::data, where + ": not a JSON object");
  const Sequences ids = read_rows(request, "input_ids", where);
  Sequences types;
  if (Keys(request, where).has("token_type_ids"))
    types = read_rows(request, "token_type_ids", where);
  const EncoderOutput out =
      encoder_forward(encoder, pad_batch(ids, encoder.config.pad_token_id, types));
  Parameters named;
  for (size_t i = 0; i < out.hidden.size(); ++i) named[fmt::format("hidden.{}", i)] = out.hidden[i];
  if (out.pooled.defined()) named["pooler"] = out.pooled;
  if (out.token_logits.defined()) named["token_logits"] = out.token_logits;
  return named;
}

}  // namespace unirg::model
