// Entity F1: what a report says, as sets. Entities are (condition, present | absent | uncertain);
// relations tie a present or uncertain condition to a side or zone, a severity, or a change. In the
// spirit of RadGraph F1 (Jain et al. 2021, arXiv:2106.14463), over the rule labeler's reading
// instead of a network's. Pure sets. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <tuple>

#include "text/labeler.h"

namespace unirg::metrics {

struct EntitySets {
  std::set<std::pair<size_t, text::Presence>> entities;  ///< condition index, presence
  std::set<std::tuple<size_t, std::string, std::string>>
      relations;  ///< condition index, "location" | "severity" | "change", value
};
/// Support devices give entities but no relations: where a wire lies is not a finding's place.
EntitySets entity_sets(const text::Reading& reading);

struct EntityScore {
  double entity = 0;    ///< F1 of the entity sets; 1 when both are empty
  double relation = 0;  ///< F1 of the relation sets; 1 when both are empty
  [[nodiscard]] double mean() const { return (entity + relation) / 2; }
};
EntityScore entity_f1(const EntitySets& hypothesis, const EntitySets& reference);

/// Unrewarded error count of a report: positive conditions missed + falsely called + called with a
/// wrong relation. No Finding is not counted, it follows from the others.
double error_count(const EntitySets& hypothesis, const EntitySets& reference);

}  // namespace unirg::metrics
