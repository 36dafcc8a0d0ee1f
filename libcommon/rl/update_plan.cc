// SPDX-License-Identifier: Apache-2.0
#include "rl/update_plan.h"

#include <algorithm>

namespace unirg::rl {
namespace {

/// The pass that scores a group's samples, with the reference report beside them where that is
/// learned, too. Replies are padded to the longest.
model::PassShape group_shape(const UpdateOptions& options, const RolloutGroup& group,
                             const policy::EncodedStudy& study) {
  model::PassShape shape = policy::shape_of(study);
  const int64_t written = shape.reply_tokens;
  shape.replies = std::ssize(group.samples);
  shape.reply_tokens = 0;
  for (const data::Generation& sample : group.samples)
    shape.reply_tokens = std::max(shape.reply_tokens, std::ssize(sample.tokens));
  if (options.cross_entropy > 0) {
    ++shape.replies;
    shape.reply_tokens = std::max(shape.reply_tokens, written);
  }
  return shape;
}

/// The mean study with one rollout of mean length.
model::PassShape mean_study(const UpdateJob& job) {
  model::PassShape mean;
  int64_t samples = 0;
  for (size_t i = 0; i < job.studies.size(); ++i) {
    const model::PassShape study = policy::shape_of(job.studies[i]);
    mean.prompt_tokens += study.prompt_tokens;
    mean.patches += study.patches;
    for (const data::Generation& sample : job.batch.groups[i].samples)
      mean.reply_tokens += std::ssize(sample.tokens);
    samples += std::ssize(job.batch.groups[i].samples);
  }
  mean.prompt_tokens /= std::max<int64_t>(1, std::ssize(job.studies));
  mean.patches /= std::max<int64_t>(1, std::ssize(job.studies));
  mean.reply_tokens /= std::max<int64_t>(1, samples);
  return mean;
}

void add_groups(const UpdateJob& job, const model::ModelConfig& config, train::TrainingWork& work) {
  for (size_t i = 0; i < job.studies.size(); ++i) {
    const model::PassShape shape = group_shape(job.options, job.batch.groups[i], job.studies[i]);
    for (const policy::SizedImage& image : job.studies[i].images)
      work.picture_bytes += static_cast<int64_t>(image.pixels.pixels.size());
    const double flops = model::forward_flops(config, shape);
    if (flops > model::forward_flops(config, work.unit)) work.unit = shape;
    work.forward_flops += static_cast<double>(job.options.epochs) * flops;
  }
  // Passes before the first step cost a third of one with gradients.
  const int before = (job.options.importance_cap > 0 || job.options.kl_in_reward ? 1 : 0);
  work.forward_flops *= 1 + before / (3.0 * static_cast<double>(job.options.epochs));
}

}  // namespace

train::TrainingWork update_work(const UpdateJob& job, const model::ModelConfig& config,
                                const train::Place& place) {
  const UpdateOptions& o = job.options;
  const int64_t groups = std::ssize(job.batch.groups);
  const int64_t per_step = o.groups_per_step > 0 ? std::min(groups, o.groups_per_step) : groups;
  train::TrainingWork work;
  work.study = mean_study(job);
  work.facts = {{"groups", groups}, {"epochs", o.epochs}};
  add_groups(job, config, work);
  work.steps = per_step > 0 ? o.epochs * ((groups + per_step - 1) / per_step) : 0;
  train::share_units(place, per_step, work);
  work.reference = o.loss.kl_coefficient > 0;
  if (work.reference && !job.reference.empty())
    work.reference_bytes = policy::weight_bytes(job.reference, job.dtype);
  return work;
}

}  // namespace unirg::rl
