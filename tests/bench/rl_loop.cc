// rl_loop MODE NAME=VALUE...: how long decoding, an SFT step and a whole GRPO step take, in memory,
// at the sizes of the peers' scripts (rl_bench.py): a random Qwen3-VL of 7.6 million parameters, a
// picture of 224 x 224 and some words, replies of 64 tokens that do not end early.
//   MODE generate  G replies to one prompt
//        sft       a step on a batch: forward, cross-entropy of the reply, backward, clip, AdamW
//        grpo      rollouts of some prompts, a reward, reference log-probabilities, one update
//   NAME threads, warmup, repeats, text (words of the prompt), image (0: none), and
//        folder: a place for the checkpoint
// Prints JSON: wall and CPU seconds of each repeat, FLOPs that the work needs, the rate of a plain
// matrix product before and after, the peak of memory.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <exception>
#include <functional>
#include <map>
#include <numeric>
#include <set>

#include "base/parallel.h"
#include "base/rng.h"
#include "model/checkpoint_tensors.h"
#include "model/cost.h"
#include "policy/checkpoint_files.h"
#include "policy/sampler.h"
#include "rl/policy_trainer.h"
#include "text/tokenizer_train.h"
#include "train/sft.h"

namespace {

using namespace unirg;
using io::Json;

constexpr int64_t kVocabulary = 4000;
constexpr int64_t kReplyTokens = 64;
constexpr int64_t kGroup = 8;
constexpr int64_t kPrompts = 2;  // of a GRPO step
constexpr int64_t kBatch = 8;    // of an SFT step

model::ModelConfig config_of(const text::Tokenizer& tokenizer) {
  model::ModelConfig c;
  c.vision = {.depth = 4,
              .hidden_size = 128,
              .intermediate_size = 512,
              .num_heads = 4,
              .num_position_embeddings = 256,
              .out_hidden_size = 256,
              .deepstack_visual_indexes = {0, 1, 2}};
  c.text = {.hidden_size = 256,
            .intermediate_size = 1024,
            .num_hidden_layers = 4,
            .num_attention_heads = 4,
            .num_key_value_heads = 2,
            .head_dim = 64,
            .max_position_embeddings = 4096,
            .mrope_section = {16, 8, 8},
            .tie_word_embeddings = true};
  policy::set_token_ids(c, tokenizer);
  c.text.vocab_size = kVocabulary;
  return c;
}

struct Options {
  int threads = 1;
  int64_t warmup = 1;
  int64_t repeats = 5;
  int64_t text = 32;
  int64_t image = 224;
  std::string folder;
};

/// The model, and studies of random words and noise.
struct Bench {
  explicit Bench(const Options& o)
      : options(o),
        tokenizer(text::train_bpe({}, 256 + 7)),
        config(config_of(tokenizer)),
        writer(checkpoint(), {}),
        parameters(model::random_parameters(model::expected_parameters(config), 0, 0.02)) {
    rules.allowed.assign(kVocabulary, true);
    for (const text::AddedToken& token : tokenizer.added())
      rules.allowed[static_cast<size_t>(token.id)] = false;
  }

  [[nodiscard]] model::Qwen3VL model() const {
    model::Parameters copies;
    for (const auto& [name, tensor] : parameters) copies[name] = tensor.clone();
    return model::bind_model(config, std::move(copies));
  }
  [[nodiscard]] policy::EncodedStudy study(uint64_t seed, int64_t reply) const;
  [[nodiscard]] model::PassShape shape(int64_t replies, int64_t reply_tokens) const;

  const Options& options;
  text::Tokenizer tokenizer;
  model::ModelConfig config;
  policy::ReportWriter writer;
  model::Parameters parameters;
  policy::TokenRules rules;

