// SPDX-License-Identifier: Apache-2.0
#include "rl/reply_tokens.h"

#include <algorithm>
#include <numeric>

namespace unirg::rl {

Indices all_samples(const RolloutGroup& group) {
  Indices all(group.samples.size());
  std::iota(all.begin(), all.end(), size_t{0});
  return all;
}

Indices trained_samples(const RolloutGroup& group) {
  Indices trained;
  for (size_t i = 0; i < group.samples.size(); ++i) {
    if (group.trained[i]) trained.push_back(i);
  }
  return trained;
}

Replies replies_of(const RolloutGroup& group, const Indices& chosen) {
  Replies replies;
  for (const size_t i : chosen) replies.push_back(&group.samples[i].tokens);
  return replies;
}

ReplyTokens flatten(const Replies& replies, int64_t last_prompt_token, const at::Device& device) {
  size_t longest = 0;
  for (const auto* reply : replies) longest = std::max(longest, reply->size());
  ReplyTokens flat;
  std::vector<int64_t> rows, targets;
  for (size_t s = 0; s < replies.size(); ++s) {
    const std::vector<int64_t>& reply = *replies[s];
    std::vector<int64_t> stream{last_prompt_token};
    stream.insert(stream.end(), reply.begin(), reply.end() - 1);
    flat.streams.push_back(std::move(stream));
    for (size_t t = 0; t < reply.size(); ++t) rows.push_back(static_cast<int64_t>(s * longest + t));
    targets.insert(targets.end(), reply.begin(), reply.end());
  }
  flat.rows = at::tensor(rows, at::kLong).to(device);
  flat.targets = at::tensor(targets, at::kLong).to(device);
  return flat;
}

Tensor sample_numbers(const RolloutGroup& group, const Indices& chosen, const at::Device& device) {
  std::vector<int64_t> numbers;
  for (size_t s = 0; s < chosen.size(); ++s)
    numbers.insert(numbers.end(), group.samples[chosen[s]].tokens.size(), static_cast<int64_t>(s));
  return at::tensor(numbers, at::kLong).to(device);
}

SampleLogprobs by_sample(const Tensor& flat, const RolloutGroup& group) {
  const Tensor values = flat.to(at::kCPU, at::kFloat).contiguous();
  const float* at = values.const_data_ptr<float>();
  SampleLogprobs all;
  for (const data::Generation& sample : group.samples) {
    all.emplace_back(at, at + sample.tokens.size());
    at += sample.tokens.size();
  }
  return all;
}

}  // namespace unirg::rl
