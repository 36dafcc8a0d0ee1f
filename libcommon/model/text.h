// The text tower (Qwen3-VL's, and by switches of TextConfig those of Llama and its kin) in three
// forms that share every layer: the plain causal forward over padded sequences, the prefill that
// keeps a prompt's keys and values, and the replies that read them. Training and sampling both use
// prefill
// + replies: a study's prompt is computed once for all its G samples, with gradient where wanted.
// Letters: B studies, G replies of each, P prompt tokens, L reply tokens, T cached reply tokens, H
// width, D head size, A query heads, K key/value heads, V vocabulary. Source: transformers qwen3_vl
// (Qwen3VLTextModel). SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "model/config.h"
#include "model/layers.h"
#include "model/positions.h"

namespace unirg::model {

struct TextLayer {
  Tensor input_norm, post_norm;
  Linear q, k, v, o;
  Tensor q_norm, k_norm;  ///< undefined without qk_norm
  Linear gate, up, down;
  Linear qkv = {},
         gate_up = {};  ///< the weights of three, and of two, as one; of pack_weights() only
};

/// The tower's weights, looked up once. Tensors share storage (and autograd identity) with the
/// store.
struct TextWeights {
  Tensor embed;  ///< [V, H]
  std::vector<TextLayer> layers;
  Tensor norm;              ///< [H]
  Tensor head;              ///< [V, H]; embed itself when tied
  Tensor head_packed = {};  ///< as packed_linear() takes it; for who needs no gradient
};
/// \param root what the tower's names begin with (text_root in checkpoint_tensors.h)
TextWeights bind_text(const TextConfig& config, const Parameters& parameters,
                      const std::string& root, double lora_scale = 0);

/// Logits of the next token. \param hidden [..., H], after the final norm \returns [..., V] float32
Tensor next_logits(const TextWeights& weights, const Tensor& hidden);

/// Rotary tables, in the dtype of the activations.
struct Rotary {
  Tensor cos, sin;  ///< [..., 1, D], broadcast over heads
};
/// Interleaved M-RoPE. \param positions [N][3] \returns cos, sin [N, 1, D] float32
Rotary rotary_tables(const TextConfig& config,
                     const std::vector<std::array<int64_t, 3>>& positions);

/// Embedded prompts, right-padded.
struct TextInput {
  Tensor hidden;                 ///< [B, P, H], visual tokens in place
  Rotary rotary;                 ///< [B, P, 1, D]
  std::vector<int64_t> lengths;  ///< B valid lengths, 1..P
  Tensor visual_index;           ///< [n] int64 rows of hidden.view(B*P, H) that hold visual tokens;
                                 ///< undefined if none
  std::vector<Tensor> deepstack;  ///< each [n, H], added at visual_index after layer j
};

/// Plain causal forward. \returns [B, P, H] after the final norm; rows beyond a length hold no
/// meaning
Tensor text_forward(const TextConfig& config, const TextWeights& weights, const TextInput& input,
                    const Pass& pass = {});

/// Keys and values of prompts.
struct PrefixCache {
  std::vector<Tensor> keys, values;  ///< per layer [B, K, P, D], keys rotated
  Tensor mask;  ///< [B, 1, 1, 1, 1, P] float32, 0 or -inf; undefined when no prompt is padded
};
PrefixCache prefill(const TextConfig& config, const TextWeights& weights, const TextInput& input,
                    const Pass& pass = {});

/// Keys and values of the reply tokens decoded so far, preallocated.
struct ReplyCache {
  std::vector<Tensor> keys, values;  ///< per layer [B, K, G, capacity, D]
  int64_t length = 0;
};
ReplyCache make_reply_cache(const TextConfig& config, int64_t B, int64_t G, int64_t capacity,
                            const at::TensorOptions& options);

/// Hidden states of reply tokens that see their prompt and, causally, their own reply.
/// \param hidden [B, G, L, H] embedded reply tokens
/// \param rotary cos, sin [B, 1, L, 1, D]
/// \param cache  null in training (the L tokens are the whole reply so far); when sampling, earlier
/// tokens of the reply;
///               the L new ones are appended
/// \returns [B, G, L, H] after the final norm
Tensor reply_forward(const TextConfig& config, const TextWeights& weights,
                     const PrefixCache& prefix, const Tensor& hidden, const Rotary& rotary,
                     ReplyCache* cache = nullptr, const Pass& pass = {});

}  // namespace unirg::model
