// Qwen3-VL-8B-Instruct's sizes, for arithmetic done by hand. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/config.h"

namespace unirg::testing {

inline model::ModelConfig qwen_8b() {
  model::ModelConfig c;
  c.vision = {.depth = 27,
              .hidden_size = 1152,
              .intermediate_size = 4304,
              .num_heads = 16,
              .num_position_embeddings = 2304,
              .out_hidden_size = 4096,
              .deepstack_visual_indexes = {8, 16, 24}};
  c.text = {.vocab_size = 151936,
            .hidden_size = 4096,
            .intermediate_size = 12288,
            .num_hidden_layers = 36,
            .num_attention_heads = 32,
            .num_key_value_heads = 8,
            .head_dim = 128,
            .max_position_embeddings = 262144,
            .rope_theta = 5e6};
  c.dtype = "bfloat16";
  return c;
}

}  // namespace unirg::testing
