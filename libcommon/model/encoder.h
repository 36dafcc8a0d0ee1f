// Encoder checkpoints as the reward and evaluation models use them: a folder with config.json and
// model.safetensors of BERT, RoBERTa, MPNet or DeBERTa-v2, its forward pass with pooler and token
// classification head, and the usual poolings. float32, no dropout, deterministic.
// Letters: B sequences, T tokens, H width, L classes. Depends on io and LibTorch; ids come from the
// caller's tokenizer. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/jsonl.h"
#include "model/encoder_config.h"
#include "model/encoder_layer.h"
#include "model/parameters.h"

namespace unirg::model {

struct Encoder {
  EncoderConfig config;
  /// Named as in a bare transformers model: "embeddings...", "encoder.layer.I...",
  /// "pooler.dense.*", "classifier.*"; heads of other modules that load together with an encoder
  /// keep their own names.
  Parameters parameters;
  std::vector<std::string> left_out;  ///< the file's tensors that the encoder does not use, by name
};

/// Name and shape of every tensor of the architecture, pooler and head included where it has them.
Shapes encoder_shapes(const EncoderConfig& config);

/// Store names of a file's tensors: the model's prefix ("bert.", "roberta.", "mpnet.", "deberta.")
/// removed, LayerNorm.gamma and .beta of very old files made weight and bias; left out are position
/// buffers and the heads published with encoders that no result of ours uses (cls.*,
/// cls_projection_head.*, lm_head.*, lm_predictions.*, mask_predictions.*, qa_outputs.*, a sequence
/// classifier, DeBERTa's pooler).
Naming encoder_naming(const EncoderConfig& config);

/// Whether the folder's config.json names an architecture load_encoder() reads.
/// \throws Error as load_encoder() if config.json cannot be read
bool is_encoder_folder(const std::filesystem::path& folder);

/// \throws Error(Exit::no_input) without config.json or weights; Error(Exit::data) naming file and
/// key, or listing missing, unknown and ill-shaped tensors
Encoder load_encoder(const std::filesystem::path& folder, const at::Device& device = at::kCPU);

/// The same with packed dense layers (dense.h): for who runs it often and without gradient.
Encoder packed(Encoder encoder);
/// The same of a net with an `encoder`.
template <typename Net>
Net packed(Net net) {
  net.encoder = packed(std::move(net.encoder));
  return net;
}

/// load_encoder() for a checkpoint that holds more than an encoder: `extra` are the other tensors,
/// `naming` must give their names in `extra` and encoder names as encoder_naming() does.
/// config.has_pooler is set from the file.
Encoder load_encoder_weights(const std::filesystem::path& folder, EncoderConfig config,
                             const Shapes& extra, const Naming& naming, const at::Device& device);

/// Sequences as one batch, shorter ones padded at the right.
/// \param ids   each with at least one id
/// \param types empty, or the token types of each sequence (padding gets 0)
/// \throws Error(Exit::data) naming the sequence that is empty or whose types have another length
TokenBatch pad_batch(const std::vector<std::vector<int64_t>>& ids, int64_t pad_token_id,
                     const std::vector<std::vector<int64_t>>& types = {});

struct EncoderOutput {
  std::vector<Tensor> hidden;  ///< N+1 of [B, T, H]: embeddings, then each layer; rows of padding
                               ///< hold no meaning
  Tensor pooled;               ///< [B, H] tanh of the dense layer on token 0; undefined without one
  Tensor token_logits;         ///< [B, T, L]; undefined without a token classification head
};

/// \param batch  at least one sequence
/// \param layers stop after so many layers, without pooler and head (BERTScore wants 5 of 6)
/// \throws Error(Exit::data) naming the sequence if an id, a type or a length is out of range
EncoderOutput encoder_forward(const Encoder& encoder, const TokenBatch& batch,
                              std::optional<int64_t> layers = std::nullopt);

/// Vector of the first token. \param hidden [B, T, H] \returns [B, H]
Tensor first_token(const Tensor& hidden);
/// Mean over the tokens that are no padding. \param hidden [B, T, H] \returns [B, H]
Tensor mean_pool(const Tensor& hidden, const TokenBatch& batch);
/// x / max(|x|, 1e-12) along the last axis.
Tensor l2_normalize(const Tensor& x);

/// Every output of one request by name: hidden.0 ... hidden.N [B, T, H], pooler [B, H] if any,
/// token_logits [B, T, L] if any.
/// \param request {"input_ids": [[...], ...], "token_type_ids": [[...], ...] (optional)}
/// \param where   names the request in messages
/// \throws Error(Exit::data) if the request is not of that form, or as encoder_forward()
Parameters encoder_outputs(const Encoder& encoder, const io::Json& request,
                           const std::string& where);

}  // namespace unirg::model
