// SPDX-License-Identifier: Apache-2.0
#include "scoring/judge_local.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <utility>

#include "base/error.h"
#include "model/adapter.h"
#include "model/qwen3_vl.h"
#include "scoring/judge_pace.h"
#include "text/tokenizer.h"

namespace unirg::scoring {
namespace {

using at::Tensor;
using io::Json;

/// Answers of prompts that set no limit.
constexpr int64_t kDefaultMaxTokens = 1024;

struct ChatForm {
  std::string before, between, after;  ///< round role and content
  std::string answer;                  ///< opens the judge's turn
  std::string end;                     ///< token that ends a turn; "": the checkpoint's end token
  std::vector<std::string> marks;      ///< what no report may say
};

ChatForm chat_form(const std::string& name, const std::string& eos) {
  if (name == "radllama")
    return {"<|",       "|>\n",
            eos + "\n", "<|assistant|>\n",
            "",         {"<|user|>", "<|system|>", "<|assistant|>", eos}};
  if (name == "chatml")
    return {"<|im_start|>", "\n",
            "<|im_end|>\n", "<|im_start|>assistant\n",
            "<|im_end|>",   {"<|im_start|>", "<|im_end|>"}};
  if (name == "llama-3")
    return {"<|start_header_id|>", "<|end_header_id|>\n\n",
            "<|eot_id|>",          "<|start_header_id|>assistant<|end_header_id|>\n\n",
            "<|eot_id|>",          {"<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"}};
  throw Error(Exit::config, fmt::format("unknown chat template '{}' (hint: known are radllama, "
                                        "chatml, llama-3)",
                                        name));
}

/// Ids that end an answer: those of generation_config.json and config.json.
std::vector<int64_t> end_tokens(const std::filesystem::path& folder,
                                const model::ModelConfig& config) {
  std::vector<int64_t> ends;
  if (config.eos_token_id >= 0) ends.push_back(config.eos_token_id);
  const std::filesystem::path file = folder / "generation_config.json";
  if (!std::filesystem::exists(file)) return ends;
  const Json json = Json::parse(io::read_file(file), nullptr, false);
  if (!json.is_object())
    throw Error(Exit::data, fmt::format("{}: not a JSON object", file.string()));
  const Json eos = json.value("eos_token_id", Json());
  for (const Json& id : eos.is_array() ? eos : Json::array({eos})) {
    if (id.is_number_integer()) ends.push_back(id.get<int64_t>());
  }
  return ends;
}

}  // namespace

std::string render_chat(const std::string& chat_template, const std::vector<JudgeMessage>& messages,
                        const std::string& eos) {
  const ChatForm form = chat_form(chat_template, eos);
  std::string text;
  for (const JudgeMessage& message : messages)
    text += form.before + message.role + form.between + message.content + form.after;
  return text + form.answer;
}

struct JudgeLocal::Impl {
  explicit Impl(JudgeLocalOptions o)
      : options(std::move(o)),
        base(model::base_folder(options.checkpoint)),
        model(model::load_model(options.checkpoint, options.device, options.dtype)),
        tokenizer(text::Tokenizer::load(base)),
        ends(end_tokens(base, model.config)),
        digest(model::policy_digest(options.checkpoint)) {
    model::pack_weights(model);
    if (model.config.eos_token_id >= 0) eos = tokenizer.token(model.config.eos_token_id);
    if (ends.empty())
      throw Error(Exit::data, fmt::format("checkpoint '{}' names no eos_token_id, so a judge's "
                                          "answer would have no end",
                                          base.string()));
  }

  [[nodiscard]] std::string foreign_mark(const ChatForm& form,
                                         const std::vector<JudgeMessage>& messages) const;
  [[nodiscard]] Tensor banned(const std::vector<int64_t>& stops) const;
  [[nodiscard]] JudgeAnswer decode(const std::vector<int64_t>& prompt, int64_t most,
                                   const std::vector<int64_t>& stops) const;

