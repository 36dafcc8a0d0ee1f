// Training on a GPU against the CPU: loss and gradients, the optimiser's step, and whole runs.
// SPDX-License-Identifier: Apache-2.0
#include "cuda.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <map>

#include "io/atomic_file.h"
#include "temp_folder.h"
#include "tiny_policy.h"
#include "train/losses.h"
#include "train/optimizer.h"
#include "train/probe.h"
#include "train/score_rows.h"
#include "train/sft.h"
#include "train/sft_loop.h"
#include "train/trainable.h"

namespace unirg::train {
namespace {

using testing::Cuda;
using testing::difference;
using testing::placed;

constexpr double kFloat32 = 1e-4;          ///< of the largest value of a gradient
constexpr int64_t kChunkValues = 272 * 3;  ///< three rows of the vocabulary at a time

struct Setting {
  const char* name;
  int64_t lora_rank = 0;
  double dropout = 0;
  bool recompute = false;
  at::ScalarType base = at::kFloat;
};
std::ostream& operator<<(std::ostream& out, const Setting& setting) { return out << setting.name; }

/// The loss of replies to two prompts, and all it trains.
struct Problem {
  model::Qwen3VL model;
  std::vector<std::string> names;
  std::vector<Tensor> leaves;
};

class CudaGradients : public Cuda, public ::testing::WithParamInterface<Setting> {
 protected:
  void SetUp() override {
    Cuda::SetUp();
    if (IsSkipped()) return;
    at::manual_seed(1);
    pixels = at::randn({16, config.vision.patch_values()});
  }

  [[nodiscard]] Problem problem(const at::Device& device) const {
    const Setting& s = GetParam();
    const model::Parameters weights =
        model::random_parameters(model::expected_parameters(config), 1, 0.2);
    Problem p{model::bind_model(config, placed(weights, device, s.base)), {}, {}};
    prepare_adapter(
        p.model,
        {.lora_rank = s.lora_rank, .lora_dropout = s.dropout, .lora_targets = {"all-linear"}},
        "base", 2);
    for (auto& [name, tensor] :
         p.model.parameters) {  // B is zero at first: A would get no gradient
      if (name.ends_with("lora_B.weight"))
        tensor = model::random_parameters({{name, tensor.sizes().vec()}}, 3, 0.1)
                     .at(name)
                     .to(tensor.device());
    }
    p.names = trained_names(p.model, {});
    p.leaves = make_leaves(p.model, p.names);
    return p;
  }

  [[nodiscard]] Tensor loss(const Problem& p) const {
    const std::vector<model::PromptTokens> prompts{
        {{259, 261, 261, 261, 261, 260, 65, 66, 67}, {{4, 4}}, pixels}, {{70, 71}, {}, {}}};
    const std::vector<std::vector<std::vector<int64_t>>> replies{{{67, 10, 11, 12}, {67, 13}},
                                                                 {{71, 14, 15}, {71, 16}}};
    const Setting& s = GetParam();
    const Tensor hidden = model::forward_replies(p.model, prompts, replies,
                                                 {{.p = s.dropout, .seed = 7}, s.recompute})
                              .flatten(0, 2);
    const auto rows = at::tensor({0, 1, 2, 3, 4, 5, 8, 9, 10, 12, 13}, at::kLong);
    const auto targets = at::tensor({10, 11, 12, 20, 13, 20, 14, 15, 20, 16, 20}, at::kLong);
    const TokenScores scores =
        token_scores(hidden.index_select(0, rows.to(hidden.device())), p.model.text.head,
                     targets.to(hidden.device()), {.chunk_values = kChunkValues});
    return -scores.logprobs.mean();
  }

  /// Zero where the loss does not reach: what comes after the prompt's last keys and values.
  static std::vector<Tensor> gradients(const Tensor& loss, const Problem& p) {
    auto found = torch::autograd::grad({loss}, p.leaves, {}, std::nullopt, false,
                                       /*allow_unused=*/true);
    for (size_t i = 0; i < found.size(); ++i) {
      if (!found[i].defined()) found[i] = at::zeros_like(p.leaves[i]);
    }
    return found;
  }

