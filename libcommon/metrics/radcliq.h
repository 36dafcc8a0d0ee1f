// RadCliQ: linear models that turn four metrics into a radiologist's expected error count. Lower is
// better. Pure numbers. Source: Yu et al. 2023 (doi:10.1016/j.patter.2023.100802);
// rajpurkarlab/CXR-Report-Metric 9c9ecad, the two pickled models.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

namespace unirg::metrics {

struct RadCliqInputs {
  double radgraph = 0;   ///< radcliq_graph_f1().combined(), 0..1
  double bertscore = 0;  ///< F of distilroberta-base, layer 5, rescaled, no idf
  double sembscore = 0;  ///< cosine of CheXbert's vectors
  double bleu2 = 0;      ///< ReXrank's BLEU-2, 0..1
};

/// Perfect inputs (all 1) give -0.2421, all 0 give 5.5162. More BLEU is worse.
double radcliq_v0(const RadCliqInputs& inputs);
/// Perfect inputs give -1.4407, all 0 give 2.4501. BLEU's weight is nil (4e-12).
double radcliq_v1(const RadCliqInputs& inputs);

/// 1 / mean over a corpus, as ReXrank's board prints it; nullopt where the mean is not positive: an
/// inverse would rank the best last. Never of one report, whose RadCliQ crosses 0.
std::optional<double> radcliq_reciprocal(double corpus_mean);

}  // namespace unirg::metrics
