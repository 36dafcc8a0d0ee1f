// What config.json of an encoder may and must say. SPDX-License-Identifier: Apache-2.0
#include "model/encoder_config.h"

#include <gtest/gtest.h>

#include <string>

#include "base/error.h"

namespace unirg::model {
namespace {

using io::Json;

Json base(const std::string& type) {
  return {{"model_type", type},           {"vocab_size", 30},         {"hidden_size", 8},
          {"num_hidden_layers", 2},       {"num_attention_heads", 2}, {"intermediate_size", 12},
          {"max_position_embeddings", 20}};
}

Json with(Json object, const std::string& key, const Json& value) {
  object[key] = value;
  return object;
}

EncoderConfig read(const Json& object) { return encoder_config_from_json(object, "config.json"); }

/// The message of the Error(Exit::data) that reading throws.
std::string refusal(const Json& object) {
  try {
    read(object);
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::data);
    return error.what();
  }
  return "read without complaint";
}

TEST(EncoderConfig, defaults_are_those_of_each_architecture) {
  const EncoderConfig bert = read(base("bert"));
  EXPECT_EQ(bert.layer_norm_eps, 1e-12);
  EXPECT_EQ(bert.pad_token_id, 0);
  EXPECT_EQ(bert.type_vocab_size, 2);
  EXPECT_EQ(bert.max_tokens(), 20);
  EXPECT_EQ(bert.head_dim(), 4);
  EXPECT_TRUE(bert.labels.empty());

  EXPECT_EQ(read(base("cxr-bert")).family, EncoderFamily::bert);

  const EncoderConfig roberta = read(base("xlm-roberta"));
  EXPECT_EQ(roberta.family, EncoderFamily::roberta);
  EXPECT_EQ(roberta.pad_token_id, 1);
  EXPECT_EQ(roberta.max_tokens(), 18);

  const EncoderConfig mpnet = read(base("mpnet"));
  EXPECT_EQ(mpnet.type_vocab_size, 0);
  EXPECT_EQ(mpnet.max_tokens(), 18);

  const EncoderConfig deberta = read(base("deberta-v2"));
  EXPECT_EQ(deberta.layer_norm_eps, 1e-7);
  EXPECT_EQ(deberta.type_vocab_size, 0);
  EXPECT_TRUE(deberta.deberta.position_biased_input);
  EXPECT_FALSE(deberta.deberta.relative_attention);
  EXPECT_EQ(deberta.deberta.max_relative_positions, 20);
  EXPECT_EQ(deberta.deberta.conv_kernel_size, 0);
}

TEST(EncoderConfig, positional_terms_may_be_a_list_or_one_string) {
  for (const Json& terms : {Json("p2c|c2p"), Json({"c2p", "p2c"})}) {
    const EncoderConfig c = read(with(base("deberta-v2"), "pos_att_type", terms));
    EXPECT_TRUE(c.deberta.c2p && c.deberta.p2c);
  }
  EXPECT_NE(refusal(with(base("deberta-v2"), "pos_att_type", "p2p")).find("'p2p'"),
            std::string::npos);
}

TEST(EncoderConfig, the_published_deberta_v3_layout_is_read) {
  Json object = base("deberta-v2");
  object.update(Json{{"relative_attention", true},
                     {"position_buckets", 8},
                     {"max_relative_positions", -1},
                     {"norm_rel_ebd", "layer_norm"},
                     {"share_att_key", true},
                     {"position_biased_input", false},
                     {"pos_att_type", "p2c|c2p"}});
  const EncoderConfig c = read(object);
  EXPECT_EQ(c.deberta.span(), 8);
  EXPECT_TRUE(c.deberta.norm_rel_ebd && c.deberta.share_att_key);
  EXPECT_FALSE(c.max_tokens().has_value());
}

TEST(EncoderConfig, only_a_token_classifier_has_labels) {
  Json object = with(base("bert"), "id2label", {{"0", "O"}, {"1", "B-X"}, {"2", "I-X"}});
  EXPECT_TRUE(read(object).labels.empty());
  object["architectures"] = {"BertForTokenClassification"};
  EXPECT_EQ(read(object).labels, (std::vector<std::string>{"O", "B-X", "I-X"}));
  object.erase("id2label");
  EXPECT_EQ(read(object).labels, (std::vector<std::string>{"LABEL_0", "LABEL_1"}));
  object["num_labels"] = 3;
  EXPECT_EQ(read(object).labels.size(), 3U);
  object["id2label"] = {{"0", "O"}, {"2", "B"}};
  EXPECT_NE(refusal(object).find("a name for class 1"), std::string::npos);
}

TEST(EncoderConfig, activations_by_all_their_names) {
  EXPECT_EQ(read(with(base("bert"), "hidden_act", "gelu_new")).hidden_act, Activation::gelu_tanh);
  EXPECT_EQ(read(with(base("bert"), "hidden_act", "relu")).hidden_act, Activation::relu);
  EXPECT_NE(refusal(with(base("bert"), "hidden_act", "mish")).find("'mish'"), std::string::npos);
}

TEST(EncoderConfig, an_unknown_architecture_is_refused_with_the_known_ones) {
  const std::string message = refusal(base("modernbert"));
  EXPECT_NE(message.find("'modernbert'"), std::string::npos);
  EXPECT_NE(message.find("deberta-v2"), std::string::npos);
  Json unnamed = base("bert");
  unnamed.erase("model_type");
  EXPECT_NE(refusal(unnamed).find("'model_type' is missing"), std::string::npos);
  EXPECT_EQ(encoder_config_from_json(unnamed, "config.json", "bert").model_type, "bert");
}

TEST(EncoderConfig, messages_name_file_and_key) {
  Json object = base("bert");
  object.erase("vocab_size");
  EXPECT_EQ(refusal(object), "config.json: key 'vocab_size' is missing");
  EXPECT_EQ(refusal(with(base("bert"), "hidden_size", "8")),
            "config.json: key 'hidden_size': expected integer");
}

TEST(EncoderConfig, what_we_would_compute_wrongly_is_refused) {
  const auto expect_refused = [](const std::string& type, const std::string& key,
                                 const Json& value) {
    EXPECT_NE(refusal(with(base(type), key, value)).find("'" + key + "'"), std::string::npos)
        << key;
  };
  expect_refused("bert", "is_decoder", true);
  expect_refused("bert", "add_cross_attention", true);
  expect_refused("bert", "position_embedding_type", "relative_key");
  expect_refused("bert", "hidden_size", 9);
  expect_refused("bert", "hidden_size", -8);
  expect_refused("bert", "num_hidden_layers", 1001);
  expect_refused("bert", "type_vocab_size", 0);
  expect_refused("bert", "pad_token_id", 30);
  expect_refused("bert", "layer_norm_eps", 0);
  expect_refused("roberta", "max_position_embeddings", 2);
  expect_refused("mpnet", "relative_attention_num_buckets", 16);
  expect_refused("deberta-v2", "max_relative_positions", int64_t{1} << 40);
  expect_refused("deberta-v2", "conv_kernel_size", 4);
  expect_refused("deberta-v2", "conv_groups", 3);
  expect_refused("deberta-v2", "attention_head_size", 5);
  Json buckets = with(base("deberta-v2"), "relative_attention", true);
  EXPECT_NE(refusal(with(buckets, "position_buckets", 1)).find("'position_buckets'"),
            std::string::npos);
  EXPECT_NE(refusal(with(buckets, "position_buckets", 38)).find("'position_buckets'"),
            std::string::npos);
}

}  // namespace
}  // namespace unirg::model
