// SPDX-License-Identifier: Apache-2.0
#include "scoring/category_family.h"

#include <fmt/format.h>

#include <utility>

namespace unirg::scoring {
namespace {

using Stated = std::vector<std::optional<std::string>>;  // by category

const char* name_of(text::CategoryPick pick) {
  return pick == text::CategoryPick::first  ? "first"
         : pick == text::CategoryPick::last ? "last"
                                            : "highest";
}

io::Json json_of(const std::optional<std::string>& value) {
  return value ? io::Json(*value) : io::Json(nullptr);
}

}  // namespace

CategoryFamily::CategoryFamily(text::Categories categories) : categories_(std::move(categories)) {
  for (const text::CategoryInfo& info : categories_.infos()) {
    MetricInfo metric;
    metric.name = "category-" + info.name;
    metric.signature =
        fmt::format("{}:exact|pick:{}|categories:{}@{}|v1", metric.name, name_of(info.pick),
                    categories_.version(), categories_.digest().substr(0, 12));
    metric.meaning = "same " + info.meaning;
    metric.range = "0 or 1";
    metric.needs = "the category patterns";
    metric.source = "UniRG's patterns; used as AMRG does (arXiv:2508.09225)";
    metrics_.push_back(std::move(metric));
  }
}

std::vector<Scored> CategoryFamily::score(const TextGroup& group) const {
  const auto read = [&](const std::string& text) {
    Stated stated;
    for (size_t i = 0; i < metrics_.size(); ++i) stated.push_back(categories_.read(i, text));
    return stated;
  };
  const Stated reference = read(group.reference);
  std::vector<Scored> all;
  all.reserve(group.hypotheses.size());
  for (const std::string& text : group.hypotheses) {
    const Stated hypothesis = read(text);
    Scored scored;
    for (size_t i = 0; i < metrics_.size(); ++i) {
      const bool agree = hypothesis[i] == reference[i];
      const bool counted = reference[i].has_value();
      scored.values.push_back(counted ? std::optional<double>(agree ? 1 : 0) : std::nullopt);
      scored.sums.push_back(
          {metrics_[i].name, {counted && agree ? 1.0 : 0.0, counted ? 1.0 : 0.0}});
      if (hypothesis[i] || counted)
        scored.details[metrics_[i].name] = {{"reference", json_of(reference[i])},
                                            {"hypothesis", json_of(hypothesis[i])}};
    }
    all.push_back(std::move(scored));
  }
  return all;
}

}  // namespace unirg::scoring
