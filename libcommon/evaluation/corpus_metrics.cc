// SPDX-License-Identifier: Apache-2.0
#include "evaluation/corpus_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "metrics/coco_bleu.h"
#include "metrics/label_f1.h"
#include "metrics/radcliq.h"

namespace unirg::evaluation {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// Indices into kConditions.
constexpr std::array<size_t, 5> kFive{1, 4, 5, 7, 9};

metrics::Counts counts_at(const double* sums, size_t condition) {
  const double* v = sums + 3 * condition;
  return {static_cast<int64_t>(v[0]), static_cast<int64_t>(v[1]), static_cast<int64_t>(v[2])};
}

std::vector<metrics::Counts> label_counts(const double* sums, bool five) {
  std::vector<metrics::Counts> counts;
  for (size_t c = 0; c < text::kConditions.size(); ++c) {
    if (!five || std::find(kFive.begin(), kFive.end(), c) != kFive.end())
      counts.push_back(counts_at(sums, c));
  }
  return counts;
}

double micro(const double* sums, bool five) {
  metrics::Counts all;
  for (const metrics::Counts& c : label_counts(sums, five)) all += c;
  return all.f1();
}

/// Every label counts, those without any positive with 0 (scikit-learn's zero_division = 0).
double macro(const double* sums, bool five) {
  const auto counts = label_counts(sums, five);
  double sum = 0;
  for (const metrics::Counts& c : counts) sum += c.f1();
  return sum / static_cast<double>(counts.size());
}

CorpusMetric label_metric(const char* average, int labels, double (*value)(const double*, bool)) {
  const bool five = labels == 5;
  return {{.name = fmt::format("chexbert-{}-f1-{}", average, labels),
           .signature = "",
           .meaning = fmt::format("{} F1 of CheXbert's labels over the corpus, {} conditions",
                                  average, labels),
           .needs = "as chexbert-f1-14",
           .source = "Smit et al. 2020; f1chexbert 0.0.2"},
          "chexbert",
          3 * text::kConditions.size(),
          [value, five](const double* sums) { return value(sums, five); }};
}

CorpusMetric reciprocal(const char* name) {
  return {{.name = fmt::format("1/{}", name),
           .signature = "",
           .meaning = "reciprocal of the corpus mean, ReXrank's column; none where the mean is not "
                      "above 0",
           .range = "0..",
           .needs = fmt::format("as {}", name),
           .source = "Yu et al. 2023; ReXrank"},
          name,
          2,
          [](const double* v) {
            return v[1] > 0 ? metrics::radcliq_reciprocal(v[0] / v[1]).value_or(kNone) : kNone;
          }};
}

CorpusMetric corpus_bleu(size_t order) {
  return {{.name = fmt::format("coco-bleu{}-corpus", order),
           .signature = "",
           .meaning = fmt::format("COCO BLEU-{} of the counts summed over reports", order),
           .source = "Papineni et al. 2002; pycocoevalcap 1.2"},
          "coco-bleu",
          10,
          [order](const double* sums) { return metrics::coco_corpus_bleu(sums)[order - 1]; }};
}

}  // namespace

const std::vector<CorpusMetric>& corpus_metrics() {
  static const std::vector<CorpusMetric> all{
      corpus_bleu(1),
      corpus_bleu(2),
      corpus_bleu(3),
      corpus_bleu(4),
      label_metric("micro", 14, micro),
      label_metric("macro", 14, macro),
      label_metric("micro", 5, micro),
      label_metric("macro", 5, macro),
      reciprocal("radcliq-v0"),
      reciprocal("radcliq-v1"),
  };
  return all;
}

}  // namespace unirg::evaluation
