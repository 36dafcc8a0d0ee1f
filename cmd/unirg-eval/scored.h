// Where the outputs of unirg-eval come from: reports scored now, or score records of earlier runs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "evaluation/scores.h"
#include "options.h"
#include "scoring/composition.h"

namespace unirg {

/// Metric -> what exactly was computed.
using Signatures = std::map<std::string, std::string>;

struct Scored {
  std::vector<evaluation::Score> scores;
  Signatures signatures;
};

/// Scores PREDICTIONS against the references, by the metrics asked for and those of `composite`,
/// and writes --scores.
Scored score_reports(const EvalToolOptions& options, const scoring::Composition& composite,
                     cli::Context& context);

/// Reads the score records that `compare` names, with the signatures of their run records.
/// \throws Error(Exit::data) if two files have one metric with different signatures
Scored load_scores(const EvalToolOptions& options, cli::Context& context);

/// --list-metrics: every metric with range, direction, needs and source, to standard output.
void list_metrics(const EvalToolOptions& options);

/// `meta`: how metrics agree with human ratings.
Exit meta_evaluate(const EvalToolOptions& options, cli::Context& context);

/// `rexrank`: whether a submission fits its ground truth; ok, or the problems and Exit::data.
Exit check_rexrank(const EvalToolOptions& options, cli::Context& context);

/// `tensorboard`: metrics files as TensorBoard's event files below --logdir.
Exit write_events(const EvalToolOptions& options, cli::Context& context);

}  // namespace unirg
