// SPDX-License-Identifier: Apache-2.0
#include "train/checkpoint.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "io/atomic_file.h"
#include "temp_folder.h"
#include "tiny_policy.h"

namespace unirg::train {
namespace {

namespace fs = std::filesystem;

class Checkpoint : public ::testing::Test {
 protected:
  Checkpoint() {
    testing::write_checkpoint(base, 1);
    io::write_file(base / "notes.txt", "kept");
    io::write_file(base / "run.json", "of another run");
    io::make_folders(base / "training_state");
    io::write_file(base / "training_state/state.json", "of another run");
    model = model::load_model(base, "cpu", "float32");
  }
  std::string save(const std::string& name, const std::optional<TrainingState>& state,
                   const Parameters& extra = {}) const {
    return save_checkpoint(folder.path() / name, base, model, io::RunRecord("test", {}, {}), state,
                           extra);
  }
  void expect_damaged(const fs::path& checkpoint) const {
    try {
      (void)load_training_state(checkpoint);
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(e.exit(), Exit::data);
      EXPECT_NE(std::string(e.what()).find("training_state"), std::string::npos) << e.what();
    }
  }

  testing::TempFolder folder;
  fs::path base = folder.path() / "base";
  model::Qwen3VL model;
};

TrainingState example_state() {
  TrainingState state;
  state.optimizer.step = 7;
  for (const char* name : {"first.looking.name", "w"}) {  // a name that begins like a prefix
    state.optimizer.first[name] = at::randn({3, 2});
    state.optimizer.second[name] = at::randn({3, 2});
  }
  state.progress = {{"step", 12}, {"best", 0.1}, {"metrics", "{}\n"}, {"none", nullptr}};
  return state;
}

TEST_F(Checkpoint, training_state_comes_back_bit_for_bit) {
  const TrainingState state = example_state();
  save("a", state, {{"head", at::randn({2})}});
  const auto back = load_training_state(folder.path() / "a");
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->optimizer.step, 7);
  EXPECT_EQ(back->progress.dump(), state.progress.dump());
  ASSERT_EQ(back->optimizer.first.size(), 2);
  ASSERT_EQ(back->optimizer.second.size(), 2);
  for (const auto& [name, tensor] : state.optimizer.first)
    EXPECT_TRUE(at::equal(back->optimizer.first.at(name), tensor)) << name;
  for (const auto& [name, tensor] : state.optimizer.second)
    EXPECT_TRUE(at::equal(back->optimizer.second.at(name), tensor)) << name;
  EXPECT_EQ(model::load_tensors(folder.path() / "a/training_state/extra.safetensors").size(), 1);
}

TEST_F(Checkpoint, holds_config_weights_and_the_base_s_other_files) {
  model.parameters.at("model.language_model.norm.weight").fill_(3.0);
  save("a", std::nullopt);
  const fs::path made = folder.path() / "a";
  const model::Qwen3VL back = model::load_model(made, "cpu", "float32");
  for (const auto& [name, tensor] : model.parameters)
    EXPECT_TRUE(at::equal(back.parameters.at(name), tensor)) << name;
  for (const char* name : {"tokenizer.json", "preprocessor_config.json", "generation_config.json",
                           "chat_template.jinja", "notes.txt"}) {
    EXPECT_EQ(io::read_file(made / name), io::read_file(base / name)) << name;
  }
  EXPECT_TRUE(fs::exists(made / "DONE"));
  EXPECT_NE(io::read_file(made / "run.json"), "of another run");
  EXPECT_FALSE(fs::exists(made / "training_state")) << "the base's state is not this run's";
  EXPECT_FALSE(load_training_state(made).has_value());
}

TEST_F(Checkpoint, digest_names_the_weights_and_not_the_state) {
  const std::string plain = save("a", std::nullopt);
  EXPECT_EQ(plain, io::digest_path(folder.path() / "a"));
  EXPECT_EQ(save("b", example_state()), plain);
  model.parameters.at("model.language_model.norm.weight").fill_(3.0);
  EXPECT_NE(save("c", std::nullopt), plain);
}

TEST_F(Checkpoint, a_damaged_training_state_is_bad_data) {
  save("a", example_state());
  const fs::path state = folder.path() / "a/training_state/state.json";
  const std::string whole = io::read_file(state);
  for (const char* text : {"", "[]", "{\"optimizer_step\": 1}",
                           "{\"optimizer_step\": \"1\", \"progress\": {}}", "{\"progress\": {}}"}) {
    io::write_file(state, text);
    expect_damaged(folder.path() / "a");
  }
  io::write_file(state, whole);
  const fs::path moments = folder.path() / "a/training_state/moments.safetensors";
  const std::string bytes = io::read_file(moments);
  io::write_file(moments, bytes.substr(0, bytes.size() - 4));
  expect_damaged(folder.path() / "a");
}

}  // namespace
}  // namespace unirg::train
