// SPDX-License-Identifier: Apache-2.0
#include "train/sft_loop.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include "io/atomic_file.h"
#include "temp_folder.h"
#include "tiny_policy.h"
#include "train/sft.h"

namespace unirg::train {
namespace {

class SftLoop : public ::testing::Test {
 protected:
  SftLoop() {
    testing::write_checkpoint(folder.path() / "base", 1);
    job.base = folder.path() / "base";
    job.output = folder.path() / "out";
    job.device = "cpu";
    for (int64_t i = 0; i < 4; ++i)
      job.train.push_back(
          testing::encoded_study(std::to_string(i), i, "Report:", i % 2 ? "Clear." : "Effusion."));
    job.validation = {job.train[0], job.train[1]};
    job.options.batch_size = 2;
    job.options.micro_batch = 1;
    job.options.epochs = 8;
    job.options.schedule = {.learning_rate = 3e-3, .warmup_steps = 2};
  }
  std::vector<io::Json> run() {
    Logger log("test", LogLevel::error);
    const cli::StopFlag stop;
    io::RunRecord record("test", {}, {});
    cli::Context context{log, stop, record};
    distributed::World world;
    EXPECT_EQ(run_sft(job, policy::ReportWriter(job.base, {}), world, context), Exit::ok);
    std::vector<io::Json> lines;
    io::JsonlReader reader(job.output / "metrics.jsonl");
    while (auto line = reader.next()) lines.push_back((*line)->object);
    return lines;
  }
  [[nodiscard]] model::Parameters weights(const std::filesystem::path& checkpoint) const {
    return model::load_tensors(checkpoint / "model.safetensors");
  }

  testing::TempFolder folder;
  SftJob job;
};

TEST_F(SftLoop, learns_its_studies_and_keeps_the_best_and_the_last_checkpoint) {
  const auto lines = run();
  ASSERT_EQ(lines.size(), 16 + 8) << "two steps and a validation an epoch";
  EXPECT_LT(lines[22].at("loss").get<double>(), 0.5 * lines[0].at("loss").get<double>());
  EXPECT_LT(lines[23].at("validation_loss").get<double>(),
            0.5 * lines[2].at("validation_loss").get<double>());
  double best = 1e9;
  for (const io::Json& line : lines) best = std::min(best, line.value("validation_loss", 1e9));
  const model::Qwen3VL model = model::load_model(job.output / "best", "cpu", "float32");
  const policy::ReportWriter writer(job.output / "best", {});
  distributed::World world;
  EXPECT_NEAR(evaluate(model, writer, job.validation, 1, 2, world).loss, best, 1e-5);
  EXPECT_TRUE(std::filesystem::exists(job.output / "last/training_state/state.json"));
  EXPECT_TRUE(std::filesystem::exists(job.output / "DONE"));
}

TEST_F(SftLoop, gives_the_same_weights_at_any_thread_count) {
  job.options.epochs = 2;
  job.options.brightness = 0.1;
  run();
  const std::string one = io::read_file(job.output / "best/model.safetensors") +
                          io::read_file(job.output / "metrics.jsonl");
  job.threads = 3;
  job.output = folder.path() / "other";
  run();
  EXPECT_EQ(io::read_file(job.output / "best/model.safetensors") +
                io::read_file(job.output / "metrics.jsonl"),
            one);
}

TEST_F(SftLoop, labels_objective_changes_the_vision_tower_and_leaves_the_language_tower) {
  job.options.objective = "labels";
  job.train_labels = {{"a", "b"}, {{1, 0}, {0, 1}, {1, 0}, {0, 1}}};
  job.validation_labels = {{"a", "b"}, {{1, 0}, {0, 1}}};
  const auto lines = run();
  EXPECT_LT(lines.back().at("validation_loss").get<double>(),
            0.5 * lines[2].at("validation_loss").get<double>());
  const auto before = weights(job.base);
  const auto after = weights(job.output / "last");
  ASSERT_EQ(after.size(), before.size()) << "the head is thrown away";
  for (const auto& [name, tensor] : before) {
    if (name.starts_with("model.language_model.")) {
      EXPECT_TRUE(at::equal(after.at(name), tensor)) << name;
    }
  }
  EXPECT_FALSE(at::equal(after.at("model.visual.merger.linear_fc2.weight"),
                         before.at("model.visual.merger.linear_fc2.weight")));
}

}  // namespace
}  // namespace unirg::train