 private:
  [[nodiscard]] std::filesystem::path checkpoint() const {
    policy::write_checkpoint_files(options.folder, config, tokenizer, {});
    return options.folder;
  }
};

policy::EncodedStudy Bench::study(uint64_t seed, int64_t reply) const {
  Rng rng(seed, "bench");
  const auto word = [&] { return 300 + static_cast<int64_t>(rng.next_u32() % 3600U); };
  policy::EncodedStudy study{std::to_string(seed), {}, {}, {}};
  if (options.image > 0) {
    const int64_t side = options.image;
    image::Image8 picture{side, side, 1, {}};
    for (int64_t i = 0; i < side * side; ++i)
      picture.pixels.push_back(static_cast<uint8_t>(rng.next_u32() >> 24U));
    const int64_t rows = side / config.vision.patch_size;
    study.prompt.push_back(config.vision_start_token_id);
    study.prompt.insert(study.prompt.end(),
                        static_cast<size_t>(rows * rows / config.vision.merged_patches()),
                        config.image_token_id);
    study.prompt.push_back(config.vision_end_token_id);
    study.images.push_back({std::move(picture), {rows, rows}});
  }
  for (int64_t i = 0; i < options.text; ++i) study.prompt.push_back(word());
  for (int64_t i = 0; i < reply; ++i) study.reply.push_back(word());
  return study;
}

model::PassShape Bench::shape(int64_t replies, int64_t reply_tokens) const {
  const policy::EncodedStudy one = study(0, 0);
  model::PassShape shape{.replies = replies,
                         .prompt_tokens = static_cast<int64_t>(one.prompt.size()),
                         .reply_tokens = reply_tokens};
  for (const policy::SizedImage& image : one.images) shape.patches += image.grid.patches();
  return shape;
}

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }
double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// GFLOP/s of a square product, as peer_common.py measures it.
double gemm_rate(int threads) {
  constexpr int64_t n = 2048;
  at::set_num_threads(threads);
  const at::Tensor a = at::randn({n, n});
  const at::Tensor b = at::randn({n, n});
  std::vector<double> rates;
  for (int i = 0; i < 6; ++i) {
    const double begin = wall_seconds();
    (void)at::mm(a, b);
    rates.push_back(2.0 * n * n * n / (wall_seconds() - begin) / 1e9);
  }
  rates.erase(rates.begin());
  std::nth_element(rates.begin(), rates.begin() + 2, rates.end());
  train::use_one_intra_op_thread();
  return rates[2];
}

/// A measured piece of work and the stages it went through.
using Stages = std::map<std::string, double>;

void measure(const Options& options, double flops, double tokens,
             const std::function<Stages()>& work) {
  Json gemm = {gemm_rate(options.threads)};
  Json wall = Json::array(), cpu = Json::array(), stages = Json::array();
  for (int64_t i = 0; i < options.warmup + options.repeats; ++i) {
    const double wall_begin = wall_seconds(), cpu_begin = cpu_seconds();
    const Stages took = work();
    if (i < options.warmup) continue;
    wall.push_back(wall_seconds() - wall_begin);
    cpu.push_back(cpu_seconds() - cpu_begin);
    stages.push_back(took);
  }
  gemm.push_back(gemm_rate(options.threads));
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  fmt::print("{}\n", Json{{"wall", wall},
                          {"cpu", cpu},
                          {"stages", stages},
                          {"gflop", flops / 1e9},
                          {"tokens", tokens},
                          {"gemm_gflops", gemm},
                          {"threads", options.threads},
                          {"peak_rss_mib", static_cast<double>(usage.ru_maxrss) / 1024.0}}
                         .dump());
}

std::vector<policy::Reply> rollouts(const Bench& bench, const model::Qwen3VL& model,
                                    const policy::EncodedStudy& study, uint64_t seed) {
  const policy::DecodeOptions decode{
      .max_new_tokens = kReplyTokens, .samples = kGroup, .seed = seed};
  return policy::sample_replies(model, bench.writer.materialise(study), study.study_id, bench.rules,
                                decode);
}

void generate(const Bench& bench) {
  model::Qwen3VL model = bench.model();
  model::pack_weights(model);
  const policy::EncodedStudy study = bench.study(1, 0);
  uint64_t seed = 0;
  measure(bench.options, model::forward_flops(bench.config, bench.shape(kGroup, kReplyTokens)),
          kGroup * kReplyTokens, [&] {
            (void)rollouts(bench, model, study, ++seed);
            return Stages{};
          });
}

/// A model whose every weight is trained.
rl::TrainedPolicy trained(const Bench& bench) {
  rl::TrainedPolicy policy;
  policy.model = bench.model();
  policy.names = train::trained_names(policy.model, {});
  policy.leaves = train::make_leaves(policy.model, policy.names);
  return policy;
}

void sft(const Bench& bench) {
  rl::TrainedPolicy policy = trained(bench);
  std::vector<policy::EncodedStudy> studies;
  for (uint64_t i = 0; i < kBatch; ++i) studies.push_back(bench.study(i, kReplyTokens));
  std::vector<int64_t> batch(kBatch);
  std::iota(batch.begin(), batch.end(), int64_t{0});
  const auto units = train::micro_batches(studies, batch, kBatch / bench.options.threads);
  const double flops =
      3 * kBatch * model::forward_flops(bench.config, bench.shape(1, kReplyTokens));
  const double tokens =
      kBatch * static_cast<double>(studies[0].prompt.size() + studies[0].reply.size());
  measure(bench.options, flops, tokens, [&] {
    auto result = train::accumulate(
        policy.leaves, bench.options.threads, static_cast<int64_t>(units.size()), [&](int64_t i) {
          return train::sft_unit(policy.model, bench.writer, studies, units[static_cast<size_t>(i)],
                                 1.0 / (kBatch * kReplyTokens));
        });
    train::clip_gradients(result.gradients, 1.0);
    train::adamw_step({}, 1e-4, policy.names, policy.model.parameters, result.gradients,
                      policy.optimizer);
    return Stages{};
  });
}

