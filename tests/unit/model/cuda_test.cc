// The networks on a GPU against the CPU: float32 without TF32 to a few roundings, bfloat16 to its
// own. SPDX-License-Identifier: Apache-2.0
#include "cuda.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "io/atomic_file.h"
#include "model/checkpoint_tensors.h"
#include "model/chexbert.h"
#include "model/dygie.h"
#include "model/encoder.h"
#include "model/qwen3_vl.h"
#include "temp_folder.h"
#include "tiny_model.h"

namespace unirg::model {
namespace {

using unirg::testing::Cuda;
using unirg::testing::difference;
using unirg::testing::placed;
using unirg::testing::tiny_config;
using unirg::testing::tiny_prompt;

constexpr double kFloat32 = 2e-5;   ///< of the largest value; a product in TF32 is off by 1e-3
constexpr double kBfloat16 = 3e-2;  ///< of the Euclidean norm; one rounding is 4e-3

class CudaSettings : public Cuda {};

TEST_F(CudaSettings, leave_float32_its_bits_and_make_every_run_the_same) {
  EXPECT_TRUE(gpu.is_cuda());
  EXPECT_FALSE(at::globalContext().allowTF32CuBLAS());
  EXPECT_FALSE(at::globalContext().allowTF32CuDNN());
  EXPECT_TRUE(at::globalContext().deterministicAlgorithms());
}

// --- encoders ---

EncoderConfig encoder_config(EncoderFamily family) {
  EncoderConfig c;
  c.family = family;
  c.vocab_size = 60;
  c.hidden_size = 128;
  c.num_hidden_layers = 3;
  c.num_attention_heads = 4;
  c.intermediate_size = 160;
  c.max_position_embeddings = 64;
  c.labels = {"none", "name", "date"};
  c.has_pooler = family != EncoderFamily::deberta_v2;
  switch (family) {
    case EncoderFamily::bert:
      break;
    case EncoderFamily::roberta:
      c.pad_token_id = 1;
      c.type_vocab_size = 1;
      break;
    case EncoderFamily::mpnet:
      c.pad_token_id = 1;
      c.type_vocab_size = 0;
      break;
    case EncoderFamily::deberta_v2:
      c.type_vocab_size = 0;
      c.deberta = {.embedding_size = c.hidden_size,
                   .position_biased_input = false,
                   .relative_attention = true,
                   .position_buckets = 8,
                   .max_relative_positions = 64,
                   .norm_rel_ebd = true,
                   .share_att_key = true,
                   .c2p = true,
                   .p2c = true,
                   .conv_kernel_size = 3};
  }
  return c;
}

/// Three sequences of different lengths; ids from 2 on, as 0 and 1 are padding somewhere.
TokenBatch token_batch(const EncoderConfig& c) {
  std::vector<std::vector<int64_t>> ids(3);
  for (int64_t i = 0; i < 37; ++i) {
    ids[0].push_back(2 + i * 11 % 58);
    if (i < 20) ids[1].push_back(2 + i * 7 % 58);
    if (i < 1) ids[2].push_back(5);
  }
  return pad_batch(ids, c.pad_token_id);
}

class CudaEncoders : public Cuda, public ::testing::WithParamInterface<EncoderFamily> {};

TEST_P(CudaEncoders, agree_with_the_cpu) {
  const EncoderConfig c = encoder_config(GetParam());
  const Encoder cpu{c, random_parameters(encoder_shapes(c), 1, 0.1), {}};
  const Encoder there{c, placed(cpu.parameters, gpu), {}};
  const TokenBatch batch = token_batch(c);
  const EncoderOutput expected = encoder_forward(cpu, batch);
  const EncoderOutput found = encoder_forward(there, batch);
  const Tensor is_token = token_mask(batch, at::kCPU);
  const Tensor is_token_there = token_mask(batch, gpu);
  for (size_t i = 0; i < expected.hidden.size(); ++i) {
    EXPECT_LT(difference(fmt::format("hidden{}", i), found.hidden[i] * is_token_there,
                         expected.hidden[i] * is_token),
              kFloat32);
  }
  EXPECT_LT(difference("token_logits", found.token_logits * is_token_there,
                       expected.token_logits * is_token),
            kFloat32);
  if (c.has_pooler) {
    EXPECT_LT(difference("pooled", found.pooled, expected.pooled), kFloat32);
  }
  EXPECT_LT(difference("mean", l2_normalize(mean_pool(found.hidden.back(), batch)),
                       l2_normalize(mean_pool(expected.hidden.back(), batch))),
            kFloat32);
}

INSTANTIATE_TEST_SUITE_P(Families, CudaEncoders,
                         ::testing::Values(EncoderFamily::bert, EncoderFamily::roberta,
                                           EncoderFamily::mpnet, EncoderFamily::deberta_v2));

class CudaLabelers : public Cuda {};

TEST_F(CudaLabelers, chexbert_gives_the_same_classes) {
  EncoderConfig c = encoder_config(EncoderFamily::bert);
  c.labels.clear();
  Shapes shapes = encoder_shapes(c);
  for (size_t k = 0; k < kChexbertHeads; ++k)
    add_dense_shapes(shapes, fmt::format("linear_heads.{}", k), k + 1 < kChexbertHeads ? 4 : 2,
                     c.hidden_size);
  const Chexbert cpu{{c, random_parameters(shapes, 2, 0.1), {}}};
  const Chexbert there{{c, placed(cpu.encoder.parameters, gpu), {}}};
  const ChexbertOutput expected = chexbert_forward(cpu, token_batch(c));
  const ChexbertOutput found = chexbert_forward(there, token_batch(c));
  EXPECT_EQ(found.classes, expected.classes);
  EXPECT_LT(difference("vectors", found.vectors, expected.vectors), kFloat32);
  for (size_t k = 0; k < kChexbertHeads; ++k)
    EXPECT_LT(difference(fmt::format("head{}", k), found.scores[k], expected.scores[k]), kFloat32);
}

TEST_F(CudaLabelers, dygie_finds_the_same_graph) {
  DygieConfig c;
  c.encoder = encoder_config(EncoderFamily::bert);
  c.encoder.labels.clear();
  c.dataset = "set";
  c.entity_labels = {"A", "B"};
  c.relation_labels = {"of", "at"};
  c.max_span_width = 4;
  c.feature_size = 20;
  c.max_length = 12;
  c.hidden_dims = {30, 30};
  c.spans_per_word = 0.5;
  Shapes shapes = encoder_shapes(c.encoder);
  shapes.merge(dygie_head_shapes(c));
  const Dygie cpu{c, {c.encoder, random_parameters(shapes, 3, 0.3), {}}};
  const Dygie there{c, {c.encoder, placed(cpu.encoder.parameters, gpu), {}}};
  std::vector<WordPieces> reports(3);  // the last has no word
  for (int64_t w = 0; w < 23; ++w) reports[0].push_back({2 + w, 2 + w * 5 % 50});
  for (int64_t w = 0; w < 5; ++w) reports[1].push_back({50 - w});
  const auto expected = dygie_graphs(cpu, reports, {2, 3});
  EXPECT_FALSE(expected[0].entities.empty());
  EXPECT_FALSE(expected[0].relations.empty());
  EXPECT_EQ(dygie_graphs(there, reports, {2, 3}), expected);
  const auto words = word_vectors(cpu, reports, {2, 3});
  const auto words_there = word_vectors(there, reports, {2, 3});
  EXPECT_LT(difference("words", words_there[0], words[0]), kFloat32);
}

// --- Qwen3-VL ---

/// Head sizes of the published models (72 and 128), which take other attention kernels.
ModelConfig wide_config() {
  ModelConfig c = tiny_config();
  c.vision.hidden_size = 144;
  c.vision.intermediate_size = 200;
  c.vision.num_heads = 2;
  c.vision.out_hidden_size = 256;
  c.text.hidden_size = 256;
  c.text.intermediate_size = 384;
  c.text.num_attention_heads = 4;
  c.text.head_dim = 128;
  c.text.mrope_section = {24, 20, 20};
  c.text.tie_word_embeddings = false;
  return c;
}

struct Size {
  const char* name;
  ModelConfig config;
  double std;
};
std::ostream& operator<<(std::ostream& out, const Size& size) { return out << size.name; }

class CudaQwen3VL : public Cuda, public ::testing::WithParamInterface<Size> {
 protected:
  void SetUp() override {
    Cuda::SetUp();
    if (IsSkipped()) return;
    at::manual_seed(1);
    const Parameters weights = random_parameters(expected_parameters(config), 1, GetParam().std);
    cpu = bind_model(config, weights);
    there = bind_model(config, placed(weights, gpu));
    half = bind_model(config, placed(weights, gpu, at::kBFloat16));
    prompts = {tiny_prompt(config, 33, true), tiny_prompt(config, 4, false)};
    for (const PromptTokens& p : prompts)
      replies.push_back({{p.tokens.back(), 3, 5, 8, 13}, {p.tokens.back(), 9}});
  }
  /// |found - expected| / |expected|, Euclidean.
  static double distance(const std::string& what, const Tensor& found, const Tensor& expected) {
    EXPECT_TRUE(found.is_cuda());
    EXPECT_EQ(found.scalar_type(), at::kBFloat16);
    const Tensor gap = found.to(at::kCPU).to(at::kFloat) - expected;
    const double relative = at::linalg_vector_norm(gap).item<double>() /
                            at::linalg_vector_norm(expected).item<double>();
    RecordProperty(what, fmt::format("{:.2e}", relative));
    return relative;
  }

