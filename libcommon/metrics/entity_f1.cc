// SPDX-License-Identifier: Apache-2.0
#include "metrics/entity_f1.h"

#include <algorithm>

namespace unirg::metrics {
namespace {

template <typename T>
double set_f1(const std::set<T>& hypothesis, const std::set<T>& reference) {
  if (hypothesis.empty() && reference.empty()) return 1;
  const auto common = std::count_if(hypothesis.begin(), hypothesis.end(),
                                    [&](const T& item) { return reference.contains(item); });
  return 2.0 * static_cast<double>(common) /
         static_cast<double>(hypothesis.size() + reference.size());
}

std::set<std::pair<std::string, std::string>> relations_of(const EntitySets& sets,
                                                           size_t condition) {
  std::set<std::pair<std::string, std::string>> found;
  for (const auto& [c, kind, value] : sets.relations) {
    if (c == condition) found.emplace(kind, value);
  }
  return found;
}

}  // namespace

EntitySets entity_sets(const text::Reading& reading) {
  EntitySets sets;
  for (const text::Entity& e : reading.entities) {
    sets.entities.emplace(e.condition, e.presence);
    if (e.presence == text::Presence::negative || e.condition == text::kSupportDevices) continue;
    for (const std::string& location : e.locations) {
      if (location == "bilateral") {  // both sides, said in one word
        sets.relations.emplace(e.condition, "location", "left");
        sets.relations.emplace(e.condition, "location", "right");
      } else {
        sets.relations.emplace(e.condition, "location", location);
      }
    }
    if (!e.severity.empty()) sets.relations.emplace(e.condition, "severity", e.severity);
    if (!e.change.empty()) sets.relations.emplace(e.condition, "change", e.change);
  }
  return sets;
}

EntityScore entity_f1(const EntitySets& hypothesis, const EntitySets& reference) {
  return {set_f1(hypothesis.entities, reference.entities),
          set_f1(hypothesis.relations, reference.relations)};
}

double error_count(const EntitySets& hypothesis, const EntitySets& reference) {
  double errors = 0;
  for (size_t c = 0; c < text::kNoFinding; ++c) {
    const bool called = hypothesis.entities.contains({c, text::Presence::positive});
    const bool present = reference.entities.contains({c, text::Presence::positive});
    if (called != present) ++errors;
    if (called && present && relations_of(hypothesis, c) != relations_of(reference, c)) ++errors;
  }
  return errors;
}

}  // namespace unirg::metrics
