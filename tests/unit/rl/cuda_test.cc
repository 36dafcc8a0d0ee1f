// Sampling and the update that follows on a GPU, against the update on the CPU.
// SPDX-License-Identifier: Apache-2.0
#include "cuda.h"

#include <cmath>

#include "io/atomic_file.h"
#include "policy/sampler.h"
#include "rl/update.h"
#include "temp_folder.h"
#include "tiny_policy.h"
#include "train/checkpoint.h"

namespace unirg::rl {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSamples = 4;

class CudaUpdate : public testing::Cuda {
 protected:
  CudaUpdate() {
    testing::write_checkpoint(policy, 1);
    testing::write_checkpoint(reference, 2);
    for (int64_t i = 0; i < 3; ++i)
      studies.push_back(
          testing::encoded_study(std::to_string(i), i, "Report " + std::to_string(i) + ":", ""));
  }

  /// Replies drawn on the GPU; the reward counts their even tokens.
  [[nodiscard]] RolloutBatch rollouts() const {
    const policy::ReportWriter writer(policy, {});
    const model::Qwen3VL model = model::load_model(policy, "cuda", "float32");
    std::vector<data::Generation> all;
    std::vector<data::Reward> rewards;
    for (const policy::EncodedStudy& study : studies) {
      const auto replies =
          sample_replies(model, writer.materialise(study), study.study_id, writer.rules(),
                         {.max_new_tokens = 12, .samples = kSamples, .seed = 5});
      for (int64_t s = 0; s < kSamples; ++s) {
        const policy::Reply& reply = replies[static_cast<size_t>(s)];
        all.push_back(writer.generation(study, reply, s));
        all.back().policy = "p";
        data::Reward reward;
        reward.study_id = study.study_id;
        reward.sample = s;
        for (const int64_t token : reply.tokens) reward.reward += token % 2 == 0 ? 1 : 0;
        rewards.push_back(reward);
      }
    }
    return join_rollouts(std::move(all), rewards, "p", {});
  }

  [[nodiscard]] UpdateJob job() const {
    UpdateJob job;
    job.batch = rollouts();
    job.studies = studies;
    job.policy = policy;
    return job;
  }

  /// Runs it on `device` into a folder of that name. \returns its first line of metrics
  io::Json run(UpdateJob job, const std::string& device, const std::string& name) {
    job.device = device;
    job.output = folder.path() / name;
    Logger log("test", LogLevel::error);
    const cli::StopFlag stop;
    io::RunRecord record("test", {}, {});
    cli::Context context{log, stop, record};
    distributed::World world;
    EXPECT_EQ(run_update(job, policy::ReportWriter(policy, {}), world, context), Exit::ok);
    io::JsonlReader reader(job.output.string() + ".metrics.jsonl");
    return (*reader.next())->object;
  }

  /// Metrics, and the moments, which hold the gradients.
  void expect_agreement(const io::Json& found, const io::Json& expected) {
    for (const char* key : {"loss", "ratio", "clipped_low", "clipped_high", "kl", "entropy",
                            "grad_norm", "learning_rate"}) {
      const double x = found.at(key).get<double>();
      const double y = expected.at(key).get<double>();
      RecordProperty(key, fmt::format("{:.2e}", std::abs(x - y)));
      EXPECT_NEAR(x, y, 1e-4 * std::max(0.1, std::abs(y))) << key;
    }
    const auto there = train::load_training_state(folder.path() / "there");
    const auto here = train::load_training_state(folder.path() / "here");
    ASSERT_TRUE(there && here);
    for (const auto& [name, moment] : here->optimizer.first) {
      if (moment.abs().max().item<double>() < 1e-7) continue;  // rounding alone
      EXPECT_LT(testing::difference(name, there->optimizer.first.at(name).to(gpu), moment), 1e-3)
          << name;
    }
  }

  testing::TempFolder folder;
  fs::path policy = folder.path() / "policy";
  fs::path reference = folder.path() / "reference";
  std::vector<policy::EncodedStudy> studies;
};

/// The default --max-logprob-gap holds: trainer and sampler agree on one device.
TEST_F(CudaUpdate, a_step_with_a_reference_agrees_with_the_cpu) {
  UpdateJob update = job();
  update.options.loss.kl_coefficient = 0.05;
  update.reference = reference;
  const io::Json found = run(update, "cuda", "there");
  EXPECT_LT(found.at("max_logprob_gap").get<double>(), 1e-4);
  RecordProperty("max_logprob_gap", fmt::format("{}", found.at("max_logprob_gap").get<double>()));
  expect_agreement(found, run(update, "cpu", "here"));
}

TEST_F(CudaUpdate, an_adapter_against_its_base_agrees_with_the_cpu) {
  UpdateJob update = job();
  update.options.loss.kl_coefficient = 0.05;
  update.options.trainable = {.lora_rank = 3, .recompute = true};
  update.options.epochs = 2;
  expect_agreement(run(update, "cuda", "there"), run(update, "cpu", "here"));
}

TEST_F(CudaUpdate, gives_the_same_bytes_each_time_and_at_any_thread_count) {
  UpdateJob update = job();
  run(update, "cuda", "once");
  update.threads = 3;
  run(update, "cuda", "again");
  EXPECT_EQ(io::read_file(folder.path() / "again/model.safetensors"),
            io::read_file(folder.path() / "once/model.safetensors"));
}

}  // namespace
}  // namespace unirg::rl
