// A whole Qwen3-VL model: configuration, parameters, and prompts of text and images embedded for
// the text tower. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/run_record.h"
#include "model/adapter.h"
#include "model/config.h"
#include "model/device.h"
#include "model/parameters.h"
#include "model/positions.h"
#include "model/text.h"
#include "model/vision.h"

namespace unirg::model {

/// Weights bound to names. Copying shares tensors.
struct Qwen3VL {
  ModelConfig config;
  Parameters parameters;  ///< the base's, and the adapter's when there is one
  std::optional<AdapterConfig> adapter;
  VisionWeights vision;  ///< empty in text-only models
  TextWeights text;
};
Qwen3VL bind_model(ModelConfig config, Parameters parameters,
                   std::optional<AdapterConfig> adapter = std::nullopt);
/// config.json + weights of a checkpoint folder, or of an adapter's folder and its base. Weights
/// stay mapped where they need no conversion (Placement::map).
/// \param device as parse_device() \param dtype "float32", "bfloat16", or "auto": as stored
/// \throws Error as parse_device(), parse_dtype(), and for a folder that cannot be read
Qwen3VL load_model(const std::filesystem::path& folder, const std::string& device,
                   const std::string& dtype);
/// Lays the weights of dense layers out for decoding (dense.h), which makes it a third faster or
/// more, and lets go of what they were. Only for passes without gradient from then on.
void pack_weights(Qwen3VL& model);
/// The same model with its adapter off: a reference policy that costs no second copy.
Qwen3VL without_adapter(const Qwen3VL& model);
/// "float32", "bfloat16"; nullopt for "auto". \throws Error(Exit::config) for another name
std::optional<at::ScalarType> parse_dtype(const std::string& dtype);
/// Names a policy: the folder's digest (io::digest_path), for an adapter together with its base's.
std::string policy_digest(const std::filesystem::path& folder);
/// Puts the folder, and an adapter's base, among a run's inputs. \param digest
/// policy_digest(folder)
void add_policy_input(io::RunRecord& record, const std::filesystem::path& folder,
                      const std::string& digest);

/// One prompt: token ids with image placeholders expanded, and its images' patch rows.
struct PromptTokens {
  std::vector<int64_t> tokens;
  std::vector<Grid> grids;
  Tensor pixels;  ///< [P, patch_values] float32 of all images, undefined without
};

/// B prompts ready for the text tower.
struct PromptBatch {
  TextInput input;
  std::vector<Positions> positions;  ///< per prompt, of all its tokens
};
/// Runs the vision tower over all images of the batch and puts their tokens in place.
/// \param drop_last leave the last token of every prompt out of `input` (it opens the reply stream)
/// \throws Error(Exit::data) if placeholders and images do not match, or a token id is outside the
/// vocabulary
PromptBatch embed_prompts(const Qwen3VL& model, const std::vector<PromptTokens>& prompts,
                          bool drop_last, const Pass& pass = {});

/// Rotary tables of reply streams: token j of study b stands `j` after the last prompt token.
/// \returns cos, sin [B, 1, L, 1, D]
Rotary reply_rotary(const Qwen3VL& model, const std::vector<Positions>& positions, int64_t first,
                    int64_t L);

/// Hidden states of all replies, prompt and images computed once per study, with gradient when
/// enabled. \param replies B x G token streams as fed to the model: the last prompt token, then the
/// reply without its last token \returns [B, G, L, H], right-padded to the longest reply
Tensor forward_replies(const Qwen3VL& model, const std::vector<PromptTokens>& prompts,
                       const std::vector<std::vector<std::vector<int64_t>>>& replies,
                       const Pass& pass = {});

/// The plain form: full sequences, no sharing. \returns hidden [B, P, H], right-padded
Tensor forward_plain(const Qwen3VL& model, const std::vector<PromptTokens>& sequences,
                     const Pass& pass = {});

}  // namespace unirg::model
