// SPDX-License-Identifier: Apache-2.0
#include "model/qwen3_vl.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/index_copy.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "io/run_record.h"
#include "model/checkpoint_tensors.h"
#include "model/dense.h"

namespace unirg::model {
namespace {

/// The second pass over the same layers (the replies after their prompt) draws other masks.
Pass reply_pass(Pass pass) {
  constexpr uint64_t kOther = 0x9e3779b97f4a7c15;
  pass.dropout.seed ^= kOther;
  return pass;
}

/// [B, n] ids, right-padded with 0.
Tensor padded_ids(const std::vector<std::vector<int64_t>>& rows, int64_t n, int64_t vocab) {
  Tensor ids = at::zeros({static_cast<int64_t>(rows.size()), n}, at::kLong);
  int64_t* data = ids.mutable_data_ptr<int64_t>();
  for (size_t b = 0; b < rows.size(); ++b) {
    for (size_t i = 0; i < rows[b].size() && static_cast<int64_t>(i) < n; ++i) {
      const int64_t id = rows[b][i];
      if (id < 0 || id >= vocab)
        throw Error(Exit::data,
                    fmt::format("token id {} is outside the vocabulary of {}", id, vocab));
      data[static_cast<int64_t>(b) * n + static_cast<int64_t>(i)] = id;
    }
  }
  return ids;
}

struct Images {
  std::vector<Tensor> pixels;
  std::vector<Grid> grids;
  std::vector<int64_t> rows;  ///< where their tokens go in [B*P]
};

void collect_images(const ModelConfig& config, const PromptTokens& prompt, int64_t first_row,
                    int64_t length, Images& images) {
  if (prompt.pixels.defined()) images.pixels.push_back(prompt.pixels);
  images.grids.insert(images.grids.end(), prompt.grids.begin(), prompt.grids.end());
  for (int64_t i = 0; i < length; ++i) {
    if (prompt.tokens[static_cast<size_t>(i)] == config.image_token_id)
      images.rows.push_back(first_row + i);
  }
}

}  // namespace

Qwen3VL bind_model(ModelConfig config, Parameters parameters,
                   std::optional<AdapterConfig> adapter) {
  Qwen3VL model{std::move(config), std::move(parameters), std::move(adapter), {}, {}};
  const double scale = model.adapter ? model.adapter->scale() : 0;
  if (model.config.sees()) model.vision = bind_vision(model.config.vision, model.parameters, scale);
  model.text = bind_text(model.config.text, model.parameters, text_root(model.config), scale);
  return model;
}

std::optional<at::ScalarType> parse_dtype(const std::string& dtype) {
  if (dtype == "float32") return at::kFloat;
  if (dtype == "bfloat16") return at::kBFloat16;
  if (dtype == "auto") return std::nullopt;
  throw Error(Exit::config,
              fmt::format("unknown dtype '{}' (hint: float32, bfloat16 or auto)", dtype));
}

Qwen3VL load_model(const std::filesystem::path& folder, const std::string& device,
                   const std::string& dtype) {
  const std::filesystem::path base = base_folder(folder);
  if (!std::filesystem::exists(base / "config.json")) {
    throw Error(Exit::no_input,
                fmt::format("no checkpoint in '{}': config.json is missing", base.string()));
  }
  ModelConfig config = load_config(base / "config.json");
  const Placement placement{parse_dtype(dtype), parse_device(device), /*map=*/true};
  Parameters parameters = load_checkpoint(base, config, placement);
  if (!is_adapter(folder)) return model::bind_model(std::move(config), std::move(parameters));
  AdapterConfig adapter = load_adapter_config(folder);
  for (auto& [name, tensor] : load_adapter(folder, config, adapter))
    parameters[name] = tensor.to(placement.device);
  return model::bind_model(std::move(config), std::move(parameters), std::move(adapter));
}

namespace {

void pack(std::initializer_list<Linear*> layers) {
  for (Linear* layer : layers) {
    layer->packed = packed_weight(layer->weight);
    let_go(layer->weight);
  }
}

/// Layers that read the same input, as one; left as they are if one has an adapter.
void pack_joined(Linear& joined, std::initializer_list<Linear*> layers) {
  std::vector<Tensor> weights, biases;
  for (const Linear* layer : layers) {
    if (layer->lora_a.defined()) return pack(layers);
    weights.push_back(layer->weight);
    if (layer->bias.defined()) biases.push_back(layer->bias);
  }
  joined.packed = packed_weight(at::cat(weights, 0));
  for (const Tensor& weight : weights) let_go(weight);
  if (!biases.empty()) joined.bias = at::cat(biases, 0);
}

}  // namespace

void pack_weights(Qwen3VL& model) {
  model.text.head_packed = packed_weight(model.text.head);
  if (!model.text.head_packed.defined()) return;  // not to be had here
  for (TextLayer& l : model.text.layers) {
    pack_joined(l.qkv, {&l.q, &l.k, &l.v});
    pack_joined(l.gate_up, {&l.gate, &l.up});
    pack({&l.o, &l.down});
  }
  for (VisionBlock& b : model.vision.blocks) pack({&b.qkv, &b.proj, &b.fc1, &b.fc2});
  for (VisionMerger& m : model.vision.deepstack) pack({&m.fc1, &m.fc2});
  if (model.config.sees()) pack({&model.vision.merger.fc1, &model.vision.merger.fc2});
}

Qwen3VL without_adapter(const Qwen3VL& model) {
  Parameters base;
  for (const auto& [name, tensor] : model.parameters) {
    if (!is_adapter_tensor(name)) base.emplace(name, tensor);
  }
  return model::bind_model(model.config, std::move(base));
}

std::string policy_digest(const std::filesystem::path& folder) {
  const std::string own = io::digest_path(folder);
  return is_adapter(folder) ? sha256_hex(own + io::digest_path(base_folder(folder))) : own;
}

void add_policy_input(io::RunRecord& record, const std::filesystem::path& folder,
                      const std::string& digest) {
  record.add_input(folder, digest);
  if (is_adapter(folder)) record.add_input(base_folder(folder));
}

PromptBatch embed_prompts(const Qwen3VL& model, const std::vector<PromptTokens>& prompts,
                          bool drop_last, const Pass& pass) {
  const TextConfig& text = model.config.text;
  const auto device = model.text.embed.device();
  PromptBatch batch;
  int64_t P = 0;
  for (const PromptTokens& prompt : prompts) {
    const int64_t length = static_cast<int64_t>(prompt.tokens.size()) - (drop_last ? 1 : 0);
    if (length < 1) throw Error(Exit::data, "prompt is too short");
    batch.input.lengths.push_back(length);
    P = std::max(P, length);
  }
  std::vector<std::vector<int64_t>> rows;
  std::vector<Tensor> cos;
  std::vector<Tensor> sin;
  Images images;
  for (size_t b = 0; b < prompts.size(); ++b) {
    const int64_t length = batch.input.lengths[b];
    batch.positions.push_back(mrope_positions(model.config, prompts[b].tokens, prompts[b].grids));
    collect_images(model.config, prompts[b], static_cast<int64_t>(b) * P, length, images);
    rows.emplace_back(prompts[b].tokens.begin(), prompts[b].tokens.begin() + length);
    std::vector<std::array<int64_t, 3>> places(batch.positions[b].ids.begin(),
                                               batch.positions[b].ids.begin() + length);
    places.resize(static_cast<size_t>(P), {0, 0, 0});  // padding: any place, it is masked
    const Rotary rotary = rotary_tables(text, places);
    cos.push_back(rotary.cos);
    sin.push_back(rotary.sin);
  }
  const auto B = static_cast<int64_t>(prompts.size());
  const auto dtype = model.text.embed.scalar_type();
  const auto stack = [&](const std::vector<Tensor>& tables) {
    return at::cat(tables, 0)
        .view({B, P, 1, text.head_dim})
        .to(at::TensorOptions().dtype(dtype).device(device));
  };
  batch.input.rotary = {stack(cos), stack(sin)};
  batch.input.hidden =
      at::embedding(model.text.embed, padded_ids(rows, P, text.vocab_size).to(device));
  if (images.grids.empty()) return batch;
  if (!model.config.sees())
    throw Error(Exit::data,
                fmt::format("model_type '{}' takes no images", model.config.model_type));
  const VisionOutput seen = vision_forward(
      model.config.vision, model.vision, at::cat(images.pixels, 0).to(device), images.grids, pass);
  UNIRG_ASSERT(seen.tokens.size(0) == static_cast<int64_t>(images.rows.size()),
               "visual tokens and placeholders differ");
  batch.input.visual_index = at::tensor(images.rows, at::kLong).to(device);
  batch.input.hidden =
      at::index_copy(batch.input.hidden.flatten(0, 1), 0, batch.input.visual_index, seen.tokens)
          .view(batch.input.hidden.sizes());
  batch.input.deepstack = seen.deepstack;
  return batch;
}

Rotary reply_rotary(const Qwen3VL& model, const std::vector<Positions>& positions, int64_t first,
                    int64_t L) {
  std::vector<std::array<int64_t, 3>> places;
  for (const Positions& prompt : positions) {
    for (int64_t j = 0; j < L; ++j) {
      const int64_t p = prompt.next - 1 + first + j;  // the last prompt token stands at next - 1
      places.push_back({p, p, p});
    }
  }
  const Rotary tables = rotary_tables(model.config.text, places);
  const auto B = static_cast<int64_t>(positions.size());
  const auto shaped = [&](const Tensor& table) {
    return table.view({B, 1, L, 1, model.config.text.head_dim})
        .to(at::TensorOptions()
                .dtype(model.text.embed.scalar_type())
                .device(model.text.embed.device()));
  };
  return {shaped(tables.cos), shaped(tables.sin)};
}

Tensor forward_replies(const Qwen3VL& model, const std::vector<PromptTokens>& prompts,
                       const std::vector<std::vector<std::vector<int64_t>>>& replies,
                       const Pass& pass) {
  UNIRG_ASSERT(prompts.size() == replies.size() && !prompts.empty(),
               "one list of replies a prompt");
  const auto B = static_cast<int64_t>(prompts.size());
  const auto G = static_cast<int64_t>(replies.front().size());
  size_t longest = 0;
  std::vector<std::vector<int64_t>> rows;
  for (const auto& group : replies) {
    UNIRG_ASSERT(static_cast<int64_t>(group.size()) == G, "groups of one size");
    for (const auto& reply : group) {
      longest = std::max(longest, reply.size());
      rows.push_back(reply);
    }
  }
  const auto L = static_cast<int64_t>(longest);
  const PromptBatch batch = embed_prompts(model, prompts, /*drop_last=*/true, pass);
  const PrefixCache prefix = prefill(model.config.text, model.text, batch.input, pass);
  const Tensor ids =
      padded_ids(rows, L, model.config.text.vocab_size).to(model.text.embed.device());
  const Tensor hidden =
      at::embedding(model.text.embed, ids).view({B, G, L, model.config.text.hidden_size});
  return reply_forward(model.config.text, model.text, prefix, hidden,
                       reply_rotary(model, batch.positions, 0, L), /*cache=*/nullptr,
                       reply_pass(pass));
}

Tensor forward_plain(const Qwen3VL& model, const std::vector<PromptTokens>& sequences,
                     const Pass& pass) {
  const PromptBatch batch = embed_prompts(model, sequences, /*drop_last=*/false, pass);
  return text_forward(model.config.text, model.text, batch.input, pass);
}

}  // namespace unirg::model