  const model::ModelConfig config = testing::tiny_policy_config();
  Tensor pixels;
};

TEST_P(CudaGradients, loss_and_every_gradient_agree_with_the_cpu) {
  const Problem cpu = problem(at::kCPU);
  const Problem there = problem(gpu);
  const Tensor expected_loss = loss(cpu);
  const Tensor found_loss = loss(there);
  const bool half = GetParam().base == at::kBFloat16;
  // Two devices round to bfloat16 at different places: there the direction has to agree.
  EXPECT_LT(difference("loss", found_loss, expected_loss), half ? 2e-2 : 1e-5);
  const auto expected = gradients(expected_loss, cpu);
  const auto found = gradients(found_loss, there);
  double worst = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const std::string& name = cpu.names[i];
    const double gap = difference(name, found[i], expected[i]);
    worst = std::max(worst, gap);
    // Keys take no bias from queries: what is zero but for rounding has no relative size.
    const bool is_noise = expected[i].abs().max().item<double>() < 1e-6;
    if (!is_noise) {
      EXPECT_LT(gap, half ? 0.3 : kFloat32) << name;
    }
  }
  RecordProperty("worst", fmt::format("{:.2e}", worst));
}

TEST_P(CudaGradients, are_the_same_bits_each_time) {
  const Problem there = problem(gpu);
  const auto once = gradients(loss(there), there);
  const auto again = gradients(loss(there), there);
  for (size_t i = 0; i < once.size(); ++i) EXPECT_TRUE(once[i].equal(again[i])) << there.names[i];
}

INSTANTIATE_TEST_SUITE_P(
    Settings, CudaGradients,
    ::testing::Values(
        Setting{.name = "full"}, Setting{.name = "recomputed", .recompute = true},
        Setting{.name = "bfloat16", .base = at::kBFloat16},
        Setting{.name = "adapter", .lora_rank = 3, .dropout = 0.2},
        Setting{.name = "recomputed_adapter", .lora_rank = 3, .dropout = 0.2, .recompute = true},
        Setting{.name = "adapter_on_bfloat16",
                .lora_rank = 3,
                .recompute = true,
                .base = at::kBFloat16}));

class CudaScores : public Cuda {
 protected:
  /// Of 7 rows of 515 logits, by LibTorch's operators in float64 on the CPU.
  struct Expected {
    Tensor logprobs, entropy, best, to_hidden, to_head;
  };
  static constexpr double kTemperature = 0.7;
  CudaScores() {
    at::manual_seed(4);
    hidden = at::randn({7, 16});
    head = at::randn({515, 16});
    upstream = at::randn({7});
    of_entropy = at::randn({7});
    targets = at::tensor({0, 514, 3, 3, 100, 7, 256}, at::kLong);
  }
  [[nodiscard]] Expected expected() const {
    const Tensor h = hidden.to(at::kDouble).requires_grad_(true);
    const Tensor w = head.to(at::kDouble).requires_grad_(true);
    const Tensor all = at::log_softmax(at::linear(h, w) / kTemperature, -1);
    const Tensor chosen = all.gather(1, targets.unsqueeze(1)).squeeze(1);
    const Tensor entropy = -(all.exp() * all).sum(-1);
    const auto back =
        torch::autograd::grad({(chosen * upstream + entropy * of_entropy).sum()}, {h, w});
    return {chosen, entropy, all.argmax(-1), back[0], back[1]};
  }
  Tensor hidden, head, upstream, of_entropy, targets;
};

TEST_F(CudaScores, agree_with_float64_in_one_chunk_and_in_many) {
  const Expected wanted = expected();
  for (const int64_t chunk_values : {int64_t{515 * 2}, int64_t{1} << 24}) {
    const Tensor h = hidden.to(gpu).requires_grad_(true);
    const Tensor w = head.to(gpu).requires_grad_(true);
    const TokenScores s = token_scores(
        h, w, targets.to(gpu),
        {.temperature = kTemperature, .entropy = true, .best = true, .chunk_values = chunk_values});
    EXPECT_LT(difference("logprobs", s.logprobs, wanted.logprobs), 1e-5);
    EXPECT_LT(difference("entropy", s.entropy, wanted.entropy), 1e-5);
    EXPECT_TRUE(s.best.cpu().equal(wanted.best));
    const auto back = torch::autograd::grad(
        {(s.logprobs * upstream.to(gpu) + s.entropy * of_entropy.to(gpu)).sum()}, {h, w});
    EXPECT_LT(difference("hidden", back[0], wanted.to_hidden), 1e-5);
    EXPECT_LT(difference("head", back[1], wanted.to_head), 1e-5);
  }
}

TEST_F(CudaScores, of_bfloat16_are_those_of_the_rounded_logits_and_the_same_bits_each_time) {
  const Tensor h = hidden.to(gpu).to(at::kBFloat16).requires_grad_(true);
  const Tensor w = head.to(gpu).to(at::kBFloat16);
  const Tensor logits = at::linear(h, w).cpu().to(at::kDouble);
  const Tensor all = at::log_softmax(logits, -1);
  const auto score = [&] { return token_scores(h, w, targets.to(gpu), {.entropy = true}); };
  const TokenScores once = score();
  EXPECT_LT(difference("logprobs", once.logprobs, all.gather(1, targets.unsqueeze(1)).squeeze(1)),
            1e-5);
  EXPECT_LT(difference("entropy", once.entropy, -(all.exp() * all).sum(-1)), 1e-5);
  const TokenScores again = score();
  EXPECT_TRUE(once.logprobs.equal(again.logprobs));
  EXPECT_TRUE(once.entropy.equal(again.entropy));
  EXPECT_TRUE(torch::autograd::grad({once.logprobs.sum()}, {h})[0].equal(
      torch::autograd::grad({again.logprobs.sum()}, {h})[0]));
}

TEST_F(CudaScores, come_from_one_kernel) {
  EXPECT_TRUE(have_score_rows(hidden.to(gpu)));
  EXPECT_FALSE(have_score_rows(hidden));
  EXPECT_FALSE(have_score_rows(hidden.to(gpu).t())) << "not contiguous";
}

class CudaOptimizer : public Cuda {};

TEST_F(CudaOptimizer, clipping_and_three_steps_agree) {
  at::manual_seed(2);
  const Parameters weights{
      {"a", at::randn({70, 30})}, {"b", at::randn({30})}, {"c", at::randn({1})}};
  const std::vector<std::string> names{"a", "b", "c"};
  Parameters cpu = placed(weights, at::kCPU);
  Parameters there = placed(weights, gpu);
  for (auto& [name, tensor] : cpu) tensor = tensor.clone();
  AdamWState state;
  AdamWState state_there;
  for (int step = 0; step < 3; ++step) {
    std::vector<Tensor> gradients;
    std::vector<Tensor> gradients_there;
    for (const std::string& name : names) {
      gradients.push_back(at::randn(weights.at(name).sizes()));
      gradients_there.push_back(gradients.back().to(gpu));
    }
    const double norm = clip_gradients(gradients, 5.0);
    EXPECT_NEAR(clip_gradients(gradients_there, 5.0), norm, 1e-6 * norm);
    adamw_step({.beta2 = 0.98}, 1e-2, names, cpu, gradients, state);
    adamw_step({.beta2 = 0.98}, 1e-2, names, there, gradients_there, state_there);
  }
  for (const std::string& name : names) {
    EXPECT_LT(difference(name, there.at(name), cpu.at(name)), 1e-6);
    EXPECT_LT(difference("first." + name, state_there.first.at(name), state.first.at(name)), 1e-6);
    EXPECT_LT(difference("second." + name, state_there.second.at(name), state.second.at(name)),
              1e-6);
  }
}

class CudaSft : public Cuda {
 protected:
  CudaSft() {
    testing::write_checkpoint(folder.path() / "base", 1);
    job.base = folder.path() / "base";
    for (int64_t i = 0; i < 6; ++i)
      job.train.push_back(
          testing::encoded_study(std::to_string(i), i, "Report:", i % 2 ? "Clear." : "Effusion."));
    job.validation = {job.train[0], job.train[1], job.train[2]};
    job.options.batch_size = 4;
    job.options.micro_batch = 2;
    job.options.epochs = 2;
    job.options.brightness = 0.1;
    job.options.schedule = {.learning_rate = 1e-3, .warmup_steps = 1};
  }
  void ask_for_labels() {
    job.options.objective = "labels";
    job.train_labels = {{"a", "b"}, {{1, 0}, {0, 1}, {1, -1}, {0, 0}, {1, 1}, {0, 1}}};
    job.validation_labels = {{"a", "b"}, {{1, 0}, {0, 1}, {1, -1}}};
  }
  /// Runs on `device`. \returns the bytes of weights and metrics
  std::string run(const std::string& device, const std::string& name) {
    job.device = device;
    job.output = folder.path() / name;
    Logger log("test", LogLevel::error);
    const cli::StopFlag stop;
    io::RunRecord record("test", {}, {});
    cli::Context context{log, stop, record};
    distributed::World world;
    EXPECT_EQ(run_sft(job, policy::ReportWriter(job.base, {}), world, context), Exit::ok);
    const bool adapter = std::filesystem::exists(job.output / "last/adapter_model.safetensors");
    return io::read_file(job.output / "last" /
                         (adapter ? "adapter_model.safetensors" : "model.safetensors")) +
           io::read_file(job.output / "metrics.jsonl");
  }
  /// Largest relative difference of any number in two runs' metrics.
  [[nodiscard]] double gap(const std::string& a, const std::string& b) const {
    io::JsonlReader first(folder.path() / a / "metrics.jsonl");
    io::JsonlReader second(folder.path() / b / "metrics.jsonl");
    double worst = 0;
    int lines = 0;
    while (const auto one = first.next()) {
      const auto other = second.next();
      EXPECT_TRUE(other.has_value());
      if (!other) return std::numeric_limits<double>::infinity();
      for (const auto& [key, value] : (*one)->object.items()) {
        if (!value.is_number()) continue;
        const double x = value.get<double>();
        const double y = (*other)->object.at(key).get<double>();
        worst = std::max(worst, std::abs(x - y) / std::max(1e-2, std::abs(y)));
      }
      ++lines;
    }
    EXPECT_GT(lines, 0);
    RecordProperty("metrics", fmt::format("{:.2e}", worst));
    return worst;
  }

