// SPDX-License-Identifier: Apache-2.0
#include "metrics/radgraph.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "text/python_text.h"

namespace unirg::metrics {
namespace {

using Element = std::vector<std::string>;  ///< what sets hold; length and order tell kinds apart
using Elements = std::set<Element>;

size_t common(const Elements& a, const Elements& b) {
  return static_cast<size_t>(
      std::count_if(a.begin(), a.end(), [&](const Element& e) { return b.contains(e); }));
}

/// In the source's order of operations, so that the last bit agrees too.
double f1(const Elements& h, const Elements& r) {
  const auto both = static_cast<double>(common(h, r));
  const double precision = h.empty() ? 0 : both / static_cast<double>(h.size());
  const double recall = r.empty() ? 0 : both / static_cast<double>(r.size());
  return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0;
}

struct RewardSets {
  Elements simple, partial, complete;
};

RewardSets reward_sets(const ReportGraph& graph, GraphCase rule) {
  const bool lowered = rule == GraphCase::lowered;
  const auto tokens = [&](const GraphEntity& e) {
    return lowered ? text::python_lower(e.tokens) : e.tokens;
  };
  RewardSets sets;
  for (const GraphEntity& e : graph.entities) {
    const Element alone{tokens(e), e.label};
    sets.simple.insert(alone);
    if (e.relations.empty()) {
      sets.partial.insert(alone);
      sets.complete.insert(alone);
      continue;
    }
    sets.partial.insert({tokens(e), e.label, "related"});
    for (const GraphRelation& relation : e.relations) {
      sets.complete.insert({text::python_lower(e.tokens), e.label, relation.label,
                            text::python_lower(graph.entities[relation.target].tokens)});
    }
  }
  return sets;
}

Elements relation_set(const ReportGraph& graph) {
  Elements set;
  for (const GraphEntity& e : graph.entities) {
    for (const GraphRelation& relation : e.relations) {
      const GraphEntity& target = graph.entities[relation.target];
      set.insert({e.tokens, e.label, target.tokens, target.label, relation.label});
    }
  }
  return set;
}

Elements entity_set(const ReportGraph& graph) {
  Elements set;
  for (const GraphEntity& e : graph.entities) set.insert({e.tokens, e.label});
  return set;
}

size_t entity_index(const std::string& number, size_t count) {
  const bool digits =
      !number.empty() && number.size() <= 9 &&
      std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
  const size_t n = digits ? std::stoul(number) : 0;
  if (n < 1 || n > count)
    throw Error(Exit::data, fmt::format("a relation names entity '{}' of {}", number, count));
  return n - 1;
}

GraphEntity entity_from_json(const io::Json& json, size_t count) {
  GraphEntity entity{.tokens = json.at("tokens").get<std::string>(),
                     .label = json.at("label").get<std::string>(),
                     .first_word = json.at("start_ix").get<int64_t>(),
                     .last_word = json.at("end_ix").get<int64_t>()};
  for (const io::Json& relation : json.at("relations")) {
    entity.relations.push_back({relation.at(0).get<std::string>(),
                                entity_index(relation.at(1).get<std::string>(), count)});
  }
  return entity;
}

}  // namespace

io::Json graph_to_json(const ReportGraph& graph) {
  io::Json entities = io::Json::object();
  for (size_t i = 0; i < graph.entities.size(); ++i) {
    const GraphEntity& e = graph.entities[i];
    io::Json relations = io::Json::array();
    for (const GraphRelation& relation : e.relations)
      relations.push_back({relation.label, std::to_string(relation.target + 1)});
    entities[std::to_string(i + 1)] = {{"tokens", e.tokens},
                                       {"label", e.label},
                                       {"start_ix", e.first_word},
                                       {"end_ix", e.last_word},
                                       {"relations", std::move(relations)}};
  }
  return {{"text", graph.text},
          {"entities", std::move(entities)},
          {"data_source", nullptr},
          {"data_split", "inference"}};
}

ReportGraph graph_from_json(const io::Json& annotation) {
  try {
    ReportGraph graph{.text = annotation.at("text").get<std::string>(), .entities = {}};
    const io::Json& entities = annotation.at("entities");
    for (size_t i = 0; i < entities.size(); ++i)
      graph.entities.push_back(
          entity_from_json(entities.at(std::to_string(i + 1)), entities.size()));
    return graph;
  } catch (const io::Json::exception& error) {
    throw Error(Exit::data, fmt::format("no RadGraph annotation: {}", error.what()));
  }
}

GraphRewards radgraph_rewards(const ReportGraph& hypothesis, const ReportGraph& reference,
                              GraphCase rule) {
  if (hypothesis.entities.empty() || reference.entities.empty()) return {};
  const RewardSets h = reward_sets(hypothesis, rule);
  const RewardSets r = reward_sets(reference, rule);
  return {f1(h.simple, r.simple), f1(h.partial, r.partial), f1(h.complete, r.complete)};
}

GraphOverlap radcliq_graph_f1(const ReportGraph& hypothesis, const ReportGraph& reference) {
  return {f1(entity_set(hypothesis), entity_set(reference)),
          f1(relation_set(hypothesis), relation_set(reference))};
}

}  // namespace unirg::metrics
