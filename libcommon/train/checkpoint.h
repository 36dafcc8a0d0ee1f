// Checkpoint folders in Hugging Face's layout, with what training needs to go on beside them in
// training_state/. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "io/jsonl.h"
#include "io/run_record.h"
#include "model/qwen3_vl.h"
#include "train/optimizer.h"

namespace unirg::train {

/// What lies in training_state/: moments.safetensors ("first.NAME", "second.NAME", of bfloat16
/// tensors "master.NAME") and state.json.
struct TrainingState {
  AdamWState optimizer;
  io::Json progress =
      io::Json::object();  ///< the stage's own counters: step, epoch, best loss, ...
};

/// Writes a whole checkpoint folder at once: the weights of `model`, or of its adapter alone; every
/// other file (config, tokenizer, processor, generation config, chat template) from `base`, or from
/// the base of that adapter. `extra` goes to training_state/extra.safetensors. \returns the digest
/// that names it (io::digest_path)
std::string save_checkpoint(const std::filesystem::path& folder, const std::filesystem::path& base,
                            const model::Qwen3VL& model, const io::RunRecord& record,
                            const std::optional<TrainingState>& state, const Parameters& extra = {},
                            int64_t max_shard_bytes = model::kShardBytes);

/// nullopt if the folder holds none. \throws Error(Exit::data) if it is damaged
std::optional<TrainingState> load_training_state(const std::filesystem::path& checkpoint);

}  // namespace unirg::train
