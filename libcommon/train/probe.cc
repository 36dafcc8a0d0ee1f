// SPDX-License-Identifier: Apache-2.0
#include "train/probe.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>

#include "base/error.h"
#include "io/atomic_file.h"
#include "policy/image_processor.h"
#include "policy/sampler.h"
#include "text/chat.h"
#include "text/tokenizer.h"
#include "train/losses.h"
#include "train/trainable.h"

namespace unirg::train {
namespace {

using io::Json;
using model::Parameters;
constexpr int64_t kIgnored = -100;

[[noreturn]] void refuse(const std::string& why) { throw Error(Exit::data, "request: " + why); }

template <typename T>
T value_of(const Result<T>& value) {
  if (!value) refuse(value.error().reason);
  return *value;
}

bool flag(const Json& request, const char* name) {
  if (!request.contains(name)) return false;
  if (!request[name].is_boolean()) refuse(fmt::format("field '{}': expected true or false", name));
  return request[name].get<bool>();
}

void add_images(const Json& request, const std::filesystem::path& checkpoint, Probe& probe) {
  if (!request.contains("images")) return;
  const policy::ImageProcessor processor = policy::load_image_processor(checkpoint);
  std::vector<Tensor> rows;
  for (const std::string& file : value_of(io::Fields(request).strings("images"))) {
    const auto picture = image::decode_image(io::read_file(file));
    if (!picture) refuse(fmt::format("image '{}': {}", file, picture.error().reason));
    const auto sized = policy::size_image(processor, *picture);
    if (!sized) refuse(fmt::format("image '{}': {}", file, sized.error().reason));
    probe.prompt.grids.push_back(sized->grid);
    rows.push_back(policy::patch_rows(processor, *sized));
  }
  if (!rows.empty()) probe.prompt.pixels = at::cat(rows, 0);
}

/// Appends ids, each single image placeholder repeated for its image's tokens.
void append_expanded(const model::ModelConfig& config, const std::vector<int64_t>& ids,
                     size_t& image, Probe& probe) {
  for (const int64_t id : ids) {
    int64_t copies = 1;
    if (config.sees() && id == config.image_token_id) {
      if (image == probe.prompt.grids.size()) refuse("more image placeholders than images");
      copies = probe.prompt.grids[image++].patches() / config.vision.merged_patches();
    }
    probe.prompt.tokens.insert(probe.prompt.tokens.end(), static_cast<size_t>(copies), id);
  }
}

std::string prompt_text(const Json& request, const Probe& probe) {
  std::string text = value_of(io::Fields(request).string("text"));
  if (!flag(request, "chat")) return text;
  std::string content;
  for (size_t i = 0; i < probe.prompt.grids.size(); ++i) content += text::kImageMark;
  return text::chat_prompt(content + text);
}

void add_text(const Json& request, const std::filesystem::path& checkpoint,
              const model::ModelConfig& config, Probe& probe) {
  const text::Tokenizer tokenizer = text::Tokenizer::load(checkpoint);
  size_t image = 0;
  append_expanded(config, tokenizer.encode(prompt_text(request, probe)), image, probe);
  if (!request.contains("reply")) return;
  const size_t prompt_tokens = probe.prompt.tokens.size();
  append_expanded(config, tokenizer.encode(value_of(io::Fields(request).string("reply"))), image,
                  probe);
  if (flag(request, "chat")) {
    const auto end = tokenizer.id(text::kTurnEnd);
    if (!end) refuse(fmt::format("the tokenizer has no '{}'", text::kTurnEnd));
    probe.prompt.tokens.push_back(*end);
  }
  probe.labels = probe.prompt.tokens;
  std::fill_n(probe.labels.begin(), prompt_tokens, kIgnored);
}

void add_steps(const Json& request, Probe& probe) {
  if (!request.contains("adamw")) return;
  const Json& object = request["adamw"];
  if (!object.is_object()) refuse("field 'adamw': expected object");
  const auto number = [&](const char* name, double& out) {
    if (object.contains(name)) out = value_of(io::Fields(object).number(name));
  };
  probe.steps = value_of(io::Fields(object).integer("steps"));
  number("learning_rate", probe.learning_rate);
  number("beta1", probe.adamw.beta1);
  number("beta2", probe.adamw.beta2);
  number("epsilon", probe.adamw.epsilon);
  number("weight_decay", probe.adamw.weight_decay);
}

void check_bounds(const Probe& probe, const model::ModelConfig& config) {
  constexpr int64_t kMostSteps = 10'000;
  for (const int64_t label : probe.labels) {
    if (label != kIgnored && (label < 0 || label >= config.text.vocab_size))
      refuse(
          fmt::format("label {} is outside the vocabulary of {}", label, config.text.vocab_size));
  }
  const int64_t room =
      config.text.max_position_embeddings - static_cast<int64_t>(probe.prompt.tokens.size());
  if (probe.greedy < 0 || probe.greedy > std::max<int64_t>(0, room))
    refuse(fmt::format("field 'greedy': 0 to {} tokens fit", std::max<int64_t>(0, room)));
  if (probe.steps < 0 || probe.steps > kMostSteps)
    refuse(fmt::format("field 'adamw': steps must be 0 to {}", kMostSteps));
}

/// Rows of the sequence whose next token is learned, and that token.
struct Targets {
  Tensor rows, tokens;
};

Targets targets_of(const Probe& probe, const at::Device& device) {
  std::vector<int64_t> rows, tokens;
  for (size_t i = 1; i < probe.labels.size(); ++i) {
    if (probe.labels[i] == kIgnored) continue;
    rows.push_back(static_cast<int64_t>(i) - 1);
    tokens.push_back(probe.labels[i]);
  }
  if (rows.empty()) refuse("no label to learn");
  return {at::tensor(rows, at::kLong).to(device), at::tensor(tokens, at::kLong).to(device)};
}

Tensor mean_loss(const model::Qwen3VL& model, const Probe& probe) {
  const Targets targets = targets_of(probe, model.text.embed.device());
  const Tensor hidden = model::forward_plain(model, {probe.prompt})[0];
  return -token_scores(hidden.index_select(0, targets.rows), model.text.head, targets.tokens)
              .logprobs.mean();
}

Tensor position_ids(const model::Qwen3VL& model, const Probe& probe) {
  std::vector<int64_t> flat;
  const auto positions =
      model::mrope_positions(model.config, probe.prompt.tokens, probe.prompt.grids);
  for (size_t axis = 0; axis < 3; ++axis)
    for (const auto& place : positions.ids) flat.push_back(place[axis]);
  return at::tensor(flat, at::kLong).view({3, -1});
}

Tensor greedy_tokens(const model::Qwen3VL& model, const Probe& probe) {
  const policy::TokenRules rules{
      std::vector<bool>(static_cast<size_t>(model.config.text.vocab_size), true), {}};
  const auto replies = policy::sample_replies(model, probe.prompt, "", rules,
                                              {.temperature = 0, .max_new_tokens = probe.greedy});
  return at::tensor(replies.front().tokens, at::kLong);
}

void describe(const model::Qwen3VL& model, const Probe& probe, Parameters& out) {
  const at::NoGradGuard no_grad;
  const auto T = static_cast<int64_t>(probe.prompt.tokens.size());
  out["input_ids"] = at::tensor(probe.prompt.tokens, at::kLong);
  out["position_ids"] = position_ids(model, probe);
  const Tensor hidden = model::forward_plain(model, {probe.prompt})[0];
  out["hidden"] = hidden.to(at::kFloat);
  out["logits"] = model::next_logits(model.text, hidden);
  if (T > 1) {
    const TokenScores scores =
        token_scores(hidden.narrow(0, 0, T - 1), model.text.head,
                     out["input_ids"].narrow(0, 1, T - 1).to(hidden.device()), {.entropy = true});
    out["next_token_logprobs"] = scores.logprobs;
    out["entropy"] = scores.entropy;
  }
  if (!probe.labels.empty()) out["loss"] = mean_loss(model, probe).view({1});
  if (probe.greedy > 0) out["greedy"] = greedy_tokens(model, probe);
}

/// The tensors a loss may have gradients of: an adapter's, or all.
struct Learner {
  model::Qwen3VL model;
  std::vector<std::string> names;
  std::vector<Tensor> leaves;

