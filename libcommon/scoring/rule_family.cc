// SPDX-License-Identifier: Apache-2.0
#include "scoring/rule_family.h"

#include <fmt/format.h>

#include <utility>

#include "metrics/entity_f1.h"
#include "metrics/label_f1.h"

namespace unirg::scoring {
namespace {

struct Read {
  metrics::ConditionSet called{};
  metrics::EntitySets entities;
};

Scored compare(const Read& hypothesis, const Read& reference) {
  const metrics::EntityScore entity = metrics::entity_f1(hypothesis.entities, reference.entities);
  Scored scored;
  scored.values = {metrics::label_f1(hypothesis.called, reference.called), entity.mean(),
                   entity.entity, entity.relation,
                   metrics::error_count(hypothesis.entities, reference.entities)};
  return scored;
}

}  // namespace

std::string lexicon_tag(const text::Labeler& labeler) {
  return fmt::format("{}@{}", labeler.version(), labeler.digest().substr(0, 12));
}

RuleFamily::RuleFamily(text::Labeler labeler, bool uncertain_is_positive)
    : labeler_(std::move(labeler)), uncertain_is_positive_(uncertain_is_positive) {
  const std::string tag = lexicon_tag(labeler_);
  const auto with = [&](const char* name) { return fmt::format("{}|lexicon:{}|v1", name, tag); };
  const std::string labels = fmt::format("label-f1:rule|14|per-report|lexicon:{}|uncertain:{}|v1",
                                         tag, uncertain_is_positive ? "positive" : "negative");
  metrics_ = {{"label-f1", labels, "F1 of the conditions a report calls"},
              {"entity-f1", with("entity-f1:rule|mean-of-entity-and-relation"),
               "mean of entity F1 and relation F1"},
              {"entity-only-f1", with("entity-only-f1:rule"), "F1 over (condition, presence)"},
              {"relation-f1", with("relation-f1:rule"),
               "F1 over (condition, location | severity | change)"},
              {"errors", with("errors:rule|missed+false+wrong-attribute"),
               "wrong statements a report", Better::lower, 2, "0.."}};
  for (MetricInfo& metric : metrics_) {
    metric.needs = "the lexicon";
    metric.source = "UniRG's rule labeler";
  }
}

std::vector<Scored> RuleFamily::score(const TextGroup& group) const {
  const auto read = [&](const std::string& text) {
    const text::Reading reading = labeler_.read(text);
    return Read{metrics::called_conditions(reading.labels, uncertain_is_positive_),
                metrics::entity_sets(reading)};
  };
  const Read reference = read(group.reference);
  std::vector<Scored> all;
  all.reserve(group.hypotheses.size());
  for (const std::string& hypothesis : group.hypotheses)
    all.push_back(compare(read(hypothesis), reference));
  return all;
}

}  // namespace unirg::scoring
