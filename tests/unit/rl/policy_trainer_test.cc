// A step over a group against the same samples one by one.
// SPDX-License-Identifier: Apache-2.0
#include "rl/policy_trainer.h"

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <vector>

#include "temp_folder.h"
#include "tiny_policy.h"

namespace unirg::rl {
namespace {

constexpr int64_t kSamples = 8;

class PolicySteps : public ::testing::Test {
 protected:
  PolicySteps() {
    testing::write_checkpoint(policy, 1);
    testing::write_checkpoint(reference, 2);
    writer.emplace(policy, policy::PromptOptions{});
    // Moments that hardly divide: the change of a weight is its gradient, not the gradient's sign.
    options.adamw.epsilon = 1;
    options.schedule.learning_rate = 1;
    options.max_grad_norm = 0;
    options.max_logprob_gap = 100;  // what the sampler said is made up
    options.loss.kl_coefficient = 0.1;
  }

  [[nodiscard]] TrainedPolicy trained() const {
    TrainedPolicy p;
    p.model = model::load_model(policy, "cpu", "float32");
    p.names = train::trained_names(p.model, {});
    p.leaves = train::make_leaves(p.model, p.names);
    p.reference = model::load_model(reference, "cpu", "float32");
    p.kl_coefficient = options.loss.kl_coefficient;
    return p;
  }

  /// Replies of several lengths, with log-probabilities off by enough to be clipped now and then.
  [[nodiscard]] static data::Generation sample(int64_t i) {
    data::Generation g;
    g.study_id = "s";
    g.sample = i;
    g.finish = "stop";
    g.policy = "p";
    for (int64_t t = 0; t < 3 + i % 4; ++t) {
      g.tokens.push_back(65 + (7 * i + 3 * t) % 26);
      g.logprobs.push_back(-5.5F - 0.2F * static_cast<float>((i + t) % 5));
    }
    return g;
  }
  [[nodiscard]] RolloutBatch one_group() const {
    std::vector<data::Generation> rollouts;
    std::vector<data::Reward> rewards;
    for (int64_t i = 0; i < kSamples; ++i) {
      rollouts.push_back(sample(i));
      data::Reward reward;
      reward.study_id = "s";
      reward.sample = i;
      reward.reward = static_cast<double>(i * i % 5);
      rewards.push_back(reward);
    }
    return join_rollouts(std::move(rollouts), rewards, "p", options.groups);
  }
  /// The same samples, each a group of its own with the advantage it has among all.
  [[nodiscard]] static RolloutBatch singles(const RolloutBatch& whole) {
    RolloutBatch batch = whole;
    batch.groups.clear();
    const RolloutGroup& group = whole.groups.at(0);
    for (size_t i = 0; i < group.samples.size(); ++i) {
      RolloutGroup one = group;
      one.samples = {group.samples[i]};
      one.advantage.advantages = {group.advantage.advantages[i]};
      one.trained = {true};
      batch.groups.push_back(std::move(one));
    }
    return batch;
  }

  /// One step over all groups. \returns its metrics
  io::Json step(RolloutBatch batch, TrainedPolicy& p, int threads) const {
    const std::vector<policy::EncodedStudy> studies(batch.groups.size(), study);
    distributed::World world;
    PolicyTrainer trainer(options, *writer, threads, batch, studies, p, world);
    std::vector<size_t> all(batch.groups.size());
    std::iota(all.begin(), all.end(), size_t{0});
    return trainer.step(all).value();
  }

  static double largest_difference(const TrainedPolicy& a, const TrainedPolicy& b) {
    double largest = 0;
    for (const auto& [name, tensor] : a.model.parameters) {
      const double d = (tensor - b.model.parameters.at(name)).abs().max().item<double>();
      largest = std::max(largest, d);
    }
    return largest;
  }

  testing::TempFolder folder;
  const std::filesystem::path policy = folder.path() / "policy";
  const std::filesystem::path reference = folder.path() / "reference";
  std::optional<policy::ReportWriter> writer;
  const policy::EncodedStudy study = testing::encoded_study("s", 1, "Report:", "");
  UpdateOptions options;
};

TEST_F(PolicySteps, of_eight_samples_at_once_equal_eight_accumulated_steps_of_one) {
  for (const Aggregation aggregation :
       {Aggregation::token, Aggregation::sequence, Aggregation::constant}) {
    options.aggregation = aggregation;
    options.max_tokens = 8;
    TrainedPolicy whole = trained(), parts = trained();
    const TrainedPolicy before = trained();
    const RolloutBatch batch = one_group();
    const io::Json at_once = step(batch, whole, 1);
    const io::Json one_by_one = step(singles(batch), parts, 1);
    ASSERT_GT(largest_difference(whole, before), 1e-3)
        << "a step that changes nothing says nothing";
    EXPECT_LT(largest_difference(whole, parts), 1e-6);
    for (const char* name : {"loss", "ratio", "clipped_low", "clipped_high", "kl", "entropy"})
      EXPECT_NEAR(at_once.at(name).get<double>(), one_by_one.at(name).get<double>(), 1e-6) << name;
  }
}

TEST_F(PolicySteps, have_the_same_bits_at_one_and_two_threads) {
  TrainedPolicy one = trained(), two = trained();
  const RolloutBatch batch = singles(one_group());
  EXPECT_EQ(step(batch, one, 1), step(batch, two, 2));
  EXPECT_EQ(largest_difference(one, two), 0);
}

}  // namespace
}  // namespace unirg::rl
