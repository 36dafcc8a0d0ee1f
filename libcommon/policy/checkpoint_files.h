// The files of a checkpoint besides its weights, as transformers expects them. Depends on text,
// model. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "model/config.h"
#include "policy/image_processor.h"
#include "text/tokenizer.h"

namespace unirg::policy {

/// Vocabulary size and special ids of a model whose tokenizer is `tokenizer`.
void set_token_ids(model::ModelConfig& config, const text::Tokenizer& tokenizer);

/// config.json, generation_config.json, preprocessor_config.json, tokenizer.json,
/// tokenizer_config.json, chat_template.jinja.
void write_checkpoint_files(const std::filesystem::path& folder, const model::ModelConfig& config,
                            const text::Tokenizer& tokenizer, const ImageProcessor& processor);

}  // namespace unirg::policy
