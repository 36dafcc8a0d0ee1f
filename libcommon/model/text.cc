// SPDX-License-Identifier: Apache-2.0
#include "model/text.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/index_add.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/triu.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "base/error.h"
#include "model/decode_attention.h"
#include "model/dense.h"
#include "model/layers.h"
#include "model/recompute.h"

namespace unirg::model {
namespace {

constexpr float kMasked = -std::numeric_limits<float>::infinity();

struct Heads {
  Tensor q;     ///< [..., A, D] normed, rotated
  Tensor k, v;  ///< [..., K, D]; k normed, rotated
};

/// Queries, keys and values of normed states [..., H], before their own norms: [..., heads, D].
std::array<Tensor, 3> project_plain(const TextConfig& c, const TextLayer& layer, const Tensor& x,
                                    const Dropout& dropout) {
  const auto heads = [&](const Tensor& projected) {
    return projected.unflatten(-1, {-1, c.head_dim});
  };
  if (!layer.qkv.packed.defined())
    return {heads(apply(layer.q, x, dropout)), heads(apply(layer.k, x, dropout)),
            heads(apply(layer.v, x, dropout))};
  const Tensor all = heads(apply(layer.qkv, x));
  const int64_t A = c.num_attention_heads;
  const int64_t K = c.num_key_value_heads;
  return {all.narrow(-2, 0, A), all.narrow(-2, A, K), all.narrow(-2, A + K, K)};
}

/// Queries, keys and values of x [..., H].
Heads project(const TextConfig& c, const TextLayer& layer, const Tensor& x, const Rotary& rotary,
              const Dropout& dropout) {
  const Tensor normed = rms_norm(x, layer.input_norm, c.rms_norm_eps);
  const auto [q, k, v] = project_plain(c, layer, normed, dropout);
  const auto placed = [&](const Tensor& t, const Tensor& norm) {
    return rotate(norm.defined() ? rms_norm(t, norm, c.rms_norm_eps) : t, rotary.cos, rotary.sin);
  };
  return {placed(q, layer.q_norm), placed(k, layer.k_norm), v};
}

/// Residual MLP (SwiGLU) of one layer.
Tensor feed_forward(const TextConfig& c, const TextLayer& layer, const Tensor& x,
                    const Dropout& dropout) {
  const Tensor z = rms_norm(x, layer.post_norm, c.rms_norm_eps);
  if (layer.gate_up.packed.defined()) {
    const auto halves = apply(layer.gate_up, z).chunk(2, -1);
    return x + apply(layer.down, at::silu(halves[0]) * halves[1]);
  }
  return x + apply(layer.down,
                   at::silu(apply(layer.gate, z, dropout)) * apply(layer.up, z, dropout), dropout);
}

/// Everything of a layer that may be trained, for `recomputed`.
std::vector<Tensor> weights_of(const TextLayer& layer) {
  std::vector<Tensor> all{layer.input_norm, layer.post_norm, layer.q_norm, layer.k_norm};
  for (const Linear* linear :
       {&layer.q, &layer.k, &layer.v, &layer.o, &layer.gate, &layer.up, &layer.down}) {
    all.insert(all.end(), {linear->weight, linear->bias, linear->lora_a, linear->lora_b});
  }
  return all;
}

/// Runs a layer's `part`, keeping or recomputing what its backward pass needs.
std::vector<Tensor> run_part(const Pass& pass, const Part& part,
                             const std::vector<Tensor>& arguments, const TextLayer& layer) {
  return pass.recompute ? recomputed(part, arguments, weights_of(layer)) : part(arguments);
}

/// [P, P] float32 with -inf above the diagonal.
Tensor causal_mask(int64_t n, const at::Device& device) {
  return at::full({n, n}, kMasked, at::TensorOptions().dtype(at::kFloat).device(device)).triu(1);
}

/// [B, P] float32: -inf at padding; undefined when no prompt is padded.
Tensor padding_mask(const std::vector<int64_t>& lengths, int64_t P, const at::Device& device) {
  bool padded = false;
  Tensor mask = at::zeros({static_cast<int64_t>(lengths.size()), P}, at::kFloat);
  for (size_t b = 0; b < lengths.size(); ++b) {
    UNIRG_ASSERT(lengths[b] >= 1 && lengths[b] <= P, "prompt length out of range");
    if (lengths[b] == P) continue;
    padded = true;
    mask[static_cast<int64_t>(b)].narrow(0, lengths[b], P - lengths[b]).fill_(kMasked);
  }
  return padded ? mask.to(device) : Tensor();
}

/// Causal self-attention of a padded batch. \returns [B, P, A*D]
Tensor self_attention(const TextConfig& c, const Heads& heads, const Tensor& mask) {
  const int64_t repeat = c.num_attention_heads / c.num_key_value_heads;
  const auto for_queries = [&](const Tensor& kv) {  // [B, P, K, D] -> [B, A, P, D]
    return kv.unsqueeze(3).expand({-1, -1, -1, repeat, -1}).flatten(2, 3).transpose(1, 2);
  };
  const Tensor out =
      at::scaled_dot_product_attention(heads.q.transpose(1, 2), for_queries(heads.k),
                                       for_queries(heads.v), mask.to(heads.q.scalar_type()));
  return out.transpose(1, 2).flatten(2, 3);
}

/// One pass over the layers for a padded batch.
/// \param cache gets each layer's keys and values, and ends the pass where the last layer's are
/// known; null: the pass goes on to the final norm
Tensor run_layers(const TextConfig& c, const TextWeights& weights, const TextInput& input,
                  const Pass& pass, PrefixCache* cache) {
  const int64_t P = input.hidden.size(1);
  const Tensor padding = padding_mask(input.lengths, P, input.hidden.device());
  Tensor mask = causal_mask(P, input.hidden.device()).view({1, 1, P, P});
  if (padding.defined()) mask = mask + padding.view({-1, 1, 1, P});
  Tensor x = input.hidden;
  for (size_t i = 0; i < weights.layers.size(); ++i) {
    const TextLayer& layer = weights.layers[i];
    const bool caches = cache != nullptr;
    const bool ends = caches && i + 1 == weights.layers.size();
    const Part part = [&c, &layer, caches, ends, mask, rotary = input.rotary,
                       dropout = pass.dropout](const std::vector<Tensor>& in) {
      const Heads heads = project(c, layer, in[0], rotary, dropout);
      std::vector<Tensor> out;
      if (caches)
        out = {heads.k.transpose(1, 2).contiguous(), heads.v.transpose(1, 2).contiguous()};
      if (ends) return out;
      const Tensor attended = in[0] + apply(layer.o, self_attention(c, heads, mask), dropout);
      out.push_back(feed_forward(c, layer, attended, dropout));
      return out;
    };
    const std::vector<Tensor> out = run_part(pass, part, {x}, layer);
    if (caches) {
      cache->keys.push_back(out[0]);
      cache->values.push_back(out[1]);
    }
    if (ends) return {};
    x = out.back();
    if (i < input.deepstack.size()) {
      x = at::index_add(x.flatten(0, 1), 0, input.visual_index,
                        input.deepstack[i].to(x.scalar_type()))
              .view(x.sizes());
    }
  }
  return rms_norm(x, weights.norm, c.rms_norm_eps);
}

/// What the replies of B studies look like to the attention.
struct ReplyShape {
  int64_t B, G, L, K, R, D;  ///< R query heads per key/value head
};

/// Attention of replies over prompt and own tokens, one softmax over both; key/value heads are
/// never copied per query head, nor the prompt per reply: all queries that share them form the rows
/// of one product. \param q     [B, G, L, A, D] \param own_k [B*K*G, T, D] (a view into a cache, or
/// the layer's own), own_v likewise \param mask  broadcastable to [B, K, G, R, L, P+T], undefined:
/// nothing masked \returns [B, G, L, A*D]
Tensor reply_attention(const ReplyShape& s, const Tensor& q, const Tensor& prefix_k,
                       const Tensor& prefix_v, const Tensor& own_k, const Tensor& own_v,
                       const Tensor& mask) {
  const int64_t P = prefix_k.size(2);
  const int64_t T = own_k.size(1);
  const Tensor queries = (q * (1.0 / std::sqrt(static_cast<double>(s.D))))
                             .view({s.B, s.G, s.L, s.K, s.R, s.D})
                             .permute({0, 3, 1, 4, 2, 5})
                             .contiguous();  // [B, K, G, R, L, D]
  const Tensor by_prompt = queries.view({s.B * s.K, s.G * s.R * s.L, s.D});
  const Tensor by_reply = queries.view({s.B * s.K * s.G, s.R * s.L, s.D});
  const Tensor prompt_scores =
      at::bmm(by_prompt, prefix_k.reshape({s.B * s.K, P, s.D}).transpose(1, 2));
  const Tensor own_scores = at::bmm(by_reply, own_k.transpose(1, 2));
  Tensor scores = at::cat({prompt_scores.view({s.B, s.K, s.G, s.R, s.L, P}),
                           own_scores.view({s.B, s.K, s.G, s.R, s.L, T})},
                          -1);
  if (mask.defined()) scores = scores + mask;
  const Tensor shares = at::softmax(scores, -1, at::kFloat).to(q.scalar_type());
  const Tensor prompt_shares = shares.narrow(-1, 0, P).reshape({s.B * s.K, s.G * s.R * s.L, P});
  const Tensor own_shares = shares.narrow(-1, P, T).reshape({s.B * s.K * s.G, s.R * s.L, T});
  const Tensor from_prompt = at::bmm(prompt_shares, prefix_v.reshape({s.B * s.K, P, s.D}))
                                 .view({s.B, s.K, s.G, s.R, s.L, s.D});
  const Tensor from_own = at::bmm(own_shares, own_v).view({s.B, s.K, s.G, s.R, s.L, s.D});
  return (from_prompt + from_own)
      .permute({0, 2, 4, 1, 3, 5})
      .reshape({s.B, s.G, s.L, s.K * s.R * s.D});
}

/// [B, G, L, K, D] -> [B, K, G, L, D]
Tensor cache_order(const Tensor& kv) { return kv.permute({0, 3, 1, 2, 4}); }

/// Keys and values of the replies themselves, as reply_attention takes them: [B*K*G, T, D].
struct Own {
  Tensor k, v;
};

Own fresh(const Heads& heads, const ReplyShape& s, int64_t T) {
  const auto rows = [&](const Tensor& kv) {
    return cache_order(kv).reshape({s.B * s.K * s.G, T, s.D});
  };
  return {rows(heads.k), rows(heads.v)};
}

void append(ReplyCache& cache, size_t layer, const Heads& heads) {
  const auto put = [&](const Tensor& all, const Tensor& kv) {
    const Tensor own = cache_order(kv);
    all.narrow(3, cache.length, own.size(3)).copy_(own);
  };
  put(cache.keys[layer], heads.k);
  put(cache.values[layer], heads.v);
}

/// The first T of the cache. It keeps a uniform stride over its leading axes, so flattening them is
/// a view, not a copy.
Own cached(const ReplyCache& cache, size_t layer, int64_t T) {
  const auto rows = [&](const Tensor& all) { return all.narrow(3, 0, T).flatten(0, 2); };
  return {rows(cache.keys[layer]), rows(cache.values[layer])};
}

/// Mask of L new reply tokens over P prompt tokens and T = cached + L own tokens; undefined when
/// nothing is hidden.
Tensor reply_mask(const PrefixCache& prefix, int64_t L, int64_t T, const at::Device& device) {
  if (!prefix.mask.defined() && L == 1) return {};
  const int64_t P = prefix.keys.front().size(2);
  const auto options = at::TensorOptions().dtype(at::kFloat).device(device);
  // Row i of the new tokens stands at own position T-L+i and sees own positions up to it.
  const Tensor own = at::full({L, T}, kMasked, options).triu(T - L + 1).view({1, 1, 1, 1, L, T});
  const Tensor prompt =
      prefix.mask.defined() ? prefix.mask : at::zeros({1, 1, 1, 1, 1, P}, options);
  const int64_t B = prompt.size(0);
  return at::cat({prompt.expand({B, 1, 1, 1, L, P}), own.expand({B, 1, 1, 1, L, T})}, -1);
}

/// Slows the long waves of Llama 3 by `factor`, leaves the short ones, blends between (transformers
/// modeling_rope_utils, _compute_llama3_parameters).
float llama3_frequency(const RopeScaling& s, float frequency) {
  const double wave = 2 * std::numbers::pi / frequency;
  const auto original = static_cast<double>(s.original_max_position_embeddings);
  if (wave < original / s.high_freq_factor) return frequency;
  if (wave > original / s.low_freq_factor) return static_cast<float>(frequency / s.factor);
  const double smooth =
      (original / wave - s.low_freq_factor) / (s.high_freq_factor - s.low_freq_factor);
  return static_cast<float>((1 - smooth) * frequency / s.factor + smooth * frequency);
}

/// theta^(-2f/D) for f = 0..D/2-1, scaled as the configuration says.
std::vector<float> inverse_frequencies(const TextConfig& config) {
  const int64_t D = config.head_dim;
  std::vector<float> inverse;
  for (int64_t f = 0; f < D / 2; ++f) {
    const float frequency = 1.0F / std::pow(static_cast<float>(config.rope_theta),
                                            static_cast<float>(2 * f) / static_cast<float>(D));
    const RopeScaling& scaling = config.rope_scaling;
    if (scaling.type == "linear") {
      inverse.push_back(frequency / static_cast<float>(scaling.factor));
    } else if (scaling.type == "llama3") {
      inverse.push_back(llama3_frequency(scaling, frequency));
    } else {
      inverse.push_back(frequency);
    }
  }
  return inverse;
}

}  // namespace

TextWeights bind_text(const TextConfig& config, const Parameters& p, const std::string& root,
                      double lora_scale) {
  TextWeights weights;
  weights.embed = parameter(p, root + "embed_tokens.weight");
  weights.norm = parameter(p, root + "norm.weight");
  weights.head = config.tie_word_embeddings ? weights.embed : parameter(p, "lm_head.weight");
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
    const std::string layer = fmt::format("{}layers.{}.", root, i);
    const auto norm = [&](const char* name) { return parameter(p, layer + name + ".weight"); };
    const auto linear = [&](const char* name, bool bias) {
      return bind_linear(p, layer + name, bias, lora_scale);
    };
    weights.layers.push_back({.input_norm = norm("input_layernorm"),
                              .post_norm = norm("post_attention_layernorm"),
                              .q = linear("self_attn.q_proj", config.attention_bias),
                              .k = linear("self_attn.k_proj", config.attention_bias),
                              .v = linear("self_attn.v_proj", config.attention_bias),
                              .o = linear("self_attn.o_proj", config.output_bias),
                              .q_norm = config.qk_norm ? norm("self_attn.q_norm") : Tensor(),
                              .k_norm = config.qk_norm ? norm("self_attn.k_norm") : Tensor(),
                              .gate = linear("mlp.gate_proj", config.mlp_bias),
                              .up = linear("mlp.up_proj", config.mlp_bias),
                              .down = linear("mlp.down_proj", config.mlp_bias)});
  }
  return weights;
}

