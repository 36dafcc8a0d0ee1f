// SPDX-License-Identifier: Apache-2.0
#include "train/labels.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "model/vision.h"
#include "temp_folder.h"
#include "tiny_policy.h"
#include "train/trainable.h"

namespace unirg::train {
namespace {

TEST(PositiveWeights, are_the_odds_against_between_1_and_5) {
  // shares of positives among the known: 2/4, 1/4, 1/8, 3/4, 0/4, 1/2 (two unknown)
  LabelTargets t{{"a", "b", "c", "d", "e", "f"}, {}};
  t.rows = {{1, 1, 1, 1, 0, 1}, {1, 0, 0, 1, 0, 0}, {0, 0, 0, 1, 0, -1}, {0, 0, 0, 0, 0, -1}};
  for (int i = 0; i < 4; ++i) t.rows.push_back({-1, -1, 0, -1, -1, -1});
  EXPECT_EQ(positive_weights(t), (std::vector<float>{1, 3, 5, 1, 1, 1}))
      << "7 is capped at 5, 1/3 raised to 1";
  EXPECT_EQ(label_count(t, {0, 1, 2, 3}), 22);
  EXPECT_EQ(label_count(t, {2, 4}), 6);
}

class Targets : public ::testing::Test {
 protected:
  static data::Study reporting(const std::string& findings) {
    data::Study study = testing::study("s");
    study.findings = findings;
    return study;
  }
  text::Labeler labeler{std::filesystem::path(UNIRG_SOURCE_DIR) / "share/lexicon/chest.yaml"};
};

TEST_F(Targets, are_the_positive_conditions_with_place_and_severity) {
  const data::Study edema = reporting("Mild edema.");
  const data::Study effusion = reporting("Left pleural effusion. No pneumothorax.");
  const data::Study clear = reporting("The lungs are clear.");
  const LabelTargets t = label_targets({&edema, &effusion, &clear}, labeler);
  EXPECT_EQ(t.names, (std::vector<std::string>{"Edema", "Edema severity mild", "Pleural Effusion",
                                               "Pleural Effusion left"}));
  EXPECT_EQ(t.rows, (std::vector<std::vector<float>>{{1, 1, 0, 0}, {0, 0, 1, 1}, {0, 0, 0, 0}}));
}

TEST_F(Targets, tell_the_kinds_of_devices_apart) {
  const data::Study study = reporting("A pacemaker is in place.");
  EXPECT_EQ(label_targets({&study}, labeler).names,
            (std::vector<std::string>{"Support Devices", "Support Devices pacemaker"}));
}

TEST_F(Targets, too_rare_ones_are_left_out_and_names_given_are_taken_as_they_are) {
  const data::Study edema = reporting("Edema.");
  const data::Study both = reporting("Edema. Pneumothorax.");
  const data::Study clear = reporting("The lungs are clear.");
  EXPECT_EQ(label_targets({&edema, &both, &clear}, labeler, {}, 0.5).names,
            std::vector<std::string>{"Edema"});
  const LabelTargets t = label_targets({&both, &clear}, labeler, {"Pneumothorax", "Fracture"}, 0.9);
  EXPECT_EQ(t.names, (std::vector<std::string>{"Pneumothorax", "Fracture"}));
  EXPECT_EQ(t.rows, (std::vector<std::vector<float>>{{1, 0}, {0, 0}}));
}

TEST_F(Targets, a_record_s_own_labels_win_and_uncertain_is_not_known) {
  data::Study study = reporting("Edema. Pneumothorax.");
  study.labels = {{"Edema", 0},
                  {"Pneumothorax", -1},
                  {"Fracture", 1},
                  {"Pneumonia", std::nullopt},
                  {"Cardiomegaly", 1}};
  const LabelTargets t =
      label_targets({&study}, labeler, {"Edema", "Pneumothorax", "Fracture", "Pneumonia"});
  EXPECT_EQ(t.rows, (std::vector<std::vector<float>>{{0, -1, 1, 0}}));
}

class LabelLoss : public ::testing::Test {
 protected:
  LabelLoss() {
    testing::write_checkpoint(folder.path(), 1);
    model = model::load_model(folder.path(), "cpu", "float32");
    writer.emplace(folder.path(), policy::PromptOptions{});
    for (int64_t i = 0; i < 3; ++i)
      studies.push_back(testing::encoded_study(std::to_string(i), i, "x", "y"));
    head = {normal_tensor({2, label_inputs(model, studies[0])}, 1, "weight", 0.1),
            normal_tensor({2}, 1, "bias", 0.1)};
  }
  /// What the head says of a study. \returns two logits
  [[nodiscard]] std::vector<double> logits(size_t i) const {
    const model::PromptTokens prompt = writer->materialise(studies[i]);
    const Tensor seen =
        model::vision_forward(model.config.vision, model.vision, prompt.pixels, prompt.grids)
            .tokens;
    const Tensor out = at::linear(seen.flatten(), head.weight, head.bias);
    return {out[0].item<double>(), out[1].item<double>()};
  }

