// Decoding: G replies to one prompt. The image is encoded and the prompt prefilled once; every draw
// takes its uniform from (seed, study, sample, position), so a reply does not depend on who else is
// decoded, when, or on how many threads. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/qwen3_vl.h"

namespace unirg::policy {

struct DecodeOptions {
  double temperature = 1.0;  ///< 0: greedy
  int64_t top_k = 0;         ///< 0: off; ties with the k-th are kept
  double top_p = 1.0;        ///< 1: off
  int64_t max_new_tokens = 256;
  int64_t samples = 1;  ///< G
  uint64_t seed = 0;
};

struct Reply {
  std::vector<int64_t> tokens;  ///< the end token included when stopped
  std::vector<float> logprobs;  ///< of the policy at the sampling temperature (1 when greedy),
                                ///< before top-k and top-p
  bool stopped = false;         ///< ended by an end token, not by max_new_tokens
};

/// Which ids may be drawn, and which end a reply.
struct TokenRules {
  std::vector<bool> allowed;  ///< V entries; image, video and vision marks and padding rows of the
                              ///< embedding are not
  std::vector<int64_t> ends;
};

/// [V] float32: 0, or -inf where an id may not be drawn.
at::Tensor ban(const TokenRules& rules);

/// \param subject names the random stream, e.g. the study id
std::vector<Reply> sample_replies(const model::Qwen3VL& model, const model::PromptTokens& prompt,
                                  const std::string& subject, const TokenRules& rules,
                                  const DecodeOptions& options);

}  // namespace unirg::policy
