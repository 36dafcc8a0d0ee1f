// Decoding of several prompts at once, drawing included, where the model is: what a GPU wants,
// whose every launch takes as long for one row as for many. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "policy/sampler.h"

namespace unirg::policy {

struct DecodeRequest {
  model::PromptTokens prompt;
  std::string subject;  ///< names the random stream, e.g. the study id
};

/// Draws of one step.
struct Draws {
  at::Tensor tokens;    ///< [rows] int64
  at::Tensor logprobs;  ///< [rows] float64, as Reply::logprobs
};

/// One token a row, by the rules of DecodeOptions, on the device of `logits`.
/// \param logits [rows, V] float32 \param banned [V] float32, 0 or -inf where an id may not be
/// drawn \param uniforms [rows] float64 in [0, 1): how far through the weights, in id order, a
/// row's id lies
Draws draw_tokens(const at::Tensor& logits, const at::Tensor& banned, const at::Tensor& uniforms,
                  const DecodeOptions& options);

/// sample_replies() of every request. Uniforms are the same; low bits of the logits depend on the
/// prompts that are decoded together, and so may, rarely, a token.
std::vector<std::vector<Reply>> sample_together(const model::Qwen3VL& model,
                                                const std::vector<DecodeRequest>& requests,
                                                const TokenRules& rules,
                                                const DecodeOptions& options);

}  // namespace unirg::policy
