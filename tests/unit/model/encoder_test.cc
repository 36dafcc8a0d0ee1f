// Parity of the encoders with transformers (tests/parity/golden and ../shared/golden, made by its
// make_golden.py), and what loading and batching refuse. SPDX-License-Identifier: Apache-2.0
#include "model/encoder.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "base/error.h"
#include "io/atomic_file.h"
#include "io/safetensors.h"
#include "model/encoder_positions.h"
#include "temp_folder.h"

namespace unirg::model {
namespace {

namespace fs = std::filesystem;
using io::Json;

constexpr double kTolerance = 1e-5;  // absolute, of the goldens' specification

const fs::path kSource = UNIRG_SOURCE_DIR;

TokenBatch golden_batch(const Parameters& golden) {
  TokenBatch batch{golden.at("input_ids"), {}, {}};
  const Tensor lengths = golden.at("attention_mask").sum(1);
  for (int64_t b = 0; b < lengths.numel(); ++b) batch.lengths.push_back(lengths[b].item<int64_t>());
  return batch;
}

/// Largest |a - b| at tokens. \param a, b [B, T, ...]
double worst(const TokenBatch& batch, const Tensor& a, const Tensor& b) {
  EXPECT_EQ(a.sizes(), b.sizes());
  return ((a - b) * token_mask(batch, at::kCPU)).abs().max().item<double>();
}
double worst(const Tensor& a, const Tensor& b) { return (a - b).abs().max().item<double>(); }

class EncoderGolden : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const fs::path folder = kSource / GetParam();
    if (!fs::exists(folder)) GTEST_SKIP() << "needs ../shared/golden/" << GetParam();
    golden = load_tensors(folder / "golden.safetensors");
    encoder = load_encoder(folder);
    batch = golden_batch(golden);
  }
  [[nodiscard]] bool has(const std::string& name) const { return golden.count(name) > 0; }

  Parameters golden;
  Encoder encoder;
  TokenBatch batch;
};

TEST_P(EncoderGolden, every_hidden_state_agrees) {
  const EncoderOutput out = encoder_forward(encoder, batch);
  ASSERT_EQ(static_cast<int64_t>(out.hidden.size()), encoder.config.num_hidden_layers + 1);
  int compared = 0;
  for (size_t i = 0; i < out.hidden.size(); ++i) {
    const std::string name = "hidden" + std::to_string(i);
    if (!has(name)) continue;
    EXPECT_LT(worst(batch, out.hidden[i], golden.at(name)), kTolerance) << name;
    ++compared;
  }
  EXPECT_GE(compared, 1);
}

TEST_P(EncoderGolden, heads_and_poolings_agree) {
  const EncoderOutput out = encoder_forward(encoder, batch);
  const Tensor& last = out.hidden.back();
  EXPECT_EQ(out.token_logits.defined(), has("token_logits"));
  if (has("token_logits")) {
    EXPECT_LT(worst(batch, out.token_logits, golden.at("token_logits")), kTolerance);
    const Tensor differ = (out.token_logits.argmax(-1) != golden.at("token_logits").argmax(-1))
                              .to(at::kFloat)
                              .unsqueeze(-1) *
                          token_mask(batch, at::kCPU);
    EXPECT_EQ(differ.sum().item<double>(), 0);
  }
  if (has("pooler_output")) {
    EXPECT_LT(worst(out.pooled, golden.at("pooler_output")), kTolerance);
  }
  if (has("pool.cls")) {
    const Tensor mean = mean_pool(last, batch);
    EXPECT_LT(worst(first_token(last), golden.at("pool.cls")), kTolerance);
    EXPECT_LT(worst(mean, golden.at("pool.mean")), kTolerance);
    EXPECT_LT(worst(l2_normalize(mean), golden.at("pool.mean_normalized")), kTolerance);
  }
}

TEST_P(EncoderGolden, padding_does_not_change_a_sequence) {
  const EncoderOutput together = encoder_forward(encoder, batch);
  for (size_t b = 0; b < batch.lengths.size(); ++b) {
    const auto row = static_cast<int64_t>(b);
    const int64_t n = batch.lengths[b];
    const EncoderOutput alone =
        encoder_forward(encoder, {batch.ids[row].narrow(0, 0, n).unsqueeze(0), {n}, {}});
    EXPECT_LT(worst(alone.hidden.back()[0], together.hidden.back()[row].narrow(0, 0, n)),
              kTolerance);
  }
}