  explicit Learner(const model::Qwen3VL& source)
      : model(source), names(trained_names(model, {})), leaves(make_leaves(model, names)) {}

  /// Gradients in the order of `names`; zero where the loss does not reach.
  std::vector<Tensor> gradients(const Tensor& loss) {
    auto found = torch::autograd::grad({loss}, leaves, {}, std::nullopt, false,
                                       /*allow_unused=*/true);
    for (size_t i = 0; i < leaves.size(); ++i)
      if (!found[i].defined()) found[i] = at::zeros_like(leaves[i]);
    return found;
  }
};

void add_gradients(const model::Qwen3VL& model, const Probe& probe, Parameters& out) {
  Learner learner(model);
  const auto gradients = learner.gradients(mean_loss(learner.model, probe));
  for (size_t i = 0; i < gradients.size(); ++i) {
    out["gradient_norm." + learner.names[i]] =
        at::linalg_vector_norm(gradients[i], 2, std::nullopt, false, at::kDouble).view({1});
  }
}

void add_training(const model::Qwen3VL& model, const Probe& probe, Parameters& out) {
  Learner learner(model);
  AdamWState state;
  std::vector<float> losses;
  for (int64_t step = 0; step < probe.steps; ++step) {
    const Tensor loss = mean_loss(learner.model, probe);
    losses.push_back(loss.item<float>());
    adamw_step(probe.adamw, probe.learning_rate, learner.names, learner.model.parameters,
               learner.gradients(loss), state);
  }
  out["adamw.losses"] = at::tensor(losses, at::kFloat);
  for (const std::string& name : learner.names)
    out["after." + name] = learner.model.parameters.at(name).detach();
}

Probe plain_probe(const model::Qwen3VL& model) {
  const model::ModelConfig& config = model.config;
  Probe probe;
  if (config.sees()) {
    const int64_t side = 2 * config.vision.spatial_merge_size;
    probe.prompt.grids = {{side, side}};
    probe.prompt.pixels = at::zeros({side * side, config.vision.patch_values()});
    probe.prompt.tokens.assign(static_cast<size_t>(side * side / config.vision.merged_patches()),
                               config.image_token_id);
  }
  for (int64_t id = 0; id < config.text.vocab_size && id < 8; ++id)
    if (id != config.image_token_id && id != config.video_token_id)
      probe.prompt.tokens.push_back(id);
  return probe;
}

}  // namespace

Probe read_probe(const Json& request, const std::filesystem::path& checkpoint,
                 const model::ModelConfig& config) {
  if (!request.is_object()) refuse("not a JSON object");
  const io::Fields fields(request);
  Probe probe;
  add_images(request, checkpoint, probe);
  if (request.contains("input_ids")) {
    probe.prompt.tokens = value_of(fields.integers("input_ids"));  // placeholders are expanded
  } else {
    add_text(request, checkpoint, config, probe);
  }
  if (request.contains("labels")) probe.labels = value_of(fields.integers("labels"));
  if (probe.prompt.tokens.empty()) refuse("no token");
  if (!probe.labels.empty() && probe.labels.size() != probe.prompt.tokens.size())
    refuse(fmt::format("{} labels for {} tokens", probe.labels.size(), probe.prompt.tokens.size()));
  if (request.contains("greedy")) probe.greedy = value_of(fields.integer("greedy"));
  probe.gradients = flag(request, "gradients");
  add_steps(request, probe);
  check_bounds(probe, config);
  if (probe.labels.empty() && (probe.gradients || probe.steps > 0))
    refuse("gradients and steps need a 'reply' or 'labels'");
  return probe;
}

Parameters run_probe(const model::Qwen3VL& model, const Probe& probe) {
  Parameters out;
  describe(model, probe, out);
  if (probe.gradients) add_gradients(model, probe, out);
  if (probe.steps > 0) add_training(model, probe, out);
  return out;
}

Parameters run_plain_probe(const model::Qwen3VL& model) {
  return run_probe(model, plain_probe(model));
}

}  // namespace unirg::train
