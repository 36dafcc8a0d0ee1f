// Results in ReXrank's forms (rajpurkarlab/ReXrank, rajpurkarlab/CXR-Report-Metric): the prediction
// file, the table of per-report scores, the row of the leaderboard. Text out, nothing is written.
// Depends on scores.h, comparison.h. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "evaluation/comparison.h"
#include "evaluation/scores.h"

namespace unirg::evaluation {

/// One JSON object, study id to {"report": reference, "model_prediction": what was scored}.
std::string rexrank_predictions(const std::vector<Score>& scores);

/// CSV: study_id, then the official columns (bleu_score, bertscore, semb_score, radgraph_combined,
/// RadCliQ-v0, RadCliQ-v1, ratescore, green_score) of the metrics that were computed; an empty cell
/// where a metric has no value. Never a reciprocal per report: RadCliQ crosses zero.
std::string rexrank_scores(const std::vector<Score>& scores);

/// CSV with a row for each system and split: Model, Split, BLEU, BertScore, SembScore, RadGraph,
/// 1/RadCliQ-v1, RaTEScore, GREEN, 1/FineRadScore, each rounded to 3 decimals as on the board; "-"
/// where it was not computed or has no value, and for FineRadScore, which has no published formula.
std::string rexrank_leaderboard(const Comparison& comparison);

}  // namespace unirg::evaluation
