// The update against the GRPO formulas worked in double over plain, unshared sequences.
// SPDX-License-Identifier: Apache-2.0
#include "rl/update.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/log_softmax.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "io/atomic_file.h"
#include "temp_folder.h"
#include "tiny_policy.h"
#include "train/checkpoint.h"

namespace unirg::rl {
namespace {

namespace fs = std::filesystem;
using at::Tensor;

constexpr double kTemperature = 0.8;

/// A sample: its text, its reward, and by how much the sampler's log-probabilities differ from the
/// policy's.
struct Sample {
  std::string text;
  double reward = 0;
  double offset = 0;
};
using Group = std::vector<Sample>;

class UpdateRun : public ::testing::Test {
 protected:
  UpdateRun() {
    testing::write_checkpoint(policy, 1);
    testing::write_checkpoint(reference, 2);
    writer.emplace(policy, policy::PromptOptions{});
    for (int64_t i = 0; i < 3; ++i)
      studies.push_back(
          testing::encoded_study(std::to_string(i), i, "Report " + std::to_string(i) + ":", ""));
  }

  /// log p of a reply's tokens after prompt and image of a study, by the plain forward.
  [[nodiscard]] std::vector<double> logprobs(const fs::path& checkpoint, size_t study,
                                             const std::vector<int64_t>& tokens) const {
    const at::NoGradGuard no_grad;
    const model::Qwen3VL model = model::load_model(checkpoint, "cpu", "float32");
    model::PromptTokens all = writer->materialise(studies[study]);
    all.tokens.insert(all.tokens.end(), tokens.begin(), tokens.end());
    const auto n = static_cast<int64_t>(tokens.size());
    const Tensor hidden = model::forward_plain(model, {all})[0].narrow(
        0, static_cast<int64_t>(studies[study].prompt.size()) - 1, n);
    const Tensor rows = at::log_softmax(at::linear(hidden, model.text.head) / kTemperature, -1);
    std::vector<double> out;
    for (int64_t t = 0; t < n; ++t)
      out.push_back(rows[t][tokens[static_cast<size_t>(t)]].item<double>());
    return out;
  }

  [[nodiscard]] RolloutBatch batch(const std::vector<Group>& groups) const {
    std::vector<data::Generation> rollouts;
    std::vector<data::Reward> rewards;
    for (size_t i = 0; i < groups.size(); ++i) {
      for (size_t s = 0; s < groups[i].size(); ++s) {
        policy::Reply reply;
        for (const char c : groups[i][s].text)
          reply.tokens.push_back(static_cast<unsigned char>(c));
        for (const double lp : logprobs(policy, i, reply.tokens))
          reply.logprobs.push_back(static_cast<float>(lp + groups[i][s].offset));
        rollouts.push_back(writer->generation(studies[i], reply, static_cast<int64_t>(s)));
        rollouts.back().policy = "p";
        data::Reward reward;
        reward.study_id = studies[i].study_id;
        reward.sample = static_cast<int64_t>(s);
        reward.reward = groups[i][s].reward;
        rewards.push_back(reward);
      }
    }
    return join_rollouts(std::move(rollouts), rewards, "p", {});
  }

  [[nodiscard]] UpdateJob job(const std::vector<Group>& groups) const {
    UpdateJob job;
    job.options.temperature = kTemperature;
    job.options.max_grad_norm = 0;
    job.options.max_logprob_gap = 10;
    job.batch = batch(groups);
    job.studies.assign(studies.begin(),
                       studies.begin() + static_cast<std::ptrdiff_t>(groups.size()));
    job.policy = policy;
    job.reference = reference;
    job.output = folder.path() / "next";
    job.device = "cpu";
    return job;
  }
  /// Runs it. \returns the lines of the metrics file
  static std::vector<io::Json> run(UpdateJob job, const policy::ReportWriter& writer) {
    Logger log("test", LogLevel::error);
    const cli::StopFlag stop;
    io::RunRecord record("test", {}, {});
    cli::Context context{log, stop, record};
    distributed::World world;
    EXPECT_EQ(run_update(job, writer, world, context), Exit::ok);
    std::vector<io::Json> lines;
    io::JsonlReader reader(job.output.string() + ".metrics.jsonl");
    while (auto line = reader.next()) lines.push_back((*line)->object);
    return lines;
  }
  io::Json run_one(const UpdateJob& job) const { return run(job, *writer).at(0); }

