// Adapters: what they choose, change, write and refuse; and that recomputing changes no gradient.
// SPDX-License-Identifier: Apache-2.0
#include "model/adapter.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>

#include "base/error.h"
#include "io/atomic_file.h"
#include "model/checkpoint_tensors.h"
#include "model/qwen3_vl.h"
#include "temp_folder.h"
#include "tiny_model.h"

namespace unirg::model {
namespace {

using testing::tiny_config;
using testing::tiny_prompt;

double worst(const Tensor& a, const Tensor& b) { return (a - b).abs().max().item<double>(); }

const std::vector<std::string> kTargets{"q_proj", "down_proj", "attn.proj", "linear_fc1"};

/// A model whose adapter already changes something.
Qwen3VL adapted(double dropout = 0) {
  const ModelConfig c = tiny_config();
  Parameters parameters = random_parameters(expected_parameters(c), 1, 0.2);
  const AdapterConfig adapter{
      .rank = 3, .alpha = 6, .dropout = dropout, .targets = kTargets, .base = "../base"};
  at::manual_seed(5);
  for (const auto& [name, tensor] : new_adapter(c, adapter, 7))
    parameters[name] = name.ends_with("lora_B.weight") ? at::randn(tensor.sizes()) * 0.1 : tensor;
  return bind_model(c, std::move(parameters), adapter);
}

TEST(AdaptedLayers, are_chosen_by_the_end_of_a_name_by_pattern_or_all) {
  const ModelConfig c = tiny_config();  // 3 text layers, 2 vision blocks, 1 + 2 mergers
  EXPECT_EQ(adapted_layers(c, {"q_proj"}).size(), 3U);
  EXPECT_EQ(adapted_layers(c, {"q_proj", "q_proj"}).size(), 3U);
  EXPECT_EQ(adapted_layers(c, {"model.visual.blocks.0.*"}).size(), 4U);
  EXPECT_EQ(adapted_layers(c, {"linear_fc1"}).size(), 5U);
  EXPECT_EQ(adapted_layers(c, {"all-linear"}).size(), 3U * 7 + 2 * 4 + 3 * 2);
  EXPECT_EQ(adapted_layers(c, {"proj"}),
            (std::vector<std::string>{"model.visual.blocks.0.attn.proj",
                                      "model.visual.blocks.1.attn.proj"}))
      << "the patch embedding is a convolution";
}

TEST(AdaptedLayers, a_target_that_chooses_none_is_refused_with_what_there_is) {
  try {
    (void)adapted_layers(tiny_config(), {"q_proj", "query"});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::config);
    EXPECT_NE(std::string(e.what()).find("'query'"), std::string::npos);
    EXPECT_NE(std::string(e.what()).find("up_proj"), std::string::npos);
  }
}

TEST(Adapter, a_fresh_one_changes_nothing) {
  const ModelConfig c = tiny_config();
  Parameters parameters = random_parameters(expected_parameters(c), 1, 0.2);
  const PromptTokens prompt = tiny_prompt(c, 5, true);
  const Tensor before = forward_plain(bind_model(c, parameters), {prompt});
  const AdapterConfig adapter{.rank = 2, .targets = {"all-linear"}, .base = "x"};
  for (const auto& [name, tensor] : new_adapter(c, adapter, 1)) parameters[name] = tensor;
  EXPECT_TRUE(forward_plain(bind_model(c, parameters, adapter), {prompt}).equal(before));
}

TEST(Adapter, merged_into_the_base_it_gives_the_same_and_without_it_the_base_is_back) {
  const Qwen3VL model = adapted();
  const PromptTokens prompt = tiny_prompt(model.config, 5, true);
  const Tensor with = forward_plain(model, {prompt});
  const Qwen3VL whole = bind_model(model.config, merged(model.parameters, *model.adapter));
  EXPECT_EQ(whole.parameters.size(), expected_parameters(model.config).size());
  EXPECT_LT(worst(forward_plain(whole, {prompt}), with), 1e-5);
  const Tensor base = forward_plain(without_adapter(model), {prompt});
  EXPECT_GT(worst(base, with), 1e-3);
}

TEST(Adapter, scale_is_alpha_over_rank_or_over_its_root) {
  EXPECT_DOUBLE_EQ((AdapterConfig{.rank = 4, .alpha = 6}.scale()), 1.5);
  EXPECT_DOUBLE_EQ((AdapterConfig{.rank = 4, .alpha = 6, .rank_stabilised = true}.scale()), 3.0);
}

TEST(Adapter, comes_back_from_its_folder_and_the_base_is_found_from_there) {
  testing::TempFolder folder;
  const Qwen3VL model = adapted();
  std::filesystem::create_directory(folder.path() / "base");
  std::filesystem::create_directory(folder.path() / "adapter");
  save_parameters(folder.path() / "base", without_adapter(model).parameters);
  io::write_file(folder.path() / "base/config.json", to_json(model.config).dump());
  save_adapter(folder.path() / "adapter", model.config, *model.adapter, model.parameters);
  EXPECT_TRUE(load_tensors(folder.path() / "adapter/adapter_model.safetensors")
                  .contains("base_model.model.model.language_model.layers.0.self_attn.q_proj."
                            "lora_A.weight"));
  const io::Json written =
      io::Json::parse(io::read_file(folder.path() / "adapter/adapter_config.json"));
  EXPECT_EQ(written.at("target_modules"),
            io::Json({"attn.proj", "down_proj", "linear_fc1", "q_proj"}));
  const Qwen3VL back = load_model(folder.path() / "adapter", "cpu", "float32");
  ASSERT_EQ(back.parameters.size(), model.parameters.size());
  for (const auto& [name, tensor] : model.parameters)
    EXPECT_TRUE(back.parameters.at(name).equal(tensor)) << name;
  EXPECT_NE(policy_digest(folder.path() / "adapter"), policy_digest(folder.path() / "base"));
}

TEST(Adapter, what_is_not_built_is_refused_by_its_field) {
  testing::TempFolder folder;
  const auto failure = [&](const char* fields) {
    io::write_file(folder.path() / "adapter_config.json",
                   std::string(R"({"base_model_name_or_path": "b", "r": 2, )") + fields + "}");
    try {
      (void)load_adapter_config(folder.path());
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  EXPECT_EQ(failure(R"("peft_type": "LORA", "bias": "none", "use_dora": false, "rank_pattern": {},
                       "modules_to_save": null)"),
            "accepted");
  EXPECT_NE(failure(R"("peft_type": "IA3")").find("'peft_type'"), std::string::npos);
  EXPECT_NE(failure(R"("peft_type": "LORA", "use_dora": true)").find("'use_dora'"),
            std::string::npos);
  EXPECT_NE(failure(R"("peft_type": "LORA", "rank_pattern": {"q": 1})").find("'rank_pattern'"),
            std::string::npos);
  EXPECT_NE(failure(R"("peft_type": "LORA", "bias": "all")").find("'bias'"), std::string::npos);
}

TEST(Adapter, tensors_that_do_not_fit_are_named) {
  testing::TempFolder folder;
  const Qwen3VL model = adapted();
  save_adapter(folder.path(), model.config, *model.adapter, model.parameters);
  AdapterConfig other = *model.adapter;
  other.rank = 4;
  EXPECT_THROW((void)load_adapter(folder.path(), model.config, other), Error);
  ModelConfig shallow = model.config;
  shallow.text.num_hidden_layers = 2;
  try {
    (void)load_adapter(folder.path(), shallow, *model.adapter);
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("layers.2."), std::string::npos) << e.what();
  }
}

/// Gradients of every tensor for replies to prompts with and without images.
std::map<std::string, Tensor> gradients(const Qwen3VL& source, const Pass& pass) {
  Qwen3VL model = source;
  std::vector<Tensor> leaves;
  for (auto& [name, tensor] : model.parameters) {
    tensor = tensor.clone().requires_grad_(true);
    leaves.push_back(tensor);
  }
  model = bind_model(model.config, model.parameters, model.adapter);
  at::manual_seed(9);
  const std::vector<PromptTokens> prompts{tiny_prompt(model.config, 6, true),
                                          tiny_prompt(model.config, 4, false)};
  std::vector<std::vector<std::vector<int64_t>>> replies;
  for (const PromptTokens& p : prompts)
    replies.push_back({{p.tokens.back(), 3, 5}, {p.tokens.back(), 9, 2}});
  const Tensor loss = forward_replies(model, prompts, replies, pass).square().sum();
  const auto found = torch::autograd::grad({loss}, leaves, {}, std::nullopt, false, true);
  std::map<std::string, Tensor> named;
  size_t i = 0;
  for (const auto& [name, tensor] : model.parameters) named[name] = found[i++];
  return named;
}

TEST(Recompute, gives_every_gradient_of_the_plain_pass_with_and_without_dropout) {
  for (const double dropout : {0.0, 0.4}) {
    const Qwen3VL model = adapted(dropout);
    const Dropout masks{dropout, 11};
    const auto plain = gradients(model, Pass{masks, false});
    const auto again = gradients(model, Pass{masks, true});
    EXPECT_GT(std::count_if(plain.begin(), plain.end(),
                            [](const auto& item) { return item.second.defined(); }),
              40)
        << "the test would compare nothing";
    for (const auto& [name, gradient] : plain) {
      ASSERT_EQ(gradient.defined(), again.at(name).defined()) << name;
      if (gradient.defined()) {
        EXPECT_LT(worst(gradient, again.at(name)),
                  1e-6 * std::max(1.0, gradient.abs().max().item<double>()))
            << name;
      }
    }
  }
}

TEST(Dropout, drops_about_its_share_keeps_the_mean_and_repeats_by_seed) {
  const Qwen3VL model = adapted();
  Linear layer = model.text.layers[0].q;
  layer.lora_a = at::randn({1, 40}).fill_(1);
  layer.lora_b = at::randn({64, 1}).fill_(1);
  layer.weight = layer.weight * 0;
  layer.lora_scale = 1;
  const Tensor x = at::randn({500, 40}).fill_(1);
  const Tensor one = apply(layer, x, {0.25, 3});
  EXPECT_TRUE(one.equal(apply(layer, x, {0.25, 3})));
  EXPECT_FALSE(one.equal(apply(layer, x, {0.25, 4})));
  EXPECT_NEAR(one.mean().item<double>(), 40, 0.5) << "20000 values, each 0 or 4/3";
  EXPECT_GT(one.std().item<double>(), 1) << "something is dropped";
}

}  // namespace
}  // namespace unirg::model
