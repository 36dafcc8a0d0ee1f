// SPDX-License-Identifier: Apache-2.0
#include "model/cost.h"

#include <gtest/gtest.h>

#include "model/checkpoint_tensors.h"
#include "qwen_8b.h"

namespace unirg::model {
namespace {

using testing::qwen_8b;

/// A picture of 512 x 512 in a prompt of 400 tokens, 16 replies of 100.
constexpr PassShape kGroup{
    .replies = 16, .prompt_tokens = 400, .reply_tokens = 100, .patches = 1024};

TEST(Cost, counts_the_parameters_of_qwen3_vl_8b) {
  // Text: twice 151,936 x 4,096; 36 layers of 192,946,432; a norm of 4,096. Vision: 576,388,336.
  EXPECT_EQ(count_values(expected_parameters(qwen_8b())), 8'767'123'696);
}

TEST(Cost, a_token_leaves_keys_and_values_of_every_layer) {
  EXPECT_EQ(kv_bytes_per_token(qwen_8b().text, 2), 2 * 36 * 8 * 128 * 2);
}

TEST(Cost, flops_are_those_of_every_product) {
  // A layer's matrices: 4096 (2 x 4096 + 2 x 1024) + 3 x 4096 x 12288 = 192,937,984.
  const double layers = 2.0 * (400 + 1600) * 192'937'984 * 36;
  const double attention = 4.0 * 4096 * (400 * 400 / 2.0 + 1600 * (400 + 50)) * 36;
  const double head = 2.0 * 1600 * 151'936 * 4096;
  const double blocks =
      27 * (2.0 * 1024 * (4 * 1152 * 1152 + 2 * 1152 * 4304) + 4.0 * 1024 * 1024 * 1152);
  const double mergers = 4 * 2.0 * 256 * (4608.0 * 4608 + 4608.0 * 4096);
  const double patches = 2.0 * 1024 * 1152 * 1536;
  const double sum = layers + attention + head + blocks + mergers + patches;
  EXPECT_DOUBLE_EQ(sum, 31'304'481'505'280);
  EXPECT_DOUBLE_EQ(forward_flops(qwen_8b(), kGroup), sum);
  PassShape three = kGroup;
  three.studies = 3;
  EXPECT_DOUBLE_EQ(forward_flops(qwen_8b(), three), 3 * sum);
}

TEST(Cost, activations_are_what_autograd_saves_of_every_layer) {
  const Activations kept = activations(qwen_8b(), kGroup, 2, /*recompute=*/false);
  // A prompt token: 4 H + 6 A D + 4 K D + 4 F = 94,208 values; the last layer's stops early.
  EXPECT_EQ(kept.prompts, int64_t{2} * 35 * 400 * 94'208);
  // A reply token: 4 H + 4 A D + 4 K D + 4 F, and twice 32 heads over 500 tokens = 118,016.
  EXPECT_EQ(kept.replies, int64_t{2} * 36 * 1600 * 118'016);
  // A patch: 11 x 1152 + 2 x 4304 a block, 4 mergers x 3 x 1152 and 1536 of its own.
  EXPECT_EQ(kept.vision, int64_t{2} * 1024 * (27 * 21'280 + 15'360));
  EXPECT_EQ(kept.layer, 0);
  EXPECT_EQ(kept.total(), kept.prompts + kept.replies + kept.vision);
}

TEST(Cost, with_recompute_only_what_goes_into_layers_is_kept_and_one_of_them_whole) {
  const Activations kept = activations(qwen_8b(), kGroup, 2, /*recompute=*/true);
  EXPECT_EQ(kept.prompts, int64_t{2} * 36 * 400 * (4096 + 2 * 1024));
  EXPECT_EQ(kept.replies, int64_t{2} * 36 * 1600 * 4096);
  EXPECT_EQ(kept.vision, int64_t{2} * 1024 * (27 * 1152 + 15'360));
  EXPECT_EQ(kept.layer, int64_t{2} * 1600 * 118'016) << "the replies' is the largest";
}

TEST(Cost, logits_exist_as_far_as_a_chunk_reaches_three_times) {
  constexpr int64_t kChunk = int64_t{1} << 24;
  EXPECT_EQ(head_bytes(qwen_8b(), kGroup, kChunk), 3 * 4 * kChunk);
  const PassShape few{.prompt_tokens = 400, .reply_tokens = 100};  // 15,193,600 logits: one chunk
  EXPECT_EQ(head_bytes(qwen_8b(), few, kChunk), int64_t{3} * 4 * 100 * 151'936);
}

}  // namespace
}  // namespace unirg::model
