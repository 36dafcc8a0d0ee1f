// SPDX-License-Identifier: Apache-2.0
#include "evaluation/corpus_metrics.h"

#include <fmt/format.h>

#include <limits>

#include "metrics/radcliq.h"
#include "scoring/label_sums.h"
#include "scoring/text_family.h"
#include "text/lexicon.h"

namespace unirg::evaluation {
namespace {

constexpr size_t kBleuSums = 10;    ///< metrics::BleuStatistics::numbers()
constexpr size_t kMeteorSums = 21;  ///< metrics::MeteorStatistics::numbers()
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kUnbounded = std::numeric_limits<double>::infinity();

/// F1 over the corpus, of one way to average.
struct Average {
  const char* name;
  double (*f1)(const metrics::LabelReport& report);
};

constexpr Average kAverages[] = {
    {"micro", [](const metrics::LabelReport& report) { return report.micro.f1; }},
    {"macro", [](const metrics::LabelReport& report) { return report.macro.f1; }},
    {"weighted", [](const metrics::LabelReport& report) { return report.weighted.f1; }},
    {"samples", [](const metrics::LabelReport& report) { return report.samples.f1; }},
};

CorpusMetric label_metric(const Average& average, bool five) {
  return {
      {.name = fmt::format("chexbert-{}-f1-{}", average.name, five ? 5 : 14),
       .signature = "",
       .meaning = fmt::format("F1 of CheXbert's labels over the corpus, {} average, {} conditions",
                              average.name, five ? "5" : "14"),
       .needs = "as chexbert-f1-14",
       .source = "Smit et al. 2020; f1chexbert 0.0.2"},
      "chexbert",
      scoring::kLabelSums,
      [f1 = average.f1, five](const double* sums) {
        return f1(scoring::label_report(sums, five));
      }};
}

CorpusMetric label_metric(size_t condition) {
  const std::string name(text::kConditions[condition]);
  return {{.name = fmt::format("chexbert-f1:{}", name),
           .signature = "",
           .meaning = fmt::format("F1 of CheXbert's label {} over the corpus", name),
           .needs = "as chexbert-f1-14",
           .source = "Smit et al. 2020; f1chexbert 0.0.2"},
          "chexbert",
          scoring::kLabelSums,
          [condition](const double* sums) {
            return scoring::label_report(sums, false).each[condition].f1;
          }};
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
            // Past the pole all means are better than any above 0: resamples there move the upper
            // limit of an interval without bound, as the mean's interval says.
            return v[1] > 0 ? metrics::radcliq_reciprocal(v[0] / v[1]).value_or(kUnbounded) : kNone;
          },
          1};
}

CorpusMetric corpus_bleu(size_t order) {
  return {{.name = fmt::format("coco-bleu{}-corpus", order),
           .signature = "",
           .meaning = fmt::format("COCO BLEU-{} of the counts summed over reports", order),
           .source = "Papineni et al. 2002; pycocoevalcap 1.2"},
          "coco-bleu",
          kBleuSums,
          [order](const double* sums) {
            return scoring::corpus_coco_bleu({sums, sums + kBleuSums})[order - 1];
          }};
}

CorpusMetric corpus_meteor() {
  return {{.name = "meteor-corpus",
           .signature = "",
           .meaning = "METEOR of the statistics summed over reports",
           .source = "Denkowski and Lavie 2014; METEOR 1.5"},
          "meteor",
          kMeteorSums,
          [](const double* sums) {
            return scoring::corpus_meteor({sums, sums + kMeteorSums});
          }};
}

}  // namespace

const std::vector<CorpusMetric>& corpus_metrics() {
  static const std::vector<CorpusMetric> all = [] {
    std::vector<CorpusMetric> list;
    for (const size_t order : {1, 2, 3, 4}) list.push_back(corpus_bleu(order));
    list.push_back(corpus_meteor());
    for (const bool five : {false, true}) {
      for (const Average& average : kAverages) list.push_back(label_metric(average, five));
    }
    for (size_t c = 0; c < text::kConditions.size(); ++c) list.push_back(label_metric(c));
    list.push_back(reciprocal("radcliq-v0"));
    list.push_back(reciprocal("radcliq-v1"));
    return list;
  }();
  return all;
}

std::vector<scoring::MetricInfo> condition_metrics() {
  const std::string source = "UniRG's rule labeler, 13 conditions: all but No Finding";
  return {{.name = "micro-f1",
           .signature = "",
           .meaning = "F1 of the conditions called, their counts summed over the corpus",
           .needs = "the lexicon",
           .source = source},
          {.name = "macro-f1",
           .signature = "",
           .meaning = "mean over conditions of their F1 over the corpus",
           .needs = "the lexicon",
           .source = source},
          {.name = "call-rate",
           .signature = "",
           .meaning = "conditions called over conditions in the references",
           .better = scoring::Better::neither,
           .range = "0..",
           .needs = "the lexicon",
           .source = source}};
}

}  // namespace unirg::evaluation
