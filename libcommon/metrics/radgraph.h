// RadGraph F1: how much of two reports' graphs agrees, by four published rules. Pure graphs; the
// network that makes them is scoring's. Depends on text (case), io (JSON).
// Source: Jain et al. 2021 (arXiv:2106.14463); package radgraph 0.1.18 and Stanford-AIMI/radgraph
// 87f11a1, rewards.py; rajpurkarlab/CXR-Report-Metric 9c9ecad for RadCliQ's.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/jsonl.h"

namespace unirg::metrics {

struct GraphRelation {
  std::string label;  ///< modify, located_at, suggestive_of
  size_t target = 0;  ///< index into ReportGraph::entities
  bool operator==(const GraphRelation&) const = default;
};

struct GraphEntity {
  std::string tokens;      ///< words joined by blanks
  std::string label;       ///< e.g. "OBS-DP", "Observation::definitely present"
  int64_t first_word = 0;  ///< place in the report's words
  int64_t last_word = 0;   ///< inclusive
  std::vector<GraphRelation> relations = {};
  bool operator==(const GraphEntity&) const = default;
};

struct ReportGraph {
  std::string text;  ///< the words joined by blanks
  std::vector<GraphEntity> entities;
  bool operator==(const ReportGraph&) const = default;
};

/// The package's annotation of one report: {"text", "entities": {"1": {"tokens", "label",
/// "start_ix", "end_ix", "relations": [[type, number]]}}, "data_source": null, "data_split":
/// "inference"}.
io::Json graph_to_json(const ReportGraph& graph);
/// \throws Error(Exit::data) naming what is not as graph_to_json() writes it
ReportGraph graph_from_json(const io::Json& annotation);

enum class GraphCase {
  lowered,   ///< 87f11a1: all tokens in lower case
  as_0_1_18  ///< 0.1.18: as they are, but for entities with relations in `complete`
};

/// Each 0..1; all 0 if either graph has no entity. F1 of sets of (tokens, label) and:
struct GraphRewards {
  double simple = 0;    ///< nothing else
  double partial = 0;   ///< whether the entity has a relation
  double complete = 0;  ///< one element for each relation, with its type and its target's tokens
};
GraphRewards radgraph_rewards(const ReportGraph& hypothesis, const ReportGraph& reference,
                              GraphCase rule);

/// RadCliQ's and ReXrank's: tokens as they are; F1 of two empty sets is 0, so that identical
/// reports without relations get 1/2.
struct GraphOverlap {
  double entity = 0;    ///< F1 of (tokens, label)
  double relation = 0;  ///< F1 of (source tokens and label, target tokens and label, type)
  [[nodiscard]] double combined() const { return (entity + relation) / 2; }
};
GraphOverlap radcliq_graph_f1(const ReportGraph& hypothesis, const ReportGraph& reference);

}  // namespace unirg::metrics
