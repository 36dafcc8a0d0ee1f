// SPDX-License-Identifier: Apache-2.0
#include "train/labels.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/rng.h"
#include "model/vision.h"
#include "train/rank_sums.h"

namespace unirg::train {

std::vector<float> positive_weights(const LabelTargets& targets) {
  std::vector<float> weights;
  for (size_t k = 0; k < targets.names.size(); ++k) {
    double positives = 0;
    double known = 0;
    for (const auto& row : targets.rows) {
      positives += row[k] == 1.0F;
      known += row[k] >= 0.0F;
    }
    const double p = known > 0 ? positives / known : 0;
    weights.push_back(p > 0 ? static_cast<float>(std::clamp((1 - p) / p, 1.0, 5.0)) : 1.0F);
  }
  return weights;
}

double label_count(const LabelTargets& targets, const std::vector<int64_t>& batch) {
  double count = 0;
  for (const int64_t i : batch) {
    for (const float value : targets.rows[static_cast<size_t>(i)]) count += value >= 0;
  }
  return count;
}

int64_t label_inputs(const model::Qwen3VL& model, const policy::EncodedStudy& study) {
  int64_t patches = 0;
  for (const policy::SizedImage& image : study.images) patches += image.grid.patches();
  return patches / model.config.vision.merged_patches() * model.config.text.hidden_size;
}

Tensor normal_tensor(const std::vector<int64_t>& shape, uint64_t seed, const std::string& name,
                     double std) {
  Tensor tensor = at::empty(shape, at::kFloat);
  Rng rng(seed, "init", name);
  float* values = tensor.mutable_data_ptr<float>();
  for (int64_t i = 0; i < tensor.numel(); ++i) values[i] = static_cast<float>(rng.normal(0, std));
  return tensor;
}

UnitLoss label_unit(const model::Qwen3VL& model, const policy::ReportWriter& writer,
                    const std::vector<policy::EncodedStudy>& studies, const LabelTargets& targets,
                    const std::vector<float>& positive_weight, const std::vector<int64_t>& unit,
                    const LabelHead& head, double scale, const Augmentation& augmentation,
                    const model::Pass& pass) {
  std::vector<Tensor> pixels;
  std::vector<model::Grid> grids;
  std::vector<float> wanted;
  for (const int64_t i : unit) {
    const policy::EncodedStudy& study = studies[static_cast<size_t>(i)];
    const model::PromptTokens prompt =
        writer.materialise(study, brightness_of(augmentation, study.study_id));
    if (label_inputs(model, study) != head.weight.size(1)) {
      throw Error(
          Exit::data,
          fmt::format("study '{}': the labels objective needs images of one size in every study",
                      study.study_id));
    }
    pixels.push_back(prompt.pixels);
    grids.insert(grids.end(), prompt.grids.begin(), prompt.grids.end());
    const auto& row = targets.rows[static_cast<size_t>(i)];
    wanted.insert(wanted.end(), row.begin(), row.end());
  }
  const auto device = model.text.embed.device();
  const model::VisionOutput seen = model::vision_forward(
      model.config.vision, model.vision, at::cat(pixels, 0).to(device), grids, pass);
  const auto B = static_cast<int64_t>(unit.size());
  const Tensor logits =
      at::linear(seen.tokens.view({B, -1}).to(at::kFloat), head.weight, head.bias);  // [B, targets]
  const Tensor target = at::tensor(wanted, at::kFloat).view({B, -1}).to(device);
  const Tensor known = (target >= 0).to(at::kFloat);
  const Tensor clean = target.clamp_min(0);
  const Tensor each = at::binary_cross_entropy_with_logits(
      logits, clean, known, at::tensor(positive_weight, at::kFloat).to(device), at::Reduction::Sum);
  const Tensor loss = each * scale;
  const at::NoGradGuard no_grad;  // what follows is counted, not learned from
  const Tensor called = (logits.detach() > 0).to(at::kFloat) * known;
  UnitLoss result{loss,
                  {{"loss", each.item<double>()},
                   {"correct", ((called == clean).to(at::kFloat) * known).sum().item<double>()}}};
  const auto count = [&](const char* what, const Tensor& hits) {  // hits [B, targets]
    const Tensor by_target = hits.sum(0).to(at::kCPU);
    for (size_t k = 0; k < targets.names.size(); ++k) {
      const double n = by_target[static_cast<int64_t>(k)].item<double>();
      result.sums[what] += n;
      result.sums[fmt::format("{} {}", what, targets.names[k])] += n;
    }
  };
  count("tp", called * clean);
  count("fp", called * (1 - clean));
  count("fn", (1 - called) * clean * known);
  return result;
}

namespace {

/// F1 of the counts "tp", "fp", "fn" that end in `of`.
double f1(const Sums& sums, const std::string& of) {
  const double hits = 2 * sums.at("tp" + of);
  return hits / std::max(1.0, hits + sums.at("fp" + of) + sums.at("fn" + of));
}

}  // namespace

LabelEvaluation evaluate_labels(const model::Qwen3VL& model, const policy::ReportWriter& writer,
                                const std::vector<policy::EncodedStudy>& studies,
                                const LabelTargets& targets,
                                const std::vector<float>& positive_weight, const LabelHead& head,
                                int threads, int64_t micro_batch, distributed::World& world) {
  std::vector<int64_t> all(studies.size());
  std::iota(all.begin(), all.end(), int64_t{0});
  const auto units = static_cast<int64_t>((all.size() + static_cast<size_t>(micro_batch) - 1) /
                                          static_cast<size_t>(micro_batch));
  Sums sums = sum_units(world, unit_threads(model.text.embed, threads), units, [&](int64_t i) {
    const at::NoGradGuard no_grad;
    const auto first = all.begin() + i * micro_batch;
    const auto last = std::min(first + micro_batch, all.end());
    return label_unit(model, writer, studies, targets, positive_weight, {first, last}, head, 1.0)
        .sums;
  });
  LabelEvaluation evaluation{sums["loss"] / label_count(targets, all), f1(sums, ""), {}};
  for (const std::string& name : targets.names)
    evaluation.f1_by_target.emplace_back(name, f1(sums, " " + name));
  return evaluation;
}

}  // namespace unirg::train
