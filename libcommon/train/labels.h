// The labels objective: the vision tower learns to see before it learns to write. A linear head,
// thrown away afterwards, reads a study's visual tokens and predicts labels with binary
// cross-entropy; it stands for the pre-trained tower that a real base checkpoint brings (the demo's
// stage 0; no published counterpart). SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "policy/report_writer.h"
#include "text/labeler.h"
#include "train/gradients.h"
#include "train/sft.h"

namespace unirg::train {

/// Names of the targets, and for each study 1, 0, or -1 for "not known" (left out of the loss).
struct LabelTargets {
  std::vector<std::string> names;
  std::vector<std::vector<float>> rows;
};

/// Targets from what the rule labeler reads in a study's report: every positive condition, its
/// place and its severity; a record's own CheXpert labels win over the reading of the same
/// condition (uncertain: not known). \param names the targets wanted; empty: those at least
/// `min_share` of the studies have
LabelTargets label_targets(const std::vector<const data::Study*>& studies,
                           const text::Labeler& labeler, const std::vector<std::string>& names = {},
                           double min_share = 0.01);

/// Per target, (1 - p) / p capped to 1..5, p the share of positives: rare findings are to be
/// learned too.
std::vector<float> positive_weights(const LabelTargets& targets);
/// Known targets of a batch: the denominator of its loss.
double label_count(const LabelTargets& targets, const std::vector<int64_t>& batch);
/// Width of the head's input for studies that look like `study`: visual tokens x H.
int64_t label_inputs(const model::Qwen3VL& model, const policy::EncodedStudy& study);
/// Normal numbers that depend on (seed, name) alone.
Tensor normal_tensor(const std::vector<int64_t>& shape, uint64_t seed, const std::string& name,
                     double std);

/// The linear head. weight [targets, inputs], bias [targets]
struct LabelHead {
  Tensor weight, bias;
};

/// Weighted BCE over a unit of studies, times `scale`. Sums: "loss", "correct" (right side of 1/2),
/// and the counts "tp", "fp", "fn", each also for every target ("tp Edema"). \throws
/// Error(Exit::data) if a study has another number of visual tokens than the head expects
UnitLoss label_unit(const model::Qwen3VL& model, const policy::ReportWriter& writer,
                    const std::vector<policy::EncodedStudy>& studies, const LabelTargets& targets,
                    const std::vector<float>& positive_weight, const std::vector<int64_t>& unit,
                    const LabelHead& head, double scale, const Augmentation& augmentation = {},
                    const model::Pass& pass = {});

struct LabelEvaluation {
  double loss = 0;  ///< mean per known target
  double f1 = 0;    ///< micro F1 at 1/2
  std::vector<std::pair<std::string, double>> f1_by_target;
};
/// Its units are divided over the ranks of `world`, which all get the result.
LabelEvaluation evaluate_labels(const model::Qwen3VL& model, const policy::ReportWriter& writer,
                                const std::vector<policy::EncodedStudy>& studies,
                                const LabelTargets& targets,
                                const std::vector<float>& positive_weight, const LabelHead& head,
                                int threads, int64_t micro_batch, distributed::World& world);

}  // namespace unirg::train
