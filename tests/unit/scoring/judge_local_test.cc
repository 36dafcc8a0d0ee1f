// A judge from a checkpoint of our own. SPDX-License-Identifier: Apache-2.0
#include "scoring/judge_local.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/linear.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "io/atomic_file.h"
#include "model/checkpoint_tensors.h"
#include "model/qwen3_vl.h"
#include "scoring/judge_family.h"
#include "scoring/judge_pace.h"
#include "temp_folder.h"
#include "text/tokenizer.h"
#include "text/tokenizer_train.h"

namespace unirg::scoring {
namespace {

/// A random text-only Qwen3 whose tokens are bytes and Qwen's marks (256 <|endoftext|>, 258
/// <|im_end|>).
void write_checkpoint(const std::filesystem::path& folder, int64_t context = 65536) {
  io::make_folders(folder);
  const io::Json config = {{"model_type", "qwen3"},
                           {"architectures", {"Qwen3ForCausalLM"}},
                           {"vocab_size", 272},
                           {"hidden_size", 32},
                           {"intermediate_size", 48},
                           {"num_hidden_layers", 2},
                           {"num_attention_heads", 4},
                           {"num_key_value_heads", 2},
                           {"head_dim", 8},
                           {"max_position_embeddings", context},
                           {"rms_norm_eps", 1e-6},
                           {"rope_theta", 1e4},
                           {"hidden_act", "silu"},
                           {"tie_word_embeddings", true},
                           {"eos_token_id", 258}};
  io::write_file(folder / "config.json", config.dump());
  io::write_file(folder / "tokenizer.json", text::train_bpe({}, 256 + 7).to_json().dump());
  const model::ModelConfig c = model::load_config(folder / "config.json");
  model::save_parameters(folder, model::random_parameters(model::expected_parameters(c), 7, 0.2));
}

JudgePrompt prompt(const char* chat_template, int64_t max_tokens, int64_t total = 0) {
  JudgePrompt p;
  p.generation.max_tokens = max_tokens;
  p.chat_template = chat_template;
  p.total_tokens = total;
  return p;
}

TEST(JudgeLocal, renders_the_templates) {
  const std::vector<JudgeMessage> messages{{"system", "S"}, {"user", "U"}};
  EXPECT_EQ(render_chat("radllama", {{"user", "U"}}, "</s>"), "<|user|>\nU</s>\n<|assistant|>\n");
  EXPECT_EQ(render_chat("chatml", messages, ""),
            "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n"
            "<|im_start|>assistant\n");
  EXPECT_EQ(render_chat("llama-3", {{"user", "U"}}, ""),
            "<|start_header_id|>user<|end_header_id|>\n\nU<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n");
  EXPECT_THROW((void)render_chat("x", messages, ""), Error);
}

TEST(JudgeLocal, answers_the_same_each_time_within_its_bounds) {
  testing::TempFolder folder;
  write_checkpoint(folder.path());
  JudgeLocal judge({folder.path(), "cpu", "auto", {}});
  const io::Json request = judge.request(prompt("chatml", 12), {{"user", "a b"}});
  const JudgeAnswer first = judge.ask(request);
  EXPECT_EQ(first.problem, "");
  EXPECT_LE(first.usage["completion_tokens"].get<int64_t>(), 12);
  EXPECT_TRUE(first.finish == "stop" || first.finish == "length");
  EXPECT_EQ(first.finish == "length", first.usage["completion_tokens"] == 12);
  EXPECT_EQ(judge.ask(request).text, first.text);
  // "<|im_start|>user\na b<|im_end|>\n<|im_start|>assistant\n" in bytes and marks
  EXPECT_EQ(first.usage["prompt_tokens"], 1 + 5 + 3 + 1 + 1 + 1 + 10);
  JudgeLocal again({folder.path(), "cpu", "auto", {}});
  EXPECT_EQ(again.request(prompt("chatml", 12), {{"user", "a b"}}), request);
  // What "auto" came to, not "auto": it may come to something else elsewhere.
  EXPECT_EQ(request["device"], "cpu");
  EXPECT_EQ(request["dtype"], "Float");
  EXPECT_EQ(again.ask(request).text, first.text);
}

TEST(JudgeLocal, says_what_the_whole_sequence_computed_anew_for_each_token_says) {
  testing::TempFolder folder;
  write_checkpoint(folder.path());
  JudgeLocal judge({folder.path(), "cpu", "auto", {}});
  const std::string said = judge.ask(judge.request(prompt("chatml", 10), {{"user", "a b"}})).text;
  const at::NoGradGuard no_grad;
  const model::Qwen3VL model = model::load_model(folder.path(), "cpu", "auto");
  const text::Tokenizer tokenizer = text::Tokenizer::load(folder.path());
  std::vector<int64_t> tokens = tokenizer.encode(render_chat("chatml", {{"user", "a b"}}, ""));
  std::vector<int64_t> reply;
  while (reply.size() < 10) {
    const at::Tensor hidden = model::forward_plain(model, {{tokens, {}, {}}})[0];
    at::Tensor logits = at::linear(hidden[hidden.size(0) - 1], model.text.head).clone();
    for (int64_t id = 256; id < 272; ++id) {  // marks but the end, and rows without a token
      if (id != 258) logits[id] = -1e9;
    }
    tokens.push_back(at::argmax(logits).item<int64_t>());
    if (tokens.back() == 258) break;
    reply.push_back(tokens.back());
  }
  EXPECT_EQ(said, tokenizer.decode(reply));
  EXPECT_FALSE(reply.empty());
}

TEST(JudgeLocal, a_text_that_could_speak_for_the_judge_is_a_problem) {
  testing::TempFolder folder;
  write_checkpoint(folder.path());
  JudgeLocal judge({folder.path(), "cpu", "auto", {}});
  for (const char* text : {"x <|im_end|> y", "<|endoftext|>", "<|image_pad|>"}) {
    const JudgeAnswer answer = judge.ask(judge.request(prompt("chatml", 4), {{"user", text}}));
    EXPECT_NE(answer.problem.find("takes for a mark of its own"), std::string::npos) << text;
    EXPECT_EQ(answer.text, "");
  }
  const JudgeAnswer answer =
      judge.ask(judge.request(prompt("radllama", 4), {{"user", "a <|assistant|> b"}}));
  EXPECT_NE(answer.problem, "");
}

TEST(JudgeLocal, a_prompt_without_room_for_an_answer_is_a_problem) {
  testing::TempFolder folder;
  write_checkpoint(folder.path(), 64);
  JudgeLocal judge({folder.path(), "cpu", "auto", {}});
  const std::string text(60, 'a');
  EXPECT_NE(judge.ask(judge.request(prompt("chatml", 4), {{"user", text}})).problem, "");
  const JudgeAnswer cut = judge.ask(judge.request(prompt("chatml", 100, 30), {{"user", "a b"}}));
  EXPECT_LE(cut.usage["completion_tokens"].get<int64_t>(), 30 - 22);
}

TEST(JudgeLocal, a_stop_request_ends_it) {
  testing::TempFolder folder;
  write_checkpoint(folder.path());
  JudgeLocal judge({folder.path(), "cpu", "auto", [] { return true; }});
  EXPECT_THROW((void)judge.ask(judge.request(prompt("chatml", 100), {{"user", "a"}})), Error);
}

TEST(JudgeLocal, as_a_family_its_noise_is_invalid_and_kept) {
  testing::TempFolder folder;
  write_checkpoint(folder.path() / "model");
  JudgeOptions options;
  options.backend = "local";
  options.checkpoint = folder.path() / "model";
  options.prompts = folder.path();
  options.device = "cpu";
  options.cache = folder.path() / "cache";
  io::write_file(folder.path() / "green.yaml",
                 "schema: unirg.judge/1\nname: green\nversion: t\nreply: green\n"
                 "generation: {max-tokens: 8}\ntemplate: chatml\n"
                 "messages: [{role: user, content: \"{reference}|{candidate}\"}]\n");
  std::string text;
  for (int again = 0; again < 2; ++again) {
    const auto family = judge_family({"green"}, options);
    EXPECT_NE(family->metrics()[0].signature.find("|backend:local|"), std::string::npos);
    const auto scored = family->score({"Normal.", {"Effusion.", "Normal."}});
    EXPECT_FALSE(scored[0].values[0]);
    const io::Json& said = scored[0].details["judge"]["green"];
    EXPECT_EQ(said["valid"], false);
    if (again == 1) {
      EXPECT_EQ(said["reply"], text);
    }
    text = said["reply"].get<std::string>();
  }
}

}  // namespace
}  // namespace unirg::scoring
