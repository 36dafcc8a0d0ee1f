// SPDX-License-Identifier: Apache-2.0
#include "train/sft.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <numeric>

#include "base/rng.h"
#include "train/losses.h"
#include "train/rank_sums.h"

namespace unirg::train {

policy::Brightness brightness_of(const Augmentation& a, const std::string& study_id) {
  if (a.strength == 0) return {};
  Rng rng(a.seed, "brightness", study_id, static_cast<uint64_t>(a.epoch));
  const double gain = 1.0 + a.strength * rng.normal();
  return {gain, 0.5 * a.strength * rng.normal()};
}

std::vector<int64_t> epoch_order(int64_t examples, uint64_t seed, int64_t epoch) {
  std::vector<int64_t> order(static_cast<size_t>(examples));
  std::iota(order.begin(), order.end(), int64_t{0});
  Rng(seed, "epoch-order", {}, static_cast<uint64_t>(epoch)).shuffle(order);
  return order;
}

std::vector<std::vector<int64_t>> micro_batches(const std::vector<policy::EncodedStudy>& studies,
                                                std::vector<int64_t> batch, int64_t size) {
  const auto length = [&](int64_t i) {
    const policy::EncodedStudy& study = studies[static_cast<size_t>(i)];
    return std::pair(study.reply.size(), study.prompt.size());
  };
  std::sort(batch.begin(), batch.end(), [&](int64_t a, int64_t b) {
    return std::tuple(length(b), a) < std::tuple(length(a), b);
  });
  std::vector<std::vector<int64_t>> units;
  for (size_t begin = 0; begin < batch.size(); begin += static_cast<size_t>(size)) {
    const size_t end = std::min(batch.size(), begin + static_cast<size_t>(size));
    units.emplace_back(batch.begin() + static_cast<std::ptrdiff_t>(begin),
                       batch.begin() + static_cast<std::ptrdiff_t>(end));
  }
  return units;
}

int64_t reply_tokens(const std::vector<policy::EncodedStudy>& studies,
                     const std::vector<int64_t>& batch) {
  int64_t tokens = 0;
  for (const int64_t i : batch)
    tokens += static_cast<int64_t>(studies[static_cast<size_t>(i)].reply.size());
  return tokens;
}

UnitLoss sft_unit(const model::Qwen3VL& model, const policy::ReportWriter& writer,
                  const std::vector<policy::EncodedStudy>& studies,
                  const std::vector<int64_t>& unit, double scale, const Augmentation& augmentation,
                  const model::Pass& pass) {
  std::vector<model::PromptTokens> prompts;
  std::vector<std::vector<std::vector<int64_t>>>
      streams;  // fed: last prompt token, then the reply without its last
  std::vector<int64_t> targets;
  std::vector<int64_t> rows;  // of the padded [B*L] output that predict a target
  size_t longest = 0;
  for (const int64_t i : unit)
    longest = std::max(longest, studies[static_cast<size_t>(i)].reply.size());
  for (const int64_t i : unit) {
    const policy::EncodedStudy& study = studies[static_cast<size_t>(i)];
    prompts.push_back(writer.materialise(study, brightness_of(augmentation, study.study_id)));
    std::vector<int64_t> stream{study.prompt.back()};
    stream.insert(stream.end(), study.reply.begin(), study.reply.end() - 1);
    const auto first = static_cast<int64_t>(streams.size() * longest);
    for (size_t t = 0; t < study.reply.size(); ++t) {
      rows.push_back(first + static_cast<int64_t>(t));
      targets.push_back(study.reply[t]);
    }
    streams.push_back({std::move(stream)});
  }
  const auto device = model.text.embed.device();
  const Tensor hidden = model::forward_replies(model, prompts, streams, pass).flatten(0, 2);
  const Tensor chosen = hidden.index_select(0, at::tensor(rows, at::kLong).to(device));
  const Tensor target = at::tensor(targets, at::kLong).to(device);
  const TokenScores scores = token_scores(chosen, model.text.head, target, {.best = true});
  const Tensor loss = -scores.logprobs.sum();
  const double correct = (scores.best == target).sum().item<double>();
  return {loss * scale,
          {{"loss", loss.item<double>()},
           {"tokens", static_cast<double>(targets.size())},
           {"correct", correct}}};
}

Evaluation evaluate(const model::Qwen3VL& model, const policy::ReportWriter& writer,
                    const std::vector<policy::EncodedStudy>& studies, int threads,
                    int64_t micro_batch, distributed::World& world) {
  std::vector<int64_t> all(studies.size());
  std::iota(all.begin(), all.end(), int64_t{0});
  const auto units = micro_batches(studies, all, micro_batch);
  Sums sums =
      sum_units(world, unit_threads(model.text.embed, threads), static_cast<int64_t>(units.size()),
                [&](int64_t i) {
                  const at::NoGradGuard no_grad;
                  return sft_unit(model, writer, studies, units[static_cast<size_t>(i)], 1.0).sums;
                });
  return {sums["loss"] / sums["tokens"], sums["correct"] / sums["tokens"]};
}

}  // namespace unirg::train
