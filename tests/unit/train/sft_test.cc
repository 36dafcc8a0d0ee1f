// SPDX-License-Identifier: Apache-2.0
#include "train/sft.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/log_softmax.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "golden.h"
#include "io/atomic_file.h"
#include "temp_folder.h"
#include "tiny_policy.h"
#include "train/optimizer.h"
#include "train/trainable.h"

namespace unirg::train {
namespace {

class Sft : public ::testing::Test {
 protected:
  Sft() {
    testing::write_checkpoint(folder.path(), 1);
    model = model::load_model(folder.path(), "cpu", "float32");
    writer.emplace(folder.path(), policy::PromptOptions{});
    studies = {testing::encoded_study("a", 1, "Report of the chest:", "Clear."),
               testing::encoded_study("b", 2, "Read:", "Effusion, left."),
               testing::encoded_study("c", 3, "Say:", "No."),
               testing::encoded_study("d", 4, "Write it:", "Edema and more.")};
    studies[2].prompt.erase(studies[2].prompt.begin(),
                            studies[2].prompt.begin() + 6);  // text alone
    studies[2].images.clear();
  }

  /// Log-probabilities that predict the reply, from the plain forward of prompt and reply in one
  /// stream. \returns [n, V]
  [[nodiscard]] Tensor plain_logprobs(const policy::EncodedStudy& study) const {
    model::PromptTokens all = writer->materialise(study);
    all.tokens.insert(all.tokens.end(), study.reply.begin(), study.reply.end());
    const auto n = static_cast<int64_t>(study.reply.size());
    const Tensor hidden = model::forward_plain(model, {all})[0].narrow(
        0, static_cast<int64_t>(study.prompt.size()) - 1, n);
    return at::log_softmax(at::linear(hidden, model.text.head), -1);
  }
  /// Sum of -log p over the reply, and how many of its tokens are the likeliest.
  [[nodiscard]] std::pair<double, double> plain_loss(const policy::EncodedStudy& study) const {
    const Tensor logprobs = plain_logprobs(study);
    double loss = 0;
    double correct = 0;
    for (size_t t = 0; t < study.reply.size(); ++t) {
      const Tensor row = logprobs[static_cast<int64_t>(t)];
      loss -= row[study.reply[t]].item<double>();
      correct += row.argmax().item<int64_t>() == study.reply[t];
    }
    return {loss, correct};
  }
  /// Gradients of one step over these units, the loss divided by all reply tokens of the step.
  StepGradients gradients(const std::vector<std::vector<int64_t>>& units, int threads) {
    const std::vector<Tensor> leaves = make_leaves(model, trained_names(model, {}));
    int64_t tokens = 0;
    for (const auto& unit : units) tokens += reply_tokens(studies, unit);
    return accumulate(leaves, threads, static_cast<int64_t>(units.size()), [&](int64_t i) {
      return sft_unit(model, *writer, studies, units[static_cast<size_t>(i)],
                      1.0 / static_cast<double>(tokens));
    });
  }