  JudgeLocalOptions options;
  std::filesystem::path base;
  model::Qwen3VL model;
  text::Tokenizer tokenizer;
  std::vector<int64_t> ends;
  std::string digest;
  std::string eos;
  std::mutex mutex;
};

/// What in the messages the checkpoint would take for more than text; "" if there is nothing.
std::string JudgeLocal::Impl::foreign_mark(const ChatForm& form,
                                           const std::vector<JudgeMessage>& messages) const {
  for (const JudgeMessage& message : messages) {
    for (const std::string& mark : form.marks) {
      if (!mark.empty() && message.content.find(mark) != std::string::npos) return mark;
    }
    for (const int64_t id : tokenizer.encode(message.content)) {
      if (tokenizer.is_special(id)) return tokenizer.token(id);
    }
  }
  return "";
}

/// -inf for ids an answer may not hold: rows without a token, special tokens that end nothing.
/// \returns [V] float32
Tensor JudgeLocal::Impl::banned(const std::vector<int64_t>& stops) const {
  const int64_t vocabulary = model.config.text.vocab_size;
  std::vector<float> values(static_cast<size_t>(vocabulary), 0);
  constexpr float kNever = -std::numeric_limits<float>::infinity();
  for (int64_t id = 0; id < vocabulary; ++id) {
    const bool is_end = std::find(stops.begin(), stops.end(), id) != stops.end();
    const bool is_text = id < tokenizer.size() && !tokenizer.is_special(id);
    if (!is_end && !is_text) values[static_cast<size_t>(id)] = kNever;
  }
  return at::tensor(values);
}

JudgeAnswer JudgeLocal::Impl::decode(const std::vector<int64_t>& prompt, int64_t most,
                                     const std::vector<int64_t>& stops) const {
  const at::NoGradGuard no_grad;
  const auto& text = model.text;
  const model::PromptBatch batch =
      model::embed_prompts(model, {{prompt, {}, {}}}, /*drop_last=*/true);
  const model::PrefixCache prefix = model::prefill(model.config.text, text, batch.input);
  model::ReplyCache cache =
      model::make_reply_cache(model.config.text, 1, 1, most, text.embed.options());
  const Tensor never = banned(stops);
  std::vector<int64_t> reply;
  JudgeAnswer answer;
  answer.finish = "length";
  for (int64_t token = prompt.back(); static_cast<int64_t>(reply.size()) < most;) {
    check_stopped(options.stopped);
    const Tensor id = at::tensor({token}, at::kLong).to(text.embed.device());
    const Tensor hidden = at::embedding(text.embed, id).view({1, 1, 1, -1});
    const model::Rotary rotary = model::reply_rotary(model, batch.positions, cache.length, 1);
    const Tensor out =
        model::reply_forward(model.config.text, text, prefix, hidden, rotary, &cache).view({1, -1});
    const Tensor logits = model::next_logits(text, out).to(at::kCPU).view({-1});
    const Tensor scores = logits + never;
    token = at::argmax(scores).item<int64_t>();  // of NaN and numbers, it names a NaN
    if (!std::isfinite(scores[token].item<float>()))
      throw Error(Exit::data, fmt::format("the logits of judge '{}' are not finite (hint: its "
                                          "weights are damaged, or too large for the number type "
                                          "they are stored in)",
                                          options.checkpoint.string()));
    if (std::find(stops.begin(), stops.end(), token) != stops.end()) {
      answer.finish = "stop";
      break;
    }
    reply.push_back(token);
  }
  answer.text = tokenizer.decode(reply);
  answer.usage = {{"prompt_tokens", prompt.size()}, {"completion_tokens", reply.size()}};
  return answer;
}

JudgeLocal::JudgeLocal(JudgeLocalOptions options) {
  if (options.checkpoint.empty())
    throw Error(Exit::config,
                "--judge-checkpoint is not set (hint: the folder of the judge's weights)");
  impl_ = std::make_unique<Impl>(std::move(options));
}

JudgeLocal::~JudgeLocal() = default;

const std::string& JudgeLocal::digest() const { return impl_->digest; }

Json JudgeLocal::request(const JudgePrompt& prompt,
                         const std::vector<JudgeMessage>& messages) const {
  Json list = Json::array();
  for (const JudgeMessage& message : messages)
    list.push_back({{"role", message.role}, {"content", message.content}});
  return {{"checkpoint", impl_->digest},
          {"device", c10::DeviceTypeName(impl_->model.text.embed.device().type(), true)},
          {"dtype", c10::toString(impl_->model.text.embed.scalar_type())},
          {"template", prompt.chat_template},
          {"messages", std::move(list)},
          {"max_tokens", prompt.generation.max_tokens.value_or(kDefaultMaxTokens)},
          {"total_tokens", prompt.total_tokens}};
}

JudgeAnswer JudgeLocal::ask(const Json& request) {
  const Impl& impl = *impl_;
  std::vector<JudgeMessage> messages;
  for (const Json& m : request.at("messages"))
    messages.push_back({m.at("role").get<std::string>(), m.at("content").get<std::string>()});
  const std::string name = request.at("template").get<std::string>();
  const ChatForm form = chat_form(name, impl.eos);
  std::vector<int64_t> stops = impl.ends;
  if (const auto end = impl.tokenizer.id(form.end)) stops.push_back(*end);
  JudgeAnswer answer;
  answer.served = impl.digest;
  if (const std::string mark = impl.foreign_mark(form, messages); !mark.empty()) {
    answer.problem = fmt::format(
        "a text holds '{}', which the judge's checkpoint takes for a mark "
        "of its own",
        mark);
    return answer;
  }
  const std::vector<int64_t> prompt =
      impl.tokenizer.encode(render_chat(name, messages, impl.eos), text::EncodeOptions{});
  int64_t total = request.at("total_tokens").get<int64_t>();
  const int64_t context = impl.model.config.text.max_position_embeddings;
  total = total > 0 ? std::min(total, context) : context;
  const auto length = static_cast<int64_t>(prompt.size());
  const int64_t most = std::min(request.at("max_tokens").get<int64_t>(), total - length);
  if (most < 1) {
    answer.problem =
        fmt::format("the prompt's {} tokens leave no room for an answer within {}", length, total);
    return answer;
  }
  const std::lock_guard lock(impl_->mutex);
  check_stopped(impl_->options.stopped);  // before the prompt: others may have held us up
  answer = impl.decode(prompt, most, stops);
  answer.served = impl.digest;
  return answer;
}

}  // namespace unirg::scoring
