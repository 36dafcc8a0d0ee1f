// SPDX-License-Identifier: Apache-2.0
#include "options.h"

namespace unirg {

cli::Table model_table(ModelToolOptions& o) {
  model::TextConfig& t = o.config.text;
  model::VisionConfig& v = o.config.vision;
  const auto size = [](const char* name, int64_t* target, const char* help, const char* group) {
    return cli::Option{.name = name, .target = target, .metavar = "N", .help = help, .min = 1, .max = 1e9, .group = group};
  };
  const char* const kText = "Text tower (init)";
  const char* const kVision = "Vision tower (init)";
  cli::Table table{
      {.name = "action", .target = &o.action, .metavar = "init|info", .help = "init writes a checkpoint of random weights and a tokenizer trained on the studies' text; info prints what a checkpoint holds.", .choices = {"init", "info"}, .required = true, .positional = true},
      {.name = "model", .target = &o.model, .metavar = "DIR", .help = "The checkpoint folder: written by init, read by info.", .letter = 'm', .required = true},
      {.name = "studies", .target = &o.studies, .metavar = "FILE", .help = "Study records whose reports and context train the tokenizer (init)."},
      {.name = "split", .target = &o.splits, .metavar = "NAME,...", .help = "Split the tokenizer is trained on (init)."},
      {.name = "vocab-size", .target = &o.vocab_size, .metavar = "N", .help = "Largest vocabulary: 256 bytes, merges, 7 special tokens (init).", .min = 263, .max = 1e6},
      {.name = "init-std", .target = &o.init_std, .metavar = "S", .help = "Standard deviation of the random weights (init).", .min = 0, .max = 10},
      size("hidden-size", &t.hidden_size, "Width of the text tower.", kText),
      size("intermediate-size", &t.intermediate_size, "Width of its feed-forward layers.", kText),
      size("layers", &t.num_hidden_layers, "Number of layers.", kText),
      size("attention-heads", &t.num_attention_heads, "Query heads.", kText),
      size("key-value-heads", &t.num_key_value_heads, "Key/value heads; divides the query heads.", kText),
      size("head-dim", &t.head_dim, "Size of one head.", kText),
      size("max-positions", &t.max_position_embeddings, "Longest context in tokens.", kText),
      {.name = "rope-theta", .target = &t.rope_theta, .metavar = "X", .help = "Base of the rotary frequencies.", .min = 1, .max = 1e12, .group = kText},
      {.name = "mrope-section", .target = &o.mrope_section, .metavar = "T,H,W", .help = "Rotary frequencies for time, height, width; they add up to half of --head-dim.", .group = kText},
      {.name = "tie-word-embeddings", .target = &t.tie_word_embeddings, .help = "One matrix for input and output embeddings.", .group = kText},
      size("vision-depth", &v.depth, "Number of blocks.", kVision),
      size("vision-hidden-size", &v.hidden_size, "Width of the vision tower.", kVision),
      size("vision-intermediate-size", &v.intermediate_size, "Width of its feed-forward layers.", kVision),
      size("vision-heads", &v.num_heads, "Attention heads.", kVision),
      size("patch-size", &v.patch_size, "Side of a patch in pixels.", kVision),
      size("position-embeddings", &v.num_position_embeddings, "Entries of the learned position table; a square.", kVision),
      {.name = "deepstack", .target = &o.deepstack, .metavar = "I,J,...", .help = "Blocks whose output also feeds the first text layers.", .group = kVision},
      {.name = "min-pixels", .target = &o.processor.min_pixels, .metavar = "N", .help = "Smallest image, in pixels, after scaling.", .min = 1, .max = 1e9, .group = "Images (init)"},
      {.name = "max-pixels", .target = &o.processor.max_pixels, .metavar = "N", .help = "Largest image, in pixels, after scaling.", .min = 1, .max = 1e9, .group = "Images (init)"},
      {.name = "image-std", .target = &o.image_std, .metavar = "S", .help = "Grey values in 0..1 are normalised to (v - 0.5) / S.", .min = 1e-3, .max = 10, .group = "Images (init)"},
  };
  cli::add_seed(table, o.common);
  return table;
}

}  // namespace unirg