/// Rollouts of every study with the peers' reward: the share of tokens that seven divides.
rl::RolloutBatch draw(const Bench& bench, const model::Qwen3VL& model,
                      const std::vector<policy::EncodedStudy>& studies, uint64_t seed) {
  std::vector<data::Generation> all;
  std::vector<data::Reward> rewards;
  ordered_parallel(
      bench.options.threads, static_cast<int64_t>(studies.size()),
      [&](int64_t i) {
        train::use_one_intra_op_thread();
        return rollouts(bench, model, studies[static_cast<size_t>(i)], seed);
      },
      [&](int64_t i, const std::vector<policy::Reply>& replies) {
        const policy::EncodedStudy& study = studies[static_cast<size_t>(i)];
        for (size_t s = 0; s < replies.size(); ++s) {
          data::Generation g;
          g.study_id = study.study_id;
          g.sample = static_cast<int64_t>(s);
          g.finish = "length";
          g.tokens = replies[s].tokens;
          g.logprobs = replies[s].logprobs;
          g.policy = "p";
          data::Reward reward;
          reward.study_id = study.study_id;
          reward.sample = g.sample;
          for (const int64_t token : g.tokens)
            reward.reward += (token % 7 == 0 ? 1.0 : 0.0) / static_cast<double>(g.tokens.size());
          all.push_back(std::move(g));
          rewards.push_back(std::move(reward));
        }
        return true;
      });
  return rl::join_rollouts(std::move(all), rewards, "p", {});
}

void grpo(const Bench& bench) {
  rl::TrainedPolicy policy = trained(bench);
  policy.reference = bench.model();
  policy.kl_coefficient = 0.04;
  rl::UpdateOptions options;
  options.loss.kl_coefficient = policy.kl_coefficient;
  options.schedule.learning_rate = 1e-6;
  std::vector<policy::EncodedStudy> studies;
  for (uint64_t i = 0; i < kPrompts; ++i) studies.push_back(bench.study(i, 0));
  // Rollouts, reference, and the step with gradients, which takes three times a forward pass.
  const double flops =
      kPrompts * 5 * model::forward_flops(bench.config, bench.shape(kGroup, kReplyTokens));
  uint64_t seed = 0;
  measure(bench.options, flops, kPrompts * kGroup * kReplyTokens, [&] {
    const double begin = wall_seconds();
    model::Qwen3VL sampler = model::bind_model(policy.model.config, policy.model.parameters);
    model::pack_weights(sampler);  // the weights change at every step
    rl::RolloutBatch batch = draw(bench, sampler, studies, ++seed);
    const double drawn = wall_seconds();
    distributed::World world;
    rl::PolicyTrainer trainer(options, bench.writer, bench.options.threads, batch, studies, policy,
                              world);
    (void)trainer.step({0, 1});
    return Stages{{"rollout", drawn - begin}, {"update", wall_seconds() - drawn}};
  });
}

Options parse(int argc, char** argv) {
  Options options;
  const std::map<std::string, std::function<void(const std::string&)>> known{
      {"threads", [&](const std::string& v) { options.threads = std::stoi(v); }},
      {"warmup", [&](const std::string& v) { options.warmup = std::stol(v); }},
      {"repeats", [&](const std::string& v) { options.repeats = std::stol(v); }},
      {"text", [&](const std::string& v) { options.text = std::stol(v); }},
      {"image", [&](const std::string& v) { options.image = std::stol(v); }},
      {"folder", [&](const std::string& v) { options.folder = v; }}};
  for (int i = 2; i < argc; ++i) {
    const std::string argument = argv[i];
    const size_t equals = std::min(argument.find('='), argument.size());
    known.at(argument.substr(0, equals))(argument.substr(equals + 1));
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::map<std::string, void (*)(const Bench&)> modes{
        {"generate", generate}, {"sft", sft}, {"grpo", grpo}};
    const Options options = parse(argc, argv);
    train::use_one_intra_op_thread();
    modes.at(argc > 1 ? argv[1] : "")(Bench(options));
    return 0;
  } catch (const std::exception& e) {
    fmt::print(stderr, "rl_loop: {}\n", e.what());
    return 1;
  }
}
