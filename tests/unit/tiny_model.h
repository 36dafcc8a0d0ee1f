// A model of a few thousand weights, and prompts for it. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/ops/randn.h>

#include "model/qwen3_vl.h"

namespace unirg::testing {

/// 3 text layers, 2 vision blocks, both with deepstack; two query heads share a key head.
inline model::ModelConfig tiny_config() {
  model::ModelConfig c;
  c.vision = {.depth = 2,
              .hidden_size = 32,
              .intermediate_size = 48,
              .num_heads = 4,
              .num_position_embeddings = 16,
              .out_hidden_size = 40,
              .deepstack_visual_indexes = {0, 1}};
  c.text = {.vocab_size = 64,
            .hidden_size = 40,
            .intermediate_size = 56,
            .num_hidden_layers = 3,
            .num_attention_heads = 4,
            .num_key_value_heads = 2,
            .head_dim = 16,
            .rope_theta = 1e4,
            .mrope_section = {4, 2, 2},
            .tie_word_embeddings = true};
  c.image_token_id = 60;
  c.video_token_id = 61;
  c.vision_start_token_id = 58;
  c.vision_end_token_id = 59;
  return c;
}

/// Begins with one image of 4 x 4 patches, if asked for.
inline model::PromptTokens tiny_prompt(const model::ModelConfig& c, int64_t text_tokens,
                                       bool image) {
  model::PromptTokens prompt;
  if (image) {
    prompt.tokens = {58, 60, 60, 60, 60, 59};
    prompt.grids = {{4, 4}};
    prompt.pixels = at::randn({16, c.vision.patch_values()});
  }
  for (int64_t i = 0; i < text_tokens; ++i) prompt.tokens.push_back((i * 7) % 50);
  return prompt;
}

}  // namespace unirg::testing