  struct Expected {
    double loss = 0, ratio = 0, low = 0, high = 0, kl = 0;
  };
  /// -min(r A, clip(r) A) + beta (exp(d) - d - 1), token by token, over all tokens of the step.
  [[nodiscard]] Expected by_hand(const UpdateJob& job) const {
    Expected sum;
    double tokens = 0;
    const PolicyLossOptions& o = job.options.loss;
    for (size_t i = 0; i < job.batch.groups.size(); ++i) {
      for (size_t s = 0; s < job.batch.groups[i].samples.size(); ++s) {
        const data::Generation& g = job.batch.groups[i].samples[s];
        const auto lp = logprobs(policy, i, g.tokens);
        const auto ref = logprobs(reference, i, g.tokens);
        const double A = job.batch.groups[i].advantage.advantages[s];
        for (size_t t = 0; t < lp.size(); ++t) {
          const double r = std::exp(lp[t] - g.logprobs[t]);
          const double d = ref[t] - lp[t];
          const double k3 = std::exp(d) - d - 1;
          sum.loss += -std::min(r * A, std::clamp(r, 1 - o.clip_lower, 1 + o.clip_upper) * A) +
                      o.kl_coefficient * k3;
          sum.ratio += r;
          sum.low += A < 0 && r < 1 - o.clip_lower;
          sum.high += A > 0 && r > 1 + o.clip_upper;
          sum.kl += k3;
          ++tokens;
        }
      }
    }
    return {sum.loss / tokens, sum.ratio / tokens, sum.low / tokens, sum.high / tokens,
            sum.kl / tokens};
  }

