// Sampled replies as flat tensors over their real (unpadded) tokens.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>

#include <cstdint>
#include <vector>

#include "rl/rollout_groups.h"

namespace unirg::rl {

using at::Tensor;

/// Replies to one prompt.
struct ReplyTokens {
  /// What the model is fed: the last prompt token, then the reply without its last.
  std::vector<std::vector<int64_t>> streams;
  Tensor rows;     ///< [N] int64: the tokens' places in the padded [G*L] output
  Tensor targets;  ///< [N] int64
};

/// Token ids of replies, none empty, which outlive what is made of them.
using Replies = std::vector<const std::vector<int64_t>*>;
ReplyTokens flatten(const Replies& replies, int64_t last_prompt_token, const at::Device& device);

/// Places of samples in their group.
using Indices = std::vector<size_t>;
Indices all_samples(const RolloutGroup& group);
/// Those that are trained on.
Indices trained_samples(const RolloutGroup& group);
Replies replies_of(const RolloutGroup& group, const Indices& chosen);

/// One float for each token of the chosen samples. \param of (sample, token) -> float
template <typename Of>
Tensor per_token(const RolloutGroup& group, const Indices& chosen, const at::Device& device,
                 const Of& of) {
  std::vector<float> values;
  for (const size_t i : chosen) {
    for (size_t t = 0; t < group.samples[i].tokens.size(); ++t) values.push_back(of(i, t));
  }
  return at::tensor(values, at::kFloat).to(device);
}

/// [N] int64: which of the chosen samples each token is of, from 0.
Tensor sample_numbers(const RolloutGroup& group, const Indices& chosen, const at::Device& device);

/// Log-probabilities of every sample's tokens.
using SampleLogprobs = std::vector<std::vector<float>>;
/// \param flat [N] over the tokens of all samples of the group
SampleLogprobs by_sample(const Tensor& flat, const RolloutGroup& group);

}  // namespace unirg::rl