Tensor next_logits(const TextWeights& weights, const Tensor& hidden) {
  const Tensor logits = weights.head_packed.defined() ? packed_linear(hidden, weights.head_packed)
                                                      : dense_linear(hidden, weights.head);
  return logits.to(at::kFloat);
}

Rotary rotary_tables(const TextConfig& config,
                     const std::vector<std::array<int64_t, 3>>& positions) {
  const auto n = static_cast<int64_t>(positions.size());
  const int64_t D = config.head_dim;
  Rotary rotary{at::empty({n, 1, D}, at::kFloat), at::empty({n, 1, D}, at::kFloat)};
  float* cos = rotary.cos.mutable_data_ptr<float>();
  float* sin = rotary.sin.mutable_data_ptr<float>();
  const std::vector<float> inverse = inverse_frequencies(config);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t f = 0; f < D / 2; ++f) {
      // Interleaved sections: t h w t h w ..., height and width up to three times their section,
      // the rest is time.
      size_t axis = 0;
      if (f % 3 == 1 && f < 3 * config.mrope_section[1]) axis = 1;
      if (f % 3 == 2 && f < 3 * config.mrope_section[2]) axis = 2;
      const float angle = static_cast<float>(positions[static_cast<size_t>(i)][axis]) *
                          inverse[static_cast<size_t>(f)];
      cos[i * D + f] = cos[i * D + D / 2 + f] = std::cos(angle);
      sin[i * D + f] = sin[i * D + D / 2 + f] = std::sin(angle);
    }
  }
  return rotary;
}

