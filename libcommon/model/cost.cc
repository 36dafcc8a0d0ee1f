// SPDX-License-Identifier: Apache-2.0
#include "model/cost.h"

#include <algorithm>

namespace unirg::model {
namespace {

/// Widths that return in every formula.
struct Widths {
  int64_t hidden, queries, keys, feed_forward;
  explicit Widths(const TextConfig& c)
      : hidden(c.hidden_size),
        queries(c.num_attention_heads * c.head_dim),
        keys(c.num_key_value_heads * c.head_dim),
        feed_forward(c.intermediate_size) {}
  [[nodiscard]] int64_t weights() const {
    return hidden * (2 * queries + 2 * keys) + 3 * hidden * feed_forward;
  }
};

double vision_flops(const VisionConfig& c, int64_t patches) {
  const auto n = static_cast<double>(patches);
  const auto h = static_cast<double>(c.hidden_size);
  const auto f = static_cast<double>(c.intermediate_size);
  const double block = 2 * n * (4 * h * h + 2 * h * f) + 4 * n * n * h;
  const auto merged = static_cast<double>(c.merged_patches()) * h;
  const double merger = 2 * n / static_cast<double>(c.merged_patches()) *
                        (merged * merged + merged * static_cast<double>(c.out_hidden_size));
  return static_cast<double>(c.depth) * block +
         static_cast<double>(1 + c.deepstack_visual_indexes.size()) * merger +
         2 * n * h * static_cast<double>(c.patch_values());
}

/// Values a block saves for a patch: the inputs of both norms, of all four linear layers and of the
/// gelu; queries, keys, values before and after rotation, and what the attention gives.
int64_t vision_values(const VisionConfig& c) {
  return 11 * c.hidden_size + 2 * c.intermediate_size;
}

/// A layer's values for a prompt token: what goes into both norms and comes out (4 H), queries
/// before their norm and after their rotation, keys and values repeated for every query head and
/// what the attention gives twice (6 A D), keys and values themselves (4 K D), the gate's four (4
/// F).
int64_t prompt_values(const TextConfig& c) {
  const Widths w(c);
  return 4 * w.hidden + 6 * w.queries + 4 * w.keys + 4 * w.feed_forward;
}

/// The same for a reply token, whose attention is written out: its shares appear twice.
int64_t reply_values(const TextConfig& c, int64_t context) {
  const Widths w(c);
  return 4 * w.hidden + 4 * w.queries + 4 * w.keys + 4 * w.feed_forward +
         2 * c.num_attention_heads * context;
}

int64_t merger_values(const VisionConfig& c) {
  return static_cast<int64_t>(1 + c.deepstack_visual_indexes.size()) * 3 * c.hidden_size;
}

/// Values that one layer of each kind saves for a whole unit.
struct Layers {
  int64_t prompt, reply, block;
  Layers(const ModelConfig& c, const PassShape& s)
      : prompt(s.studies * s.prompt_tokens * prompt_values(c.text)),
        reply(s.studies * s.replies * s.reply_tokens *
              reply_values(c.text, s.prompt_tokens + s.reply_tokens)),
        block(c.sees() ? s.studies * s.patches * vision_values(c.vision) : 0) {}
};

}  // namespace

int64_t kv_bytes_per_token(const TextConfig& c, int64_t item) {
  return 2 * c.num_hidden_layers * c.num_key_value_heads * c.head_dim * item;
}

double forward_flops(const ModelConfig& c, const PassShape& s) {
  const Widths w(c.text);
  const auto prompt = static_cast<double>(s.prompt_tokens);
  const auto reply = static_cast<double>(s.reply_tokens);
  const auto replies = static_cast<double>(s.replies);
  const auto queries = static_cast<double>(w.queries);
  const auto layers = static_cast<double>(c.text.num_hidden_layers);
  const double tokens = prompt + replies * reply;
  const double attention =
      4 * queries * (prompt * prompt / 2 + replies * reply * (prompt + reply / 2));
  const double text =
      layers * (2 * tokens * static_cast<double>(w.weights()) + attention) +
      2 * replies * reply * static_cast<double>(c.text.vocab_size * c.text.hidden_size);
  return static_cast<double>(s.studies) *
         (text + (c.sees() ? vision_flops(c.vision, s.patches) : 0));
}

int64_t layer_bytes(const ModelConfig& c, const PassShape& s, int64_t item) {
  const Layers all(c, s);
  return item * std::max({all.prompt, all.reply, all.block});
}

Activations activations(const ModelConfig& c, const PassShape& s, int64_t item, bool recompute) {
  const Layers all(c, s);
  const int64_t prompts = s.studies * s.prompt_tokens;
  const int64_t replies = s.studies * s.replies * s.reply_tokens;
  const int64_t patches = s.studies * s.patches;
  const int64_t around =
      c.sees() ? patches * (merger_values(c.vision) + c.vision.patch_values()) : 0;
  const int64_t layers = c.text.num_hidden_layers;
  Activations kept;
  if (!recompute) {  // the last layer's prompt part stops at its keys and values
    kept.vision = item * (c.vision.depth * all.block + around);
    kept.prompts = item * (layers - 1) * all.prompt;
    kept.replies = item * layers * all.reply;
    return kept;
  }
  kept.vision = item * (c.vision.depth * patches * c.vision.hidden_size + around);
  kept.prompts = item * layers * prompts * (c.text.hidden_size + 2 * Widths(c.text).keys);
  kept.replies = item * layers * replies * c.text.hidden_size;
  kept.layer = layer_bytes(c, s, item);
  return kept;
}

int64_t head_bytes(const ModelConfig& c, const PassShape& s, int64_t chunk_values) {
  const int64_t rows = s.studies * s.replies * s.reply_tokens;
  const int64_t values =
      std::min(rows * c.text.vocab_size, std::max(chunk_values, c.text.vocab_size));
  return 3 * values * 4;
}

}  // namespace unirg::model