  testing::TempFolder folder;
  model::Qwen3VL model;
  std::optional<policy::ReportWriter> writer;
  std::vector<policy::EncodedStudy> studies;
};

TEST_F(Sft, loss_is_the_cross_entropy_of_the_reply_tokens_alone) {
  const UnitLoss unit = sft_unit(model, *writer, studies, {0, 1, 2}, 0.5);
  double loss = 0;
  double correct = 0;
  for (size_t i = 0; i < 3; ++i) {
    const auto [one, hits] = plain_loss(studies[i]);
    loss += one;
    correct += hits;
  }
  EXPECT_NEAR(unit.sums.at("loss"), loss, 1e-4 * loss);
  EXPECT_NEAR(unit.loss.item<double>(), 0.5 * loss, 1e-4 * loss);
  EXPECT_EQ(unit.sums.at("tokens"), 7 + 16 + 4) << "end tokens included, prompts not";
  EXPECT_EQ(unit.sums.at("correct"), correct);
}

TEST_F(Sft, gradient_of_a_batch_equals_that_of_its_micro_batches) {
  const StepGradients whole = gradients({{0, 1, 2, 3}}, 1);
  const StepGradients parts =
      gradients({{0}, {1}, {2}, {3}}, 1);  // of 7, 16, 4 and 16 reply tokens
  double largest = 0;
  for (size_t k = 0; k < whole.gradients.size(); ++k) {
    const double scale = std::max(1.0, whole.gradients[k].abs().max().item<double>());
    EXPECT_LT((whole.gradients[k] - parts.gradients[k]).abs().max().item<double>(), 1e-6 * scale)
        << k;
    largest = std::max(largest, whole.gradients[k].abs().max().item<double>());
  }
  EXPECT_GT(largest, 0.01) << "there is something to compare";
}

TEST_F(Sft, gradients_are_the_same_bytes_for_1_2_and_3_threads) {
  const std::vector<std::vector<int64_t>> units{{0, 2}, {1}, {3}, {2, 1}};
  const StepGradients one = gradients(units, 1);
  for (const int threads : {2, 3}) {
    const StepGradients many = gradients(units, threads);
    for (size_t k = 0; k < one.gradients.size(); ++k)
      EXPECT_TRUE(at::equal(many.gradients[k], one.gradients[k])) << k;
    EXPECT_EQ(many.sums, one.sums);
  }
}

TEST_F(Sft, evaluation_is_a_mean_over_reply_tokens_whatever_the_micro_batches) {
  double loss = 0;
  double correct = 0;
  for (const auto& study : studies) {
    const auto [one, hits] = plain_loss(study);
    loss += one;
    correct += hits;
  }
  distributed::World world;
  for (const int64_t micro_batch : {1, 3, 8}) {
    const Evaluation e = evaluate(model, *writer, studies, 2, micro_batch, world);
    EXPECT_NEAR(e.loss, loss / 43, 1e-4) << micro_batch;
    EXPECT_NEAR(e.accuracy, correct / 43, 1e-9) << micro_batch;
  }
}

TEST_F(Sft, micro_batches_put_the_longest_together_and_depend_on_the_batch_alone) {
  // reply lengths 7 16 4 16; 1 and 3 tie and the longer prompt goes first
  const std::vector<std::vector<int64_t>> expected{{3, 1}, {0, 2}};
  EXPECT_EQ(micro_batches(studies, {0, 1, 2, 3}, 2), expected);
  EXPECT_EQ(micro_batches(studies, {2, 3, 0, 1}, 2), expected);
  EXPECT_EQ(micro_batches(studies, {2, 3, 0}, 2), (std::vector<std::vector<int64_t>>{{3, 0}, {2}}));
}

TEST(EpochOrder, is_a_permutation_of_seed_and_epoch) {
  const auto order = epoch_order(50, 1, 0);
  EXPECT_EQ(std::set<int64_t>(order.begin(), order.end()).size(), 50);
  EXPECT_EQ(*std::max_element(order.begin(), order.end()), 49);
  EXPECT_EQ(epoch_order(50, 1, 0), order);
  EXPECT_NE(epoch_order(50, 1, 1), order);
  EXPECT_NE(epoch_order(50, 2, 0), order);
}

TEST(BrightnessOf, is_none_at_strength_zero_and_else_has_the_stated_spread) {
  EXPECT_EQ(brightness_of({0, 1, 2}, "a").gain, 1);
  EXPECT_EQ(brightness_of({0, 1, 2}, "a").offset, 0);
  double gain = 0;
  double offset = 0;
  constexpr int kStudies = 4000;
  for (int i = 0; i < kStudies; ++i) {
    const policy::Brightness b = brightness_of({0.2, 1, 0}, std::to_string(i));
    gain += (b.gain - 1) * (b.gain - 1) / kStudies;
    offset += b.offset * b.offset / kStudies;
  }
  EXPECT_NEAR(gain, 0.2 * 0.2,
              0.004);  // variance s^2, its own deviation s^2 sqrt(2 / 4000) = 0.0009
  EXPECT_NEAR(offset, 0.1 * 0.1, 0.001);  // (s / 2)^2
  EXPECT_NE(brightness_of({0.2, 1, 0}, "a").gain, brightness_of({0.2, 1, 1}, "a").gain)
      << "another epoch";
}

/// Three whole steps against torch: loss, gradient norm, clipping, AdamW with decay on matrices
/// alone.
TEST(Golden, three_training_steps_equal_those_of_torch) {
  const auto folder = testing::golden_folder("qwen3_vl_tiny");
  UNIRG_SKIP_WITHOUT(folder);
  const io::Json expected = io::Json::parse(io::read_file(folder / "golden.json"));
  const policy::ReportWriter writer(folder, {});
  const Tensor ids =
      model::load_tensors(folder / "golden.safetensors").at("input_ids").contiguous();
  const int64_t* id = ids.const_data_ptr<int64_t>();
  const auto prompt_length = expected.at("prompt_length").get<int64_t>();
  policy::EncodedStudy study{
      "golden", {id, id + prompt_length}, {}, {id + prompt_length, id + ids.numel()}};
  for (const char* name : {"image0.png", "image1.png"}) {
    const auto picture = image::decode_png(io::read_file(folder / name));
    study.images.push_back(
        policy::size_image(policy::load_image_processor(folder), *picture).value());
  }
  model::Qwen3VL model = model::load_model(folder, "cpu", "float32");
  const auto names = trained_names(model, {});
  const std::vector<Tensor> leaves = make_leaves(model, names);
  const auto tokens = static_cast<double>(study.reply.size());
  AdamWState state;
  for (size_t step = 0; step < 3; ++step) {
    StepGradients result = accumulate(
        leaves, 1, 1, [&](int64_t) { return sft_unit(model, writer, {study}, {0}, 1 / tokens); });
    EXPECT_NEAR(result.sums.at("loss") / tokens,
                expected.at("sft").at("losses")[step].get<double>(), 2e-3)
        << step;
    const auto norm = expected.at("sft").at("total_grad_norm")[step].get<double>();
    EXPECT_NEAR(clip_gradients(result.gradients, 1.0), norm, 2e-3 * norm) << step;
    adamw_step({.weight_decay = 0.01}, 1e-3, names, model.parameters, result.gradients, state);
  }
  distributed::World world;
  EXPECT_NEAR(evaluate(model, writer, {study}, 1, 1, world).loss,
              expected.at("sft").at("losses")[3].get<double>(), 2e-3);
}

}  // namespace
}  // namespace unirg::train
