// Everything a model says about one request: logits, loss, gradients, greedy tokens, optimiser
// steps. The door through which anyone compares this implementation with another.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "io/jsonl.h"
#include "model/qwen3_vl.h"
#include "train/optimizer.h"

namespace unirg::train {

/// A request made of numbers.
struct Probe {
  model::PromptTokens prompt;   ///< the whole sequence, image placeholders expanded
  std::vector<int64_t> labels;  ///< one a token, -100 where nothing is learned; empty: no loss
  int64_t greedy = 0;           ///< tokens to decode after the sequence
  bool gradients = false;       ///< norm of the loss's gradient for every tensor
  int64_t steps = 0;            ///< AdamW steps on this one request
  double learning_rate = 1e-3;
  AdamWOptions adamw;
};

/// Reads a request, with the tokenizer and image processor of `checkpoint` as far as it needs them.
/// Fields: "text" or "input_ids"; "images" [file, ...], one placeholder each in the text; "reply"
/// (learned; it follows the text) or "labels"; "chat": true puts images and text into one user turn
/// and ends the reply with the turn; "greedy" N; "gradients" true; "adamw" {steps, learning_rate,
/// beta1, beta2, epsilon, weight_decay}.
/// \throws Error(Exit::data) naming the field
Probe read_probe(const io::Json& request, const std::filesystem::path& checkpoint,
                 const model::ModelConfig& config);

/// run_probe for a few tokens, and one small image when the model sees: enough to run every layer.
model::Parameters run_plain_probe(const model::Qwen3VL& model);

/// \returns input_ids [T] and position_ids [3, T] int64; hidden [T, H]; logits [T, V]; with labels
/// loss [1]; next_token_logprobs and entropy [T-1]; greedy [N] int64; gradient_norm.NAME [1]
/// float64; adamw.losses [steps] and after.NAME, the tensors after the steps. float32 where not
/// said otherwise
model::Parameters run_probe(const model::Qwen3VL& model, const Probe& probe);

}  // namespace unirg::train
