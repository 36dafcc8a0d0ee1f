// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "evaluation/corpus_metrics.h"
#include "io/atomic_file.h"
#include "scored.h"
#include "scoring/scorer.h"

namespace unirg {
namespace {

using scoring::MetricInfo;

const char* direction(const MetricInfo& metric) {
  return metric.better == scoring::Better::higher  ? "higher is better"
         : metric.better == scoring::Better::lower ? "lower is better"
                                                   : "neither";
}

/// Per-report metrics, then those of a corpus, which come by themselves with the former.
std::vector<std::pair<MetricInfo, const char*>> all_metrics(const EvalToolOptions& o) {
  std::vector<std::pair<MetricInfo, const char*>> all;
  for (MetricInfo& metric : scoring::known_metrics(o.scoring))
    all.emplace_back(std::move(metric), "report");
  for (const evaluation::CorpusMetric& metric : evaluation::corpus_metrics())
    all.emplace_back(metric.info, "corpus");
  for (MetricInfo& metric : evaluation::condition_metrics())
    all.emplace_back(std::move(metric), "corpus");
  all.emplace_back(MetricInfo{.name = "composite",
                              .signature = "",
                              .meaning = "what --composite or --composition makes of the others",
                              .range = "as its terms",
                              .needs = "--composite or --composition",
                              .source = "UniRG, arXiv:2601.17151"},
                   "report");
  return all;
}

io::Json json_of(const MetricInfo& metric, const char* level) {
  return {{"name", metric.name},       {"level", level},
          {"range", metric.range},     {"direction", direction(metric)},
          {"needs", metric.needs},     {"source", metric.source},
          {"meaning", metric.meaning}, {"signature", metric.signature}};
}

}  // namespace

void list_metrics(const EvalToolOptions& o) {
  io::Json list = io::Json::array();
  std::string table =
      "| metric | level | range | direction | needs | source |\n"
      "| --- | --- | --- | --- | --- | --- |\n";
  std::string tsv = "metric\tlevel\trange\tdirection\tneeds\tsource\tmeaning\n";
  for (const auto& [metric, level] : all_metrics(o)) {
    list.push_back(json_of(metric, level));
    table += fmt::format("| {} | {} | {} | {} | {} | {} |\n", metric.name, level, metric.range,
                         direction(metric), metric.needs, metric.source);
    tsv += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\n", metric.name, level, metric.range,
                       direction(metric), metric.needs, metric.source, metric.meaning);
  }
  io::AtomicFile out("-");
  out.write(o.format == "json" ? list.dump(2) + "\n" : o.format == "tsv" ? tsv : table);
  out.commit();
}

}  // namespace unirg
