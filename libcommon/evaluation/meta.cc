// SPDX-License-Identifier: Apache-2.0
#include "evaluation/meta.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/parallel.h"

namespace unirg::evaluation {
namespace {

using data::Json;
using scoring::HumanRating;

/// [pair][metric]
std::vector<std::vector<std::optional<double>>> score_pairs(scoring::Scorer& scorer,
                                                            const std::vector<HumanRating>& pairs,
                                                            int threads,
                                                            const std::function<bool()>& stopped) {
  std::vector<std::string> references;
  for (const HumanRating& pair : pairs) references.push_back(pair.reference);
  scorer.fit(references);
  std::vector<std::vector<std::optional<double>>> values;
  ordered_parallel(
      threads, static_cast<int64_t>(pairs.size()),
      [&](int64_t i) {
        const HumanRating& pair = pairs[static_cast<size_t>(i)];
        return std::move(scorer.score({pair.reference, {pair.candidate}}).front().values);
      },
      [&](int64_t, std::vector<std::optional<double>> row) {
        values.push_back(std::move(row));
        return !stopped || !stopped();
      });
  if (values.size() < pairs.size())
    throw Error(Exit::interrupted, "stopped before all pairs were scored (hint: run it again)");
  return values;
}

Agreement agreement(std::optional<double> (*statistic)(metrics::Values, metrics::Values),
                    const std::vector<double>& x, const std::vector<double>& y,
                    const metrics::Resampling& resampling) {
  Agreement result{statistic(x, y), std::nullopt};
  if (result.value && resampling.times > 0)
    result.interval = metrics::bootstrap_interval(statistic, x, y, resampling);
  return result;
}

std::string cell(const Agreement& a) {
  if (!a.value) return "none";
  if (!a.interval) return fmt::format("{:.3f}", *a.value);
  return fmt::format("{:.3f} [{:.3f}, {:.3f}]", *a.value, a.interval->low, a.interval->high);
}

Json json_of(const Agreement& a) {
  return {{"value", a.value ? Json(*a.value) : Json(nullptr)},
          {"lo", a.interval ? Json(a.interval->low) : Json(nullptr)},
          {"hi", a.interval ? Json(a.interval->high) : Json(nullptr)}};
}

std::string tsv_row(const MetricAgreement& m, const char* coefficient, const Agreement& a) {
  const auto text = [](std::optional<double> v) { return v ? fmt::format("{}", *v) : ""; };
  return fmt::format("{}\t{}\t{}\t{}\t{}\t{}\n", m.metric, coefficient, text(a.value),
                     text(a.interval ? std::optional(a.interval->low) : std::nullopt),
                     text(a.interval ? std::optional(a.interval->high) : std::nullopt), m.pairs);
}

}  // namespace

std::vector<MetricAgreement> meta_evaluate(scoring::Scorer& scorer,
                                           const std::vector<HumanRating>& ratings,
                                           const metrics::Resampling& resampling, int threads,
                                           const std::function<bool()>& stopped) {
  const auto values = score_pairs(scorer, ratings, threads, stopped);
  std::vector<MetricAgreement> agreements;
  for (size_t m = 0; m < scorer.metrics().size(); ++m) {
    const scoring::MetricInfo& info = scorer.metrics()[m];
    const double sign = info.better == scoring::Better::lower ? -1 : 1;
    std::vector<double> metric, people;
    for (size_t i = 0; i < ratings.size(); ++i) {
      if (!values[i][m]) continue;
      metric.push_back(sign * *values[i][m]);
      people.push_back(ratings[i].higher_is_better ? ratings[i].value : -ratings[i].value);
    }
    const auto pairs = static_cast<int64_t>(metric.size());
    agreements.push_back({info.name, info.signature, pairs,
                          static_cast<int64_t>(ratings.size()) - pairs,
                          agreement(metrics::kendall_tau_b, metric, people, resampling),
                          agreement(metrics::pearson, metric, people, resampling),
                          agreement(metrics::spearman, metric, people, resampling)});
  }
  return agreements;
}

Json meta_json(const std::vector<MetricAgreement>& agreements) {
  Json all = Json::object();
  for (const MetricAgreement& m : agreements) {
    all[m.metric] = {{"pairs", m.pairs},
                     {"missing", m.missing},
                     {"signature", m.signature},
                     {"kendall-tau-b", json_of(m.kendall)},
                     {"pearson", json_of(m.pearson)},
                     {"spearman", json_of(m.spearman)}};
  }
  return {{"schema", "unirg.meta/1"}, {"metrics", std::move(all)}};
}

std::string meta_markdown(const std::vector<MetricAgreement>& agreements) {
  std::string text =
      "Agreement with people; above 0 the metric and they prefer the same reports.\n\n"
      "| metric | pairs | Kendall tau-b | Pearson | Spearman |\n| --- | --- | --- | --- | --- |\n";
  for (const MetricAgreement& m : agreements)
    text += fmt::format("| {} | {} | {} | {} | {} |\n", m.metric, m.pairs, cell(m.kendall),
                        cell(m.pearson), cell(m.spearman));
  text += "\nSignatures:\n\n";
  for (const MetricAgreement& m : agreements) text += fmt::format("    {}\n", m.signature);
  return text;
}

std::string meta_tsv(const std::vector<MetricAgreement>& agreements) {
  std::string text = "metric\tcoefficient\tvalue\tlo\thi\tpairs\n";
  for (const MetricAgreement& m : agreements) {
    text += tsv_row(m, "kendall-tau-b", m.kendall) + tsv_row(m, "pearson", m.pearson) +
            tsv_row(m, "spearman", m.spearman);
  }
  return text;
}

}  // namespace unirg::evaluation