TEST_P(EncoderGolden, fewer_layers_give_the_first_hidden_states) {
  const EncoderOutput all = encoder_forward(encoder, batch);
  const EncoderOutput some = encoder_forward(encoder, batch, 2);
  ASSERT_EQ(some.hidden.size(), 3U);
  EXPECT_TRUE(some.hidden[2].equal(all.hidden[2]));
  EXPECT_FALSE(some.token_logits.defined());
}

INSTANTIATE_TEST_SUITE_P(Copies, EncoderGolden,
                         ::testing::Values("tests/parity/golden/mpnet_tiny",
                                           "tests/parity/golden/deberta_v2_conv_tiny"));
INSTANTIATE_TEST_SUITE_P(Originals, EncoderGolden,
                         ::testing::Values("../shared/golden/bert_tiny",
                                           "../shared/golden/roberta_tiny",
                                           "../shared/golden/mpnet_tiny",
                                           "../shared/golden/deberta_v2_tiny",
                                           "../shared/golden/deberta_v2_conv_tiny"));

/// One golden, loaded if it is there.
class OneEncoder : public ::testing::Test {
 protected:
  bool load(const char* name) {
    const fs::path folder = kSource / name;
    if (!fs::exists(folder)) return false;
    golden = load_tensors(folder / "golden.safetensors");
    encoder = load_encoder(folder);
    batch = golden_batch(golden);
    return true;
  }
  Parameters golden;
  Encoder encoder;
  TokenBatch batch;
};

TEST_F(OneEncoder, bert_token_types_and_pooler_agree) {
  if (!load("../shared/golden/bert_tiny")) GTEST_SKIP() << "needs ../shared/golden/bert_tiny";
  encoder.config.has_pooler = true;
  for (const char* name : {"pooler.dense.weight", "pooler.dense.bias"})
    encoder.parameters[name] = golden.at(name);
  batch.types = golden.at("token_type_ids");
  const EncoderOutput out = encoder_forward(encoder, batch);
  EXPECT_LT(worst(batch, out.hidden.back(), golden.at("types.last_hidden")), kTolerance);
  EXPECT_LT(worst(out.pooled, golden.at("types.pooler_output")), kTolerance);
}

TEST_F(OneEncoder, roberta_hidden_states_give_bertscore) {
  if (!load("../shared/golden/roberta_tiny")) GTEST_SKIP() << "needs ../shared/golden/roberta_tiny";
  const Tensor x = l2_normalize(encoder_forward(encoder, batch, 2).hidden.back());
  const Tensor similarity = x[0].narrow(0, 1, 17).matmul(x[2].narrow(0, 1, 25).t());
  const double p = std::get<0>(similarity.max(1)).mean().item<double>();
  const double r = std::get<0>(similarity.max(0)).mean().item<double>();
  const Tensor expected = golden.at("bertscore_prf");
  EXPECT_NEAR(p, expected[0].item<double>(), kTolerance);
  EXPECT_NEAR(r, expected[1].item<double>(), kTolerance);
  EXPECT_NEAR(2 * p * r / (p + r), expected[2].item<double>(), kTolerance);
}

TEST_F(OneEncoder, mpnet_bias_table_agrees) {
  if (!load("../shared/golden/mpnet_tiny")) GTEST_SKIP() << "needs ../shared/golden/mpnet_tiny";
  const Tensor buckets = mpnet_buckets(-distances(batch.ids.size(1), at::kCPU));
  const Tensor bias = parameter(encoder.parameters, "encoder.relative_attention_bias.weight")
                          .index_select(0, buckets.flatten())
                          .view({buckets.size(0), buckets.size(1), -1})
                          .permute({2, 0, 1});
  EXPECT_TRUE(bias.equal(golden.at("position_bias")));
}

TEST_F(OneEncoder, deberta_relative_positions_agree) {
  if (!load("../shared/golden/deberta_v2_tiny"))
    GTEST_SKIP() << "needs ../shared/golden/deberta_v2_tiny";
  const Tensor relative = deberta_buckets(distances(batch.ids.size(1), at::kCPU), 8, 64);
  EXPECT_TRUE(relative.equal(golden.at("relative_position")));
}

TEST_F(OneEncoder, a_request_gives_every_output_by_name) {
  ASSERT_TRUE(load("tests/parity/golden/deberta_v2_conv_tiny"));
  const Json request = {{"input_ids", {{1, 9, 8, 2}, {1, 9, 2}}}};
  const Parameters out = encoder_outputs(encoder, request, "request");
  ASSERT_EQ(out.size(), 5U);  // hidden.0 to hidden.3, token_logits
  EXPECT_EQ(out.at("hidden.3").sizes(), (std::vector<int64_t>{2, 4, 48}));
  EXPECT_EQ(out.at("token_logits").sizes(), (std::vector<int64_t>{2, 4, 11}));
  const TokenBatch same = pad_batch({{1, 9, 8, 2}, {1, 9, 2}}, 0);
  EXPECT_TRUE(out.at("hidden.3").equal(encoder_forward(encoder, same).hidden.back()));
}