  const at::NoGradGuard no_grad;
  ModelConfig config = GetParam().config;
  Qwen3VL cpu, there, half;
  std::vector<PromptTokens> prompts;
  std::vector<std::vector<std::vector<int64_t>>> replies;
};

TEST_P(CudaQwen3VL, vision_tower_agrees) {
  const PromptTokens& p = prompts[0];
  const VisionOutput expected = vision_forward(config.vision, cpu.vision, p.pixels, p.grids);
  const VisionOutput found = vision_forward(config.vision, there.vision, p.pixels.to(gpu), p.grids);
  EXPECT_LT(difference("tokens", found.tokens, expected.tokens), kFloat32);
  for (size_t j = 0; j < expected.deepstack.size(); ++j)
    EXPECT_LT(difference(fmt::format("deepstack{}", j), found.deepstack[j], expected.deepstack[j]),
              kFloat32);
  const VisionOutput rounded =
      vision_forward(config.vision, half.vision, p.pixels.to(gpu), p.grids);
  EXPECT_LT(distance("tokens_bfloat16", rounded.tokens, expected.tokens), kBfloat16);
}

TEST_P(CudaQwen3VL, plain_forward_of_a_padded_batch_agrees) {
  const Tensor expected = forward_plain(cpu, prompts);
  const Tensor found = forward_plain(there, prompts);
  const Tensor rounded = forward_plain(half, prompts);
  for (size_t b = 0; b < prompts.size(); ++b) {
    const auto n = static_cast<int64_t>(prompts[b].tokens.size());
    const auto valid = [&](const Tensor& hidden) {
      return hidden[static_cast<int64_t>(b)].narrow(0, 0, n);
    };
    EXPECT_LT(difference(fmt::format("hidden{}", b), valid(found), valid(expected)), kFloat32);
    EXPECT_LT(distance(fmt::format("hidden{}_bfloat16", b), valid(rounded), valid(expected)),
              kBfloat16);
  }
}

TEST_P(CudaQwen3VL, replies_agree) {
  const Tensor expected = forward_replies(cpu, prompts, replies);
  EXPECT_LT(difference("hidden", forward_replies(there, prompts, replies), expected), kFloat32);
  EXPECT_LT(distance("hidden_bfloat16", forward_replies(half, prompts, replies), expected),
            kBfloat16);
}

TEST_P(CudaQwen3VL, decoding_with_the_cache_gives_the_replies_token_by_token) {
  const std::vector<int64_t>& reply = replies[0][0];
  const Tensor expected = forward_replies(cpu, {prompts[0]}, {{reply, reply}});  // [1, 2, L, H]
  for (const Qwen3VL* model : {&there, &half}) {
    const PromptBatch batch = embed_prompts(*model, {prompts[0]}, /*drop_last=*/true);
    const PrefixCache prefix = prefill(config.text, model->text, batch.input);
    ReplyCache cache = make_reply_cache(config.text, 1, 2, 8, model->text.embed.options());
    for (size_t t = 0; t < reply.size(); ++t) {
      const Tensor ids = at::tensor({reply[t], reply[t]}, at::kLong).to(gpu);
      const Tensor hidden = at::embedding(model->text.embed, ids).view({1, 2, 1, -1});
      const Rotary rotary = reply_rotary(*model, batch.positions, cache.length, 1);
      const Tensor out = reply_forward(config.text, model->text, prefix, hidden, rotary, &cache);
      const Tensor wanted = expected.narrow(2, static_cast<int64_t>(t), 1);
      if (model == &there) {
        EXPECT_LT(difference(fmt::format("token{}", t), out, wanted), kFloat32);
      } else {
        EXPECT_LT(distance(fmt::format("token{}_bfloat16", t), out, wanted), kBfloat16);
      }
    }
  }
}

TEST_P(CudaQwen3VL, an_adapter_with_dropout_draws_the_same_masks) {
  const AdapterConfig adapter{.rank = 4, .alpha = 8, .dropout = 0.3, .targets = {"all-linear"}};
  Parameters weights = cpu.parameters;
  for (const auto& [name, shape] : adapter_shapes(config, adapter))
    weights[name] = random_parameters({{name, shape}}, 4, 0.1).at(name);
  const Qwen3VL here = bind_model(config, weights, adapter);
  const Qwen3VL adapted = bind_model(config, placed(weights, gpu), adapter);
  const Pass pass{{.p = 0.3, .seed = 5}, false};
  EXPECT_LT(difference("hidden", forward_replies(adapted, prompts, replies, pass),
                       forward_replies(here, prompts, replies, pass)),
            kFloat32);
}

INSTANTIATE_TEST_SUITE_P(Sizes, CudaQwen3VL,
                         ::testing::Values(Size{"tiny", tiny_config(), 0.2},
                                           Size{"wide", wide_config(), 0.05}));

class CudaCheckpoint : public Cuda {};

TEST_F(CudaCheckpoint, weights_go_to_the_gpu_as_they_are_and_come_back_to_the_file) {
  const unirg::testing::TempFolder folder;
  const ModelConfig c = tiny_config();
  const Parameters weights = random_parameters(expected_parameters(c), 1);
  for (const at::ScalarType stored : {at::kFloat, at::kBFloat16}) {
    save_parameters(folder.path(), placed(weights, gpu, stored));
    for (const at::ScalarType held : {at::kFloat, at::kBFloat16}) {
      const Parameters found =
          load_checkpoint(folder.path(), c, {.dtype = held, .device = gpu, .map = true});
      for (const auto& [name, tensor] : found) {
        EXPECT_TRUE(tensor.is_cuda()) << name;
        EXPECT_EQ(tensor.scalar_type(), held);
        EXPECT_TRUE(tensor.to(at::kCPU).equal(weights.at(name).to(stored).to(held))) << name;
      }
    }
  }
}

}  // namespace
}  // namespace unirg::model
