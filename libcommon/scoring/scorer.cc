// SPDX-License-Identifier: Apache-2.0
#include "scoring/scorer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "metrics/bleu.h"
#include "metrics/rouge.h"

namespace unirg::scoring {
namespace {

double value_of(const std::string& name, const Prepared& h, const Prepared& r) {
  if (name == "bleu2") return metrics::bleu2(h.bleu_tokens, r.bleu_tokens);
  if (name == "rouge-l") return metrics::rouge_l(h.rouge_tokens, r.rouge_tokens);
  if (name == "label-f1") return metrics::label_f1(h.called, r.called);
  if (name == "entity-f1") return metrics::entity_f1(h.entities, r.entities).mean();
  if (name == "entity-only-f1") return metrics::entity_f1(h.entities, r.entities).entity;
  if (name == "relation-f1") return metrics::entity_f1(h.entities, r.entities).relation;
  if (name == "errors") return metrics::error_count(h.entities, r.entities);
  if (name == "words") return static_cast<double>(h.rouge_tokens.size());
  UNIRG_ASSERT(false, "metric without a formula");
}

}  // namespace

std::vector<MetricInfo> known_metrics(const std::string& lexicon) {
  const auto with = [&](const char* name) {
    return fmt::format("{}|lexicon:{}|v1", name, lexicon);
  };
  return {
      {"bleu2", "bleu2:rexrank|lower|smooth1|v1", "BLEU with 1- and 2-grams, per report (ReXrank)"},
      {"rouge-l", "rouge-l:rouge-score|nostem|f1|v1", "longest common subsequence F1"},
      {"label-f1", with("label-f1:rule|14|per-report"), "F1 of the conditions a report calls"},
      {"entity-f1", with("entity-f1:rule|mean-of-entity-and-relation"),
       "mean of entity F1 and relation F1"},
      {"entity-only-f1", with("entity-only-f1:rule"), "F1 over (condition, presence)"},
      {"relation-f1", with("relation-f1:rule"),
       "F1 over (condition, location | severity | change)"},
      {"errors", with("errors:rule|missed+false+wrong-attribute"), "wrong statements a report",
       false, 2},
      {"words", "words:rouge-tokens|v1", "words of the generated report", true, 1}};
}

Scorer::Scorer(std::vector<std::string> names, const std::filesystem::path& lexicon,
               bool uncertain_is_positive)
    : labeler_(lexicon), uncertain_is_positive_(uncertain_is_positive) {
  const std::vector<MetricInfo> known = known_metrics(labeler_.version());
  std::vector<std::string> known_names;
  for (const MetricInfo& metric : known) known_names.push_back(metric.name);
  if (names.empty()) names = known_names;
  for (const std::string& name : names) {
    const auto it = std::find_if(known.begin(), known.end(),
                                 [&](const MetricInfo& m) { return m.name == name; });
    if (it == known.end())
      throw Error(Exit::config, fmt::format("unknown metric '{}' (hint: known are {})", name,
                                            fmt::join(known_names, ", ")));
    chosen_.push_back(*it);
  }
}

Prepared Scorer::prepare(const std::string& text) const {
  Prepared p{text, metrics::rexrank_tokens(text), metrics::rouge_tokens(text), {}, {}};
  const text::Reading reading = labeler_.read(text);
  p.called = metrics::called_conditions(reading.labels, uncertain_is_positive_);
  p.entities = metrics::entity_sets(reading);
  return p;
}

std::vector<double> Scorer::score(const Prepared& hypothesis, const Prepared& reference) const {
  std::vector<double> values;
  for (const MetricInfo& metric : chosen_)
    values.push_back(value_of(metric.name, hypothesis, reference));
  return values;
}

}  // namespace unirg::scoring