  testing::TempFolder folder;
  fs::path policy = folder.path() / "policy";
  fs::path reference = folder.path() / "reference";
  std::optional<policy::ReportWriter> writer;
  std::vector<policy::EncodedStudy> studies;
};

/// Replies of several lengths and prompts of one group; ratios exp(-offset): 1, 1.35 (over 1.28),
/// 0.74 (under 0.8).
const std::vector<Group> kGroups{
    {{"Clear.", 1.0, 0}, {"Left effusion.", 0.2, 0.3}, {"No.", 0.8, -0.3}},
    {{"Edema", 0.1, 0.3}, {"Mass", 0.9, -0.3}, {"Normal heart", 0.5, 0}}};

TEST_F(UpdateRun, loss_of_groups_that_share_a_prompt_equals_the_plain_sum_over_samples) {
  const UpdateJob j = job(kGroups);
  const Expected expected = by_hand(j);
  const io::Json got = run_one(j);
  EXPECT_NEAR(got.at("loss").get<double>(), expected.loss, 1e-4);
  EXPECT_NEAR(got.at("ratio").get<double>(), expected.ratio, 1e-4);
  EXPECT_NEAR(got.at("clipped_low").get<double>(), expected.low, 1e-9);
  EXPECT_NEAR(got.at("clipped_high").get<double>(), expected.high, 1e-9);
  EXPECT_GT(expected.low, 0) << "the case must reach both limits";
  EXPECT_GT(expected.high, 0);
  EXPECT_NEAR(got.at("max_logprob_gap").get<double>(), 0.3, 1e-4);
  EXPECT_EQ(got.at("kl").get<double>(), 0);
}

TEST_F(UpdateRun, kl_is_k3_towards_the_reference_checkpoint) {
  UpdateJob j = job(kGroups);
  j.options.loss.kl_coefficient = 0.05;
  const Expected expected = by_hand(j);
  const io::Json got = run_one(j);
  EXPECT_GT(expected.kl, 0.1) << "the two checkpoints differ";
  EXPECT_NEAR(got.at("kl").get<double>(), expected.kl, 1e-3 * expected.kl);
  EXPECT_NEAR(got.at("loss").get<double>(), expected.loss, 1e-3 * std::max(1.0, expected.loss));
}

TEST_F(UpdateRun, a_group_of_equal_rewards_adds_nothing_but_its_tokens_to_the_denominator) {
  const Group spread = kGroups[0];                                      // 6 + 14 + 3 = 23 tokens
  const Group equal{{"Edema", 0.5, 0.3}, {"Normal heart", 0.5, -0.3}};  // 5 + 12 = 17 tokens
  const io::Json alone = run_one(job({spread}));
  const io::Json both = run_one(job({spread, equal}));
  EXPECT_NEAR(both.at("loss").get<double>(), alone.at("loss").get<double>() * 23 / 40, 1e-6);
  EXPECT_NEAR(both.at("grad_norm").get<double>(), alone.at("grad_norm").get<double>() * 23 / 40,
              1e-5 * alone.at("grad_norm").get<double>());
  EXPECT_EQ(both.at("zero_variance_groups").get<int64_t>(), 1);
}

TEST_F(UpdateRun, without_any_spread_and_kl_the_policy_stays_as_it_is) {
  UpdateJob j = job({{{"Edema", 0.5, 0}, {"Normal heart", 0.5, 0}}});
  j.options.schedule.learning_rate = 0.1;
  EXPECT_EQ(run_one(j).at("grad_norm").get<double>(), 0);
  const auto before = model::load_tensors(policy / "model.safetensors");
  const auto after = model::load_tensors(j.output / "model.safetensors");
  for (const auto& [name, tensor] : before)
    EXPECT_EQ((after.at(name) - tensor).abs().max().item<double>(), 0) << name;
}

TEST_F(UpdateRun, makes_the_better_reply_likelier_and_the_worse_one_less_likely) {
  UpdateJob j = job({{{"Clear.", 1, 0}, {"Effusion.", 0, 0}}});
  j.options.schedule.learning_rate = 1e-3;
  j.options.max_logprob_gap = 1e-3;  // trainer and sampler agree
  run_one(j);
  const auto change = [&](const std::string& text) {
    std::vector<int64_t> tokens;
    for (const char c : text) tokens.push_back(static_cast<unsigned char>(c));
    double sum = 0;
    for (const double lp : logprobs(j.output, 0, tokens)) sum += lp;
    for (const double lp : logprobs(policy, 0, tokens)) sum -= lp;
    return sum;
  };
  EXPECT_GT(change("Clear."), 0.1);
  EXPECT_LT(change("Effusion."), -0.1);
}

TEST_F(UpdateRun, gives_the_same_bytes_at_any_thread_count) {
  UpdateJob j = job(kGroups);
  run_one(j);
  const auto bytes = [&] {
    return io::read_file(j.output / "model.safetensors") +
           io::read_file(j.output.string() + ".metrics.jsonl");
  };
  const std::string one = bytes();
  j.threads = 3;
  run_one(j);
  EXPECT_EQ(bytes(), one);
}

TEST_F(UpdateRun, steps_follow_groups_per_step_and_epochs_and_moments_go_on_in_the_next_update) {
  UpdateJob j = job(kGroups);
  j.options.groups_per_step = 1;
  j.options.epochs = 2;
  const auto lines = run(j, *writer);
  ASSERT_EQ(lines.size(), 4);
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(lines[i].at("step").get<size_t>(), i + 1);
  UpdateJob next = job(kGroups);
  next.policy = j.output;
  next.output = folder.path() / "third";
  EXPECT_EQ(run_one(next).at("step").get<int64_t>(), 5);
}

TEST_F(UpdateRun, an_importance_cap_makes_the_trainer_s_policy_the_old_one) {
  UpdateJob j = job(kGroups);
  j.options.importance_cap = 1.2;
  // Offsets 0, 0.3 and -0.3: weights 1, exp(-0.3) and 1.2 for exp(0.3) = 1.35; the ratio is 1.
  double expected = 0, tokens = 0;
  for (size_t g = 0; g < kGroups.size(); ++g) {
    for (size_t s = 0; s < kGroups[g].size(); ++s) {
      const auto length = static_cast<double>(kGroups[g][s].text.size());
      const double weight = std::min(std::exp(-kGroups[g][s].offset), 1.2);
      expected -= length * weight * j.batch.groups[g].advantage.advantages[s];
      tokens += length;
    }
  }
  const io::Json got = run_one(j);
  EXPECT_NEAR(got.at("loss").get<double>(), expected / tokens, 1e-4);
  EXPECT_NEAR(got.at("ratio").get<double>(), 1, 1e-5);
  EXPECT_NEAR(got.at("max_logprob_gap").get<double>(), 0.3, 1e-4) << "still of the sampler";
}

TEST_F(UpdateRun, a_penalty_in_the_reward_is_the_sum_of_k1_over_the_sample) {
  UpdateJob j = job(kGroups);
  j.options.loss.kl_coefficient = 0.02;
  UpdateJob lowered = j;
  lowered.options.loss.kl_coefficient = 0;
  double kl = 0, tokens = 0;
  for (size_t g = 0; g < j.batch.groups.size(); ++g) {
    for (size_t s = 0; s < j.batch.groups[g].samples.size(); ++s) {
      const data::Generation& sample = j.batch.groups[g].samples[s];
      double sum = 0;
      const auto now = logprobs(policy, g, sample.tokens);
      const auto ref = logprobs(reference, g, sample.tokens);
      for (size_t t = 0; t < ref.size(); ++t) sum += now[t] - ref[t];
      lowered.batch.groups[g].rewards.rewards[s] -= 0.02 * sum;
      kl += sum;
      tokens += static_cast<double>(ref.size());
    }
  }
  set_advantages(lowered.batch, {});
  EXPECT_GT(std::abs(lowered.batch.groups[0].advantage.advantages[0] -
                     j.batch.groups[0].advantage.advantages[0]),
            0.01);
  j.options.kl_in_reward = true;
  const io::Json got = run_one(j);
  EXPECT_NEAR(got.at("loss").get<double>(), by_hand(lowered).loss, 1e-3);
  EXPECT_NEAR(got.at("kl").get<double>(), kl / tokens, 1e-4);
}

TEST_F(UpdateRun, a_penalty_in_the_reward_is_nothing_where_the_reference_is_the_policy) {
  UpdateJob j = job({{{"Edema", 0.5, 0.1}, {"Normal heart", 0.5, -0.1}}});  // an inexact sampler
  j.reference = policy;
  j.options.loss.kl_coefficient = 1;
  j.options.kl_in_reward = true;
  const io::Json got = run_one(j);
  EXPECT_EQ(got.at("kl").get<double>(), 0);
  EXPECT_EQ(got.at("zero_variance_groups").get<int64_t>(), 1);
}

TEST_F(UpdateRun, cross_entropy_is_the_mean_over_reference_tokens_and_teaches_them) {
  for (policy::EncodedStudy& study : studies) study.reply = {'S', 'c', 'a', 'r', testing::kEnd};
  UpdateJob j = job({{{"Edema", 0.5, 0}, {"Normal heart", 0.5, 0}}});
  j.options.cross_entropy = 0.25;
  j.options.schedule.learning_rate = 1e-3;
  double before = 0, after = 0;
  for (const double lp : logprobs(policy, 0, studies[0].reply)) before -= lp / 5;
  EXPECT_NEAR(run_one(j).at("cross_entropy").get<double>(), before, 1e-4);
  for (const double lp : logprobs(j.output, 0, studies[0].reply)) after -= lp / 5;
  EXPECT_LT(after, before - 0.1);
}

TEST_F(UpdateRun, cross_entropy_shares_the_gradient_with_the_policy_term) {
  for (policy::EncodedStudy& study : studies) study.reply = {'S', testing::kEnd};
  const auto first_moment = [&](double share) {
    UpdateJob j = job(kGroups);
    j.options.cross_entropy = share;
    run_one(j);
    return train::load_training_state(j.output)->optimizer.first;
  };
  const auto rl = first_moment(0), half = first_moment(0.5), ce = first_moment(1);
  for (const auto& [name, moment] : half) {
    const Tensor mixed = (rl.at(name) + ce.at(name)) / 2;
    EXPECT_LT((moment - mixed).abs().max().item<double>(),
              1e-5 * (1 + mixed.abs().max().item<double>()))
        << name;
  }
}

TEST_F(UpdateRun, an_adaptive_penalty_follows_its_target_and_the_next_update_goes_on_from_it) {
  EXPECT_DOUBLE_EQ(adapted_kl_coefficient(0.1, 0.11, 50, 0.1, 1000), 0.1 * (1 + 0.1 * 0.05));
  EXPECT_DOUBLE_EQ(adapted_kl_coefficient(0.1, 9.0, 50, 0.1, 1000), 0.1 * (1 + 0.2 * 0.05));
  EXPECT_DOUBLE_EQ(adapted_kl_coefficient(0.1, 0.0, 50, 0.1, 1000), 0.1 * (1 - 0.2 * 0.05));
  EXPECT_DOUBLE_EQ(adapted_kl_coefficient(0.1, 0.0, 1e6, 0.1, 1), 0.1 * 0.8) << "never negative";
  UpdateJob j = job(kGroups);
  j.options.loss.kl_coefficient = 0.05;
  j.options.kl_target = 1e-6;  // far below what the two checkpoints have
  j.options.kl_horizon = 60;
  j.options.epochs = 2;
  const auto lines = run(j, *writer);
  EXPECT_DOUBLE_EQ(lines[0].at("kl_coefficient").get<double>(), 0.05);
  EXPECT_DOUBLE_EQ(lines[1].at("kl_coefficient").get<double>(), 0.05 * (1 + 0.2 * 6 / 60));
  UpdateJob next = job(kGroups);
  next.options = j.options;
  next.policy = j.output;
  next.output = folder.path() / "third";
  EXPECT_NEAR(run_one(next).at("kl_coefficient").get<double>(), 0.05 * 1.02 * 1.02, 1e-12);
}

TEST_F(UpdateRun, refuses_rollouts_whose_log_probabilities_or_prompts_are_not_the_policy_s) {
  UpdateJob far = job({{{"Clear.", 1, 0.01}, {"No.", 0, 0}}});
  far.options.max_logprob_gap = 1e-3;
  UpdateJob other = job({{{"Clear.", 1, 0}, {"No.", 0, 0}}});
  other.studies[0].prompt.push_back(10);
  for (const UpdateJob& j : {far, other}) {
    try {
      (void)run_one(j);
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(e.exit(), Exit::data) << e.what();
    }
    EXPECT_FALSE(fs::exists(j.output));
  }
}

}  // namespace
}  // namespace unirg::rl