Tensor text_forward(const TextConfig& config, const TextWeights& weights, const TextInput& input,
                    const Pass& pass) {
  return run_layers(config, weights, input, pass, /*cache=*/nullptr);
}

PrefixCache prefill(const TextConfig& config, const TextWeights& weights, const TextInput& input,
                    const Pass& pass) {
  PrefixCache cache;
  run_layers(config, weights, input, pass, &cache);
  const int64_t P = input.hidden.size(1);
  const Tensor padding = padding_mask(input.lengths, P, input.hidden.device());
  if (padding.defined()) cache.mask = padding.view({-1, 1, 1, 1, 1, P});
  return cache;
}

ReplyCache make_reply_cache(const TextConfig& config, int64_t B, int64_t G, int64_t capacity,
                            const at::TensorOptions& options) {
  ReplyCache cache;
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
    cache.keys.push_back(
        at::empty({B, config.num_key_value_heads, G, capacity, config.head_dim}, options));
    cache.values.push_back(
        at::empty({B, config.num_key_value_heads, G, capacity, config.head_dim}, options));
  }
  return cache;
}

Tensor reply_forward(const TextConfig& config, const TextWeights& weights,
                     const PrefixCache& prefix, const Tensor& hidden, const Rotary& rotary,
                     ReplyCache* cache, const Pass& pass) {
  const int64_t K = config.num_key_value_heads;
  const ReplyShape shape{
      hidden.size(0), hidden.size(1), hidden.size(2), K, config.num_attention_heads / K,
      config.head_dim};
  const int64_t T = (cache ? cache->length : 0) + shape.L;
  const Tensor mask = reply_mask(prefix, shape.L, T, hidden.device());
  Tensor x = hidden;
  for (size_t i = 0; i < weights.layers.size(); ++i) {
    const TextLayer& layer = weights.layers[i];
    const Part part = [&config, &layer, shape, T, mask, rotary, cache, i,
                       dropout = pass.dropout](const std::vector<Tensor>& in) {
      const Heads heads = project(config, layer, in[0], rotary, dropout);
      if (cache) append(*cache, i, heads);
      Tensor attended;
      if (cache && shape.L == 1 && !mask.defined() && have_decode_attention(heads.q, in[1])) {
        attended = decode_attention(heads.q, in[1], in[2], cache->keys[i], cache->values[i], T);
      } else {
        const Own own = cache ? cached(*cache, i, T) : fresh(heads, shape, T);
        attended = reply_attention(shape, heads.q, in[1], in[2], own.k, own.v, mask);
      }
      const Tensor y = in[0] + apply(layer.o, attended, dropout);
      return std::vector<Tensor>{feed_forward(config, layer, y, dropout)};
    };
    x = run_part(pass, part, {x, prefix.keys[i], prefix.values[i]}, layer).front();
  }
  if (cache) cache->length = T;
  return rms_norm(x, weights.norm, config.rms_norm_eps);
}

}  // namespace unirg::model