  testing::TempFolder folder;
  model::Qwen3VL model;
  std::optional<policy::ReportWriter> writer;
  std::vector<policy::EncodedStudy> studies;
  LabelHead head;
  const LabelTargets targets{{"a", "b"}, {{1, 0}, {-1, 1}, {0, 0}}};
  const std::vector<float> weight{3, 1.5};
};

TEST_F(LabelLoss, is_the_weighted_cross_entropy_of_the_known_labels) {
  double loss = 0;
  Sums counts{{"correct", 0}, {"fn", 0}, {"fp", 0}, {"tp", 0}};
  for (size_t i = 0; i < 3; ++i) {
    const auto z = logits(i);
    for (size_t k = 0; k < 2; ++k) {
      const float y = targets.rows[i][k];
      if (y < 0) continue;
      const double p = 1 / (1 + std::exp(-z[k]));
      loss += y == 1 ? -weight[k] * std::log(p) : -std::log(1 - p);
      counts["correct"] += (p > 0.5) == (y == 1);
      counts["tp"] += p > 0.5 && y == 1;
      counts["fp"] += p > 0.5 && y == 0;
      counts["fn"] += p <= 0.5 && y == 1;
    }
  }
  const UnitLoss unit = label_unit(model, *writer, studies, targets, weight, {0, 1, 2}, head, 0.25);
  EXPECT_NEAR(unit.sums.at("loss"), loss, 1e-4);
  EXPECT_NEAR(unit.loss.item<double>(), 0.25 * loss, 1e-4);
  for (const auto& [name, count] : counts) EXPECT_EQ(unit.sums.at(name), count) << name;
  distributed::World world;
  const LabelEvaluation e =
      evaluate_labels(model, *writer, studies, targets, weight, head, 2, 2, world);
  EXPECT_NEAR(e.loss, loss / 5, 1e-4) << "five labels are known";
  EXPECT_NEAR(
      e.f1, 2 * counts["tp"] / std::max(1.0, 2 * counts["tp"] + counts["fp"] + counts["fn"]), 1e-9);
}

TEST_F(LabelLoss, counts_and_f1_of_the_targets_add_up) {
  const UnitLoss unit = label_unit(model, *writer, studies, targets, weight, {0, 1, 2}, head, 1.0);
  for (const std::string what : {"tp", "fp", "fn"}) {
    EXPECT_EQ(unit.sums.at(what), unit.sums.at(what + " a") + unit.sums.at(what + " b")) << what;
  }
  distributed::World world;
  const LabelEvaluation e =
      evaluate_labels(model, *writer, studies, targets, weight, head, 1, 3, world);
  ASSERT_EQ(e.f1_by_target.size(), 2U);
  EXPECT_EQ(e.f1_by_target[1].first, "b");
  const double hits = 2 * unit.sums.at("tp b");
  EXPECT_NEAR(e.f1_by_target[1].second,
              hits / std::max(1.0, hits + unit.sums.at("fp b") + unit.sums.at("fn b")), 1e-9);
}

TEST_F(LabelLoss, reaches_the_vision_tower_and_the_head_and_nothing_else) {
  std::vector<std::string> names = trained_names(model, {});
  std::vector<Tensor> leaves = make_leaves(model, names);
  names.emplace_back("head.weight");
  leaves.push_back(head.weight.requires_grad_(true));
  const StepGradients step = accumulate(leaves, 1, 1, [&](int64_t) {
    return label_unit(model, *writer, studies, targets, weight, {0, 1, 2}, head, 1.0);
  });
  int64_t reached = 0;
  for (size_t k = 0; k < names.size(); ++k) {
    const double largest = step.gradients[k].abs().max().item<double>();
    if (names[k].starts_with("model.language_model.")) {
      EXPECT_EQ(largest, 0) << names[k];
    }
    reached += largest > 0 && names[k].starts_with("model.visual.");
  }
  EXPECT_GT(reached, 20) << "tensors of two blocks and the merger";
  EXPECT_GT(step.gradients.back().abs().max().item<double>(), 0) << names.back();
}

TEST_F(LabelLoss, refuses_a_study_with_another_number_of_visual_tokens) {
  studies[1].images[0] = {testing::picture(1, 32, 64), {4, 2}};
  try {
    (void)label_unit(model, *writer, studies, targets, weight, {0, 1}, head, 1.0);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::data);
    EXPECT_NE(std::string(e.what()).find("study '1'"), std::string::npos) << e.what();
  }
}

TEST(NormalTensor, depends_on_seed_and_name_and_has_the_deviation_asked_for) {
  const Tensor a = normal_tensor({100, 100}, 1, "a", 0.5);
  EXPECT_NEAR(a.std().item<double>(), 0.5, 0.02);
  EXPECT_NEAR(a.mean().item<double>(), 0, 0.02);
  EXPECT_EQ((a - normal_tensor({100, 100}, 1, "a", 0.5)).abs().max().item<double>(), 0);
  EXPECT_GT((a - normal_tensor({100, 100}, 1, "b", 0.5)).abs().max().item<double>(), 0);
  EXPECT_GT((a - normal_tensor({100, 100}, 2, "a", 0.5)).abs().max().item<double>(), 0);
}

}  // namespace
}  // namespace unirg::train
