// SPDX-License-Identifier: Apache-2.0
#include "policy/plan.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/autograd.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "io/safetensors.h"
#include "model/checkpoint_tensors.h"
#include "model/qwen3_vl.h"

namespace unirg::policy {
namespace {

/// What products of real shapes bring in beyond those of a tiny model: oneDNN compiles one for each
/// and LibTorch keeps them (dense.cc). Measured, 20 to 50 MB.
constexpr int64_t kCompiledBytes = 30'000'000;

int64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");  // pages: size, resident, ...
  int64_t size = 0;
  int64_t resident = 0;
  statm >> size >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

model::ModelConfig tiny_config() {
  model::ModelConfig c;
  c.vision = {.depth = 1,
              .hidden_size = 32,
              .intermediate_size = 64,
              .num_heads = 2,
              .num_position_embeddings = 16,
              .out_hidden_size = 32,
              .deepstack_visual_indexes = {0}};
  c.text = {.vocab_size = 64,
            .hidden_size = 32,
            .intermediate_size = 64,
            .num_hidden_layers = 2,
            .num_attention_heads = 2,
            .num_key_value_heads = 1,
            .head_dim = 16,
            .mrope_section = {4, 2, 2}};
  c.image_token_id = 63;
  return c;
}

void run_tiny_model(bool trains) {
  const model::ModelConfig config = tiny_config();
  model::Parameters parameters = model::random_parameters(model::expected_parameters(config), 1);
  std::vector<at::Tensor> leaves;
  for (auto& [name, tensor] : parameters) leaves.push_back(tensor.requires_grad_(trains));
  const model::Qwen3VL model = model::bind_model(config, parameters);
  model::PromptTokens prompt{{63, 63, 63, 63, 1, 2}, {{4, 4}}, {}};
  prompt.pixels = at::zeros({16, config.vision.patch_values()});
  const at::Tensor hidden = model::forward_replies(model, {prompt}, {{{2, 3, 4}}});
  if (trains) torch::autograd::grad({hidden.sum()}, leaves, {}, std::nullopt, false, true);
}

void add(model::PassShape& sum, const model::PassShape& one) {
  sum.prompt_tokens += one.prompt_tokens;
  sum.reply_tokens += one.reply_tokens;
  sum.patches += one.patches;
}

void widen(model::PassShape& most, const model::PassShape& one) {
  most.prompt_tokens = std::max(most.prompt_tokens, one.prompt_tokens);
  most.reply_tokens = std::max(most.reply_tokens, one.reply_tokens);
  most.patches = std::max(most.patches, one.patches);
}

bool has_weights(const std::filesystem::path& folder) {
  const std::filesystem::path base = model::base_folder(folder);
  return std::filesystem::exists(base / "model.safetensors") ||
         std::filesystem::exists(base / "model.safetensors.index.json");
}

/// Bytes a value of a weight that is stored with `stored`, or is not there.
int64_t held_item(const std::string& dtype, int64_t stored) {
  if (dtype == "float32") return 4;
  return dtype == "bfloat16" || dtype == "float16" ? 2 : stored;
}

}  // namespace

Lengths sample_lengths(const ReportWriter& writer, const std::vector<const data::Study*>& studies,
                       const data::StudySet& set) {
  constexpr size_t kSample = 256;
  Lengths lengths;
  const size_t n = std::min(kSample, studies.size());
  for (size_t i = 0; i < n; ++i) {
    const EncodedStudy study = writer.encode(*studies[i * studies.size() / n], set);
    const model::PassShape shape = shape_of(study);
    for (const SizedImage& image : study.images)
      lengths.picture_bytes += static_cast<int64_t>(image.pixels.pixels.size());
    add(lengths.mean, shape);
    widen(lengths.longest, shape);
  }
  const auto count = std::max<int64_t>(1, static_cast<int64_t>(n));
  lengths.mean.prompt_tokens /= count;
  lengths.mean.reply_tokens /= count;
  lengths.mean.patches /= count;
  lengths.picture_bytes /= count;
  return lengths;
}

Plan::Parts study_facts(const model::PassShape& mean) {
  return {{"mean-prompt-tokens", mean.prompt_tokens},
          {"mean-reply-tokens", mean.reply_tokens},
          {"mean-patches", mean.patches}};
}

model::PassShape shape_of(const EncodedStudy& study) {
  model::PassShape shape{.prompt_tokens = static_cast<int64_t>(study.prompt.size()),
                         .reply_tokens = static_cast<int64_t>(study.reply.size())};
  for (const SizedImage& image : study.images) shape.patches += image.grid.patches();
  return shape;
}

int64_t resident_bytes_at_work(bool trains) {
  run_tiny_model(trains);
  return resident_bytes() + kCompiledBytes;
}

void warn_of_missing_weights(Logger& log, const std::filesystem::path& folder) {
  if (has_weights(folder)) return;
  log.warning("'{}' has no weights: their sizes are those of its config.json",
              model::base_folder(folder).string());
}

int64_t weight_bytes(const std::filesystem::path& folder, const std::string& dtype) {
  const std::filesystem::path base = model::base_folder(folder);
  const model::ModelConfig config = model::load_config(base / "config.json");
  if (!has_weights(folder)) {
    const int64_t item = held_item(dtype == "auto" ? config.dtype : dtype, 4);
    return item * model::count_values(model::expected_parameters(config));
  }
  const model::Parameters stored = model::load_checkpoint(
      base, config, {std::nullopt, at::kCPU, /*map=*/true});  // all is there, nothing is read
  int64_t bytes = 0;
  for (const auto& [name, tensor] : stored)
    bytes += tensor.numel() * held_item(dtype, static_cast<int64_t>(tensor.element_size()));
  return bytes;
}

}  // namespace unirg::policy
