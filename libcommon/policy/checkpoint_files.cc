// SPDX-License-Identifier: Apache-2.0
#include "policy/checkpoint_files.h"

#include "base/error.h"
#include "io/atomic_file.h"

namespace unirg::policy {
namespace {

using io::Json;

/// The user turns and images that our prompts use (text/chat.h), as Qwen3-VL's own template writes
/// them.
constexpr const char* kChatTemplate =
    "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' }}"
    "{%- if message.content is string %}{{- message.content }}{%- else %}{%- for item in "
    "message.content %}"
    "{%- if item.type == 'image' or 'image' in item %}{{- "
    "'<|vision_start|><|image_pad|><|vision_end|>' }}"
    "{%- elif 'text' in item %}{{- item.text }}{%- endif %}{%- endfor %}{%- endif %}{{- "
    "'<|im_end|>\\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}\n";

int64_t id_of(const text::Tokenizer& tokenizer, const char* token) {
  const auto id = tokenizer.id(token);
  UNIRG_ASSERT(id.has_value(), "tokenizer lacks a special token");
  return *id;
}

void write_json(const std::filesystem::path& file, const Json& object) {
  io::write_file(file, object.dump(2) + "\n");
}

}  // namespace

void set_token_ids(model::ModelConfig& config, const text::Tokenizer& tokenizer) {
  config.text.vocab_size = tokenizer.size();
  config.image_token_id = id_of(tokenizer, "<|image_pad|>");
  config.video_token_id = id_of(tokenizer, "<|video_pad|>");
  config.vision_start_token_id = id_of(tokenizer, "<|vision_start|>");
  config.vision_end_token_id = id_of(tokenizer, "<|vision_end|>");
  config.bos_token_id = id_of(tokenizer, "<|endoftext|>");
  config.eos_token_id = id_of(tokenizer, "<|im_end|>");
}

void write_checkpoint_files(const std::filesystem::path& folder, const model::ModelConfig& config,
                            const text::Tokenizer& tokenizer, const ImageProcessor& processor) {
  write_json(folder / "config.json", model::to_json(config));
  write_json(folder / "preprocessor_config.json", to_json(processor));
  io::write_file(folder / "tokenizer.json", tokenizer.to_json().dump() + "\n");
  io::write_file(folder / "chat_template.jinja", kChatTemplate);
  write_json(folder / "generation_config.json",
             {{"bos_token_id", config.bos_token_id},
              {"do_sample", false},
              {"eos_token_id", {config.eos_token_id, config.bos_token_id}},
              {"pad_token_id", config.bos_token_id}});
  write_json(folder / "tokenizer_config.json",
             {{"add_bos_token", false},
              {"add_prefix_space", false},
              {"clean_up_tokenization_spaces", false},
              {"eos_token", "<|im_end|>"},
              {"model_max_length", config.text.max_position_embeddings},
              {"pad_token", "<|endoftext|>"},
              {"tokenizer_class", "Qwen2Tokenizer"},
              {"unk_token", nullptr}});
}

}  // namespace unirg::policy