// Loading.

Json tiny_json(const std::string& type = "bert") {
  return {{"model_type", type},           {"vocab_size", 30},         {"hidden_size", 8},
          {"num_hidden_layers", 1},       {"num_attention_heads", 2}, {"intermediate_size", 12},
          {"max_position_embeddings", 20}};
}

Parameters tiny_weights(const Json& json, bool pooler = false) {
  EncoderConfig config = encoder_config_from_json(json, "config.json");
  config.has_pooler = pooler;
  return random_parameters(encoder_shapes(config), 1);
}

/// A checkpoint folder of these weights.
class Folder {
 public:
  Folder(const Json& json, const Parameters& parameters) {
    io::write_file(temp.path() / "config.json", json.dump());
    save_parameters(temp.path(), parameters);
  }
  [[nodiscard]] Encoder load() const { return load_encoder(temp.path()); }
  [[nodiscard]] std::string refusal() const {
    try {
      load_encoder(temp.path());
    } catch (const Error& error) {
      EXPECT_EQ(error.exit(), Exit::data);
      return error.what();
    }
    return "loaded without complaint";
  }

 private:
  testing::TempFolder temp;
};

Parameters renamed(const Parameters& parameters,
                   const std::function<std::string(const std::string&)>& name) {
  Parameters out;
  for (const auto& [key, tensor] : parameters) out[name(key)] = tensor;
  return out;
}

TEST(LoadEncoder, prefixes_old_norm_names_buffers_and_known_heads_are_seen_through) {
  const Parameters bare = tiny_weights(tiny_json());
  Parameters file = renamed(bare, [](std::string name) {
    name = "bert." + name;
    if (const auto at = name.find("LayerNorm.weight"); at != std::string::npos)
      name.replace(at, std::string::npos, "LayerNorm.gamma");
    if (const auto at = name.find("LayerNorm.bias"); at != std::string::npos)
      name.replace(at, std::string::npos, "LayerNorm.beta");
    return name;
  });
  file["bert.embeddings.position_ids"] = at::tensor(std::vector<int64_t>{0, 1}, at::kLong);
  file["cls.predictions.bias"] = at::zeros({30});
  file["classifier.weight"] = at::zeros({2, 8});  // of a sequence classifier
  const Encoder encoder = Folder(tiny_json(), file).load();
  EXPECT_EQ(encoder.left_out,
            (std::vector<std::string>{"bert.embeddings.position_ids", "classifier.weight",
                                      "cls.predictions.bias"}));
  ASSERT_EQ(encoder.parameters.size(), bare.size());
  for (const auto& [name, tensor] : bare)
    EXPECT_TRUE(encoder.parameters.at(name).equal(tensor)) << name;
  EXPECT_FALSE(encoder.config.has_pooler);
}

TEST(LoadEncoder, a_pooler_is_used_when_it_is_there) {
  const Encoder encoder = Folder(tiny_json(), tiny_weights(tiny_json(), true)).load();
  EXPECT_TRUE(encoder.config.has_pooler);
  EXPECT_EQ(encoder_forward(encoder, pad_batch({{3, 4}}, 0)).pooled.sizes(),
            (std::vector<int64_t>{1, 8}));
}

TEST(LoadEncoder, deberta_leaves_out_its_classifiers_pooler_and_unused_positions) {
  Json json = tiny_json("deberta-v2");
  json["position_biased_input"] = false;
  Parameters file =
      renamed(tiny_weights(json), [](const std::string& n) { return "deberta." + n; });
  file["pooler.dense.weight"] = at::zeros({8, 8});
  file["deberta.embeddings.position_embeddings.weight"] = at::zeros({20, 8});
  file["lm_predictions.lm_head.bias"] = at::zeros({30});
  file["mask_predictions.dense.bias"] = at::zeros({8});
  EXPECT_EQ(Folder(json, file).load().left_out.size(), 4U);
}

TEST(LoadEncoder, missing_unknown_and_ill_shaped_tensors_are_listed) {
  Parameters file = tiny_weights(tiny_json());
  file.erase("encoder.layer.0.output.dense.bias");
  file["encoder.layer.7.output.dense.bias"] = at::zeros({8});
  file["embeddings.LayerNorm.bias"] = at::zeros({9});
  const std::string message = Folder(tiny_json(), file).refusal();
  EXPECT_NE(message.find("missing tensors: encoder.layer.0.output.dense.bias"), std::string::npos);
  EXPECT_NE(message.find("unknown tensors: encoder.layer.7.output.dense.bias"), std::string::npos);
  EXPECT_NE(message.find("embeddings.LayerNorm.bias [9] instead of [8]"), std::string::npos);
}