  testing::TempFolder folder;
  SftJob job;
};

TEST_F(CudaSft, a_run_agrees_with_the_cpu) {
  run("cuda", "there");
  run("cpu", "here");
  EXPECT_LT(gap("there", "here"), 1e-3);
}

TEST_F(CudaSft, a_run_gives_the_same_bytes_each_time_and_at_any_thread_count) {
  const std::string once = run("cuda", "once");
  EXPECT_EQ(run("cuda", "again"), once);
  job.threads = 3;
  EXPECT_EQ(run("cuda", "threads"), once);
}

TEST_F(CudaSft, an_adapter_is_trained_and_goes_on_from_its_file) {
  job.options.trainable = {
      .lora_rank = 2, .lora_dropout = 0.2, .lora_targets = {"all-linear"}, .recompute = true};
  run("cuda", "there");
  run("cpu", "here");
  EXPECT_LT(gap("there", "here"), 1e-3);
  job.options.trainable.lora_rank = 0;
  job.base = folder.path() / "there/best";
  EXPECT_FALSE(run("cuda", "further").empty());
}

TEST_F(CudaSft, the_labels_objective_agrees_with_the_cpu) {
  ask_for_labels();
  const std::string once = run("cuda", "there");
  EXPECT_EQ(run("cuda", "again"), once);
  run("cpu", "here");
  EXPECT_LT(gap("there", "here"), 1e-3);
}

class CudaProbe : public Cuda {};

TEST_F(CudaProbe, every_output_of_a_request_agrees) {
  const testing::TempFolder folder;
  testing::write_checkpoint(folder.path(), 1);
  const io::Json request = {{"text", "Report:"},
                            {"reply", "Clear."},
                            {"greedy", 5},
                            {"gradients", true},
                            {"adamw", {{"steps", 3}, {"learning_rate", 1e-3}}}};
  const model::Qwen3VL cpu = model::load_model(folder.path(), "cpu", "float32");
  const model::Qwen3VL there = model::load_model(folder.path(), "cuda", "float32");
  const Probe probe = read_probe(request, folder.path(), cpu.config);
  const Parameters expected = run_probe(cpu, probe);
  for (const auto& [name, tensor] : run_probe(there, probe)) {
    const double gap = difference(name, tensor.to(gpu), expected.at(name));
    // AdamW's first steps have the size of the rate whatever the gradient's: noise is stepped on.
    EXPECT_LT(gap, name.starts_with("after.") ? 2e-2 : 1e-3) << name;
  }
}

}  // namespace
}  // namespace unirg::train
