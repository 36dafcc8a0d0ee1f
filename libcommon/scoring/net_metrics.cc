// Names, signatures and meanings of the metrics of networks.
// SPDX-License-Identifier: Apache-2.0
#include "scoring/net_metrics.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"

namespace unirg::scoring {
namespace {

/// "|weights:A+B", or nothing when they are not loaded.
std::string weights(const std::vector<std::string>& digests) {
  std::string out;
  for (const std::string& digest : digests) {
    if (!digest.empty()) out += (out.empty() ? "|weights:" : "+") + digest;
  }
  return out;
}

std::string baseline_name(const NetOptions& o) {
  if (o.bertscore_baseline == "built-in" || o.bertscore_baseline == "none")
    return o.bertscore_baseline;
  std::error_code ignored;
  if (!std::filesystem::exists(o.bertscore_baseline, ignored)) return "file";
  return "file-" + sha256_file(o.bertscore_baseline).substr(0, 12);
}

const char* yes_no(bool value) { return value ? "yes" : "no"; }

struct Kind {
  NetMetric metric;
  const char* name;
  const char* meaning;
  const char* range;
  const char* source;
};

constexpr const char* kBertScore = "Zhang et al. 2020; bert-score 0.3.13";
constexpr const char* kChexbert = "Smit et al. 2020; f1chexbert 0.0.2";
constexpr const char* kRadgraph = "Jain et al. 2021; Stanford-AIMI/radgraph 87f11a1";
constexpr const char* kRadgraph18 = "Jain et al. 2021; radgraph 0.1.18";
constexpr const char* kRadCliq = "Yu et al. 2023; rajpurkarlab/CXR-Report-Metric 9c9ecad";

constexpr Kind kKinds[] = {
    {NetMetric::bertscore_f, "bertscore", "words matched by meaning, F", "below 1", kBertScore},
    {NetMetric::bertscore_p, "bertscore-p", "words matched by meaning, precision", "below 1",
     kBertScore},
    {NetMetric::bertscore_r, "bertscore-r", "words matched by meaning, recall", "below 1",
     kBertScore},
    {NetMetric::sembscore, "sembscore", "cosine of CheXbert's report vectors", "-1..1", kRadCliq},
    {NetMetric::chexbert_f1_14, "chexbert-f1-14", "F1 of one report's 14 CheXbert labels", "0..1",
     kChexbert},
    {NetMetric::chexbert_f1_5, "chexbert-f1-5", "F1 of one report's 5 common CheXbert labels",
     "0..1", kChexbert},
    {NetMetric::radgraph, "radgraph", "mean F1 of RadGraph's entities and relations", "0..1",
     kRadCliq},
    {NetMetric::simple, "radgraph-simple", "RadGraph F1 of entities", "0..1", kRadgraph},
    {NetMetric::partial, "radgraph-partial",
     "RadGraph F1 of entities and whether they have relations", "0..1", kRadgraph},
    {NetMetric::complete, "radgraph-complete", "RadGraph F1 of entities with their relations",
     "0..1", kRadgraph},
    {NetMetric::simple_0_1_18, "radgraph-simple-0.1.18", "the same, as release 0.1.18 has case",
     "0..1", kRadgraph18},
    {NetMetric::partial_0_1_18, "radgraph-partial-0.1.18", "the same, as release 0.1.18 has case",
     "0..1", kRadgraph18},
    {NetMetric::complete_0_1_18, "radgraph-complete-0.1.18", "the same, as release 0.1.18 has case",
     "0..1", kRadgraph18},
    {NetMetric::radcliq_v0, "radcliq-v0", "expected errors, older model", "about -0.2..6",
     kRadCliq},
    {NetMetric::radcliq_v1, "radcliq-v1", "expected errors; board: 1/mean", "about -1.4..3",
     kRadCliq},
    {NetMetric::ratescore, "ratescore", "medical entities matched by meaning", "0..1",
     "Zhao et al. 2024; ratescore 0.6.0"},
};

bool uses_radgraph(NetMetric m) {
  return m >= NetMetric::radgraph && m <= NetMetric::complete_0_1_18;
}

std::string bertscore_signature(const NetOptions& o, const char* part, const NetDigests& d) {
  return fmt::format(
      "{}|model:{}|layer:{}|idf:{}|rescale:{}|tokens:own-512|spaces:single|rule:bert-score-0.3.13{"
      "}",
      part, o.bertscore_model, o.bertscore_layer, yes_no(o.bertscore_idf), baseline_name(o),
      weights({d.bertscore}));
}

std::string signature(const Kind& kind, const NetOptions& o, const NetDigests& d) {
  const auto labels = [&](const char* set) {
    return fmt::format("model:chexbert|labels:{}|uncertain:{}|both-empty:1|rule:f1chexbert-0.0.2{}",
                       set, o.uncertain_is_positive ? "positive" : "negative",
                       weights({d.chexbert}));
  };
  const auto graphs = [&](const char* rule) {
    const bool first = o.radgraph_model == "radgraph";
    return fmt::format("model:{}|words:{}|rule:{}{}", o.radgraph_model, first ? "v1" : "xl", rule,
                       weights({d.radgraph}));
  };
  const std::string radcliq = fmt::format(
      "radgraph:radgraph-combined|bertscore:distilroberta-base-L5-rescaled|idf:no|sembscore:"
      "chexbert|"
      "bleu2:rexrank|rule:CXR-Report-Metric-9c9ecad{}",
      weights({d.radcliq_radgraph, d.radcliq_bertscore, d.chexbert}));
  switch (kind.metric) {
    case NetMetric::bertscore_f:
      return bertscore_signature(o, "f", d);
    case NetMetric::bertscore_p:
      return bertscore_signature(o, "p", d);
    case NetMetric::bertscore_r:
      return bertscore_signature(o, "r", d);
    case NetMetric::sembscore:
      return fmt::format("model:chexbert|vector:first-token|rule:CXR-Report-Metric-9c9ecad{}",
                         weights({d.chexbert}));
    case NetMetric::chexbert_f1_14:
      return labels("14");
    case NetMetric::chexbert_f1_5:
      return labels("5");
    case NetMetric::radgraph:
      return graphs("CXR-Report-Metric-9c9ecad|case:kept");
    case NetMetric::simple:
    case NetMetric::partial:
    case NetMetric::complete:
      return graphs("radgraph-87f11a1|case:lower");
    case NetMetric::simple_0_1_18:
    case NetMetric::partial_0_1_18:
    case NetMetric::complete_0_1_18:
      return graphs("radgraph-0.1.18|case:kept-but-related");
    case NetMetric::radcliq_v0:
    case NetMetric::radcliq_v1:
      return radcliq;
    case NetMetric::ratescore:
      return fmt::format(
          "entities:rate-ner-deberta|vectors:biolord-2023-c|matrix:{}|sentences:medspacy-1.3.1|"
          "rule:ratescore-0.6.0{}",
          o.ratescore_matrix, weights({d.rate_recognizer, d.rate_encoder}));
  }
  UNIRG_ASSERT(false, "unknown metric");
}

std::string needs(NetMetric m, const NetOptions& o) {
  if (m <= NetMetric::bertscore_r) return "folder " + o.bertscore_model;
  if (m <= NetMetric::chexbert_f1_5) return "folder chexbert";
  if (uses_radgraph(m)) return "folder " + o.radgraph_model;
  if (m == NetMetric::ratescore) return "folders rate-ner-deberta, biolord-2023-c";
  return "folders radgraph, distilroberta-base, chexbert";
}

}  // namespace

std::vector<NetMetricInfo> known_net_metrics(const NetOptions& options, const NetDigests& digests) {
  std::vector<NetMetricInfo> out;
  const std::string batch =
      options.batch_size > 1 ? fmt::format("|batch:{}", options.batch_size) : "";
  for (const Kind& kind : kKinds) {
    const bool error = kind.metric == NetMetric::radcliq_v0 || kind.metric == NetMetric::radcliq_v1;
    MetricInfo info;
    info.name = kind.name;
    info.signature = fmt::format("{}|{}{}|v1", kind.name, signature(kind, options, digests), batch);
    info.meaning = kind.meaning;
    info.better = error ? Better::lower : Better::higher;
    info.range = kind.range;
    info.needs = needs(kind.metric, options);
    info.source = kind.source;
    UNIRG_ASSERT(static_cast<size_t>(kind.metric) == out.size(), "kinds in the order of NetMetric");
    out.push_back({kind.metric, std::move(info)});
  }
  return out;
}

std::vector<MetricInfo> net_metrics(const NetOptions& options) {
  std::vector<MetricInfo> out;
  for (NetMetricInfo& known : known_net_metrics(options, {})) out.push_back(std::move(known.info));
  return out;
}

}  // namespace unirg::scoring