TEST(LoadEncoder, a_token_classifier_without_its_head_is_refused) {
  Json json = tiny_json();
  json["architectures"] = {"BertForTokenClassification"};
  const std::string message = Folder(json, tiny_weights(tiny_json())).refusal();
  EXPECT_NE(message.find("missing tensors: classifier.bias, classifier.weight"), std::string::npos);
}

TEST(LoadEncoder, folders_of_encoders_are_told_from_others) {
  testing::TempFolder temp;
  io::write_file(temp.path() / "config.json", R"({"model_type": "mpnet"})");
  EXPECT_TRUE(is_encoder_folder(temp.path()));
  io::write_file(temp.path() / "config.json", R"({"model_type": "qwen3_vl"})");
  EXPECT_FALSE(is_encoder_folder(temp.path()));
  io::write_file(temp.path() / "config.json", "[]");
  EXPECT_THROW(is_encoder_folder(temp.path()), Error);
}

// Batches.

TEST(PadBatch, pads_at_the_right) {
  const TokenBatch batch = pad_batch({{5, 6, 7}, {8}}, 1, {{0, 0, 1}, {1}});
  EXPECT_TRUE(batch.ids.equal(at::tensor(std::vector<int64_t>{5, 6, 7, 8, 1, 1}).view({2, 3})));
  EXPECT_TRUE(batch.types.equal(at::tensor(std::vector<int64_t>{0, 0, 1, 1, 0, 0}).view({2, 3})));
  EXPECT_EQ(batch.lengths, (std::vector<int64_t>{3, 1}));
}

TEST(PadBatch, refuses_empty_sequences_and_types_of_another_length) {
  EXPECT_THROW(pad_batch({{5}, {}}, 0), Error);
  EXPECT_THROW(pad_batch({{5, 6}}, 0, {{0}}), Error);
  EXPECT_THROW(pad_batch({{5, 6}}, 0, {{0, 0}, {0}}), Error);
}

std::string forward_refusal(const Encoder& encoder, const TokenBatch& batch) {
  try {
    encoder_forward(encoder, batch);
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::data);
    return error.what();
  }
  return "ran without complaint";
}

TEST(EncoderForward, out_of_range_input_names_its_sequence) {
  const Json json = tiny_json();
  const Encoder encoder{encoder_config_from_json(json, "config.json"), tiny_weights(json), {}};
  EXPECT_EQ(forward_refusal(encoder, pad_batch({{3}, {30}}, 0)),
            "sequence 1: token id 30 is outside [0, 30)");
  EXPECT_EQ(forward_refusal(encoder, pad_batch({{3}, {-2}}, 0)),
            "sequence 1: token id -2 is outside [0, 30)");
  EXPECT_EQ(forward_refusal(encoder, pad_batch({{3}}, 0, {{2}})),
            "sequence 0: token type 2 is outside [0, 2)");
  EXPECT_EQ(forward_refusal(encoder, pad_batch({std::vector<int64_t>(21, 3)}, 0)),
            "sequence 0: 21 tokens, the model takes 20");
}

TEST(EncoderForward, roberta_takes_two_tokens_less_than_it_has_positions) {
  const Json json = tiny_json("roberta");
  const Encoder encoder{encoder_config_from_json(json, "config.json"), tiny_weights(json), {}};
  EXPECT_NO_THROW(encoder_forward(encoder, pad_batch({std::vector<int64_t>(18, 3)}, 1)));
  EXPECT_EQ(forward_refusal(encoder, pad_batch({std::vector<int64_t>(19, 3)}, 1)),
            "sequence 0: 19 tokens, the model takes 18");
}

TEST(EncoderOutputs, ill_formed_requests_are_refused) {
  const Json json = tiny_json();
  const Encoder encoder{encoder_config_from_json(json, "config.json"), tiny_weights(json), {}};
  for (const char* text :
       {"[]", "{}", R"({"input_ids": []})", R"({"input_ids": [3]})", R"({"input_ids": [[3.5]]})",
        R"({"input_ids": [[]]})", R"({"input_ids": [[3]], "token_type_ids": [[0, 0]]})"}) {
    EXPECT_THROW(encoder_outputs(encoder, Json::parse(text), "request"), Error) << text;
  }
}

}  // namespace
}  // namespace unirg::model
