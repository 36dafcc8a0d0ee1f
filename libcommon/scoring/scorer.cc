// SPDX-License-Identifier: Apache-2.0
#include "scoring/scorer.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/error.h"
#include "scoring/answer_family.h"
#include "scoring/category_family.h"
#include "scoring/rule_family.h"

namespace unirg::scoring {
namespace {

using Names = std::vector<std::string>;

/// A kind of family: what it knows, and how one is made that knows at least some of it. Both may
/// read files, so they are asked only when it matters.
struct Kind {
  std::function<std::vector<MetricInfo>()> infos;
  std::function<std::unique_ptr<Family>(const Names&)> make;
  Names names = {};  ///< of the metrics, where they hang on no file; else empty
  bool reads_labels = false;
  int64_t waiting_threads = 1;
};

/// A family of a file that comes with the tools. Where that one is not there, the family has
/// nothing to list, and what it is asked for is an error that names the option.
template <typename T, typename... Arguments>
Kind installed_kind(const std::filesystem::path& file, const char* option, Arguments... arguments) {
  return {
      [=] { return file.empty() ? std::vector<MetricInfo>() : T(file, arguments...).metrics(); },
      [=](const Names& names) {
        if (file.empty())
          throw Error(Exit::no_input,
                      fmt::format("metric '{}' needs a file that is not installed (hint: --{} "
                                  "FILE, or make install)",
                                  names.front(), option));
        return std::make_unique<T>(file, arguments...);
      }};
}

std::vector<Kind> kinds(const MetricOptions& o) {
  Kind rules = installed_kind<RuleFamily>(o.lexicon, "lexicon", o.uncertain_is_positive);
  rules.names = RuleFamily::names();
  rules.reads_labels = true;
  Kind answers = installed_kind<AnswerFamily>(o.lexicon, "lexicon", o.uncertain_is_positive);
  answers.names = AnswerFamily::names();
  Kind judges{[&o] { return judge_metrics(o.judge); },
              [&o](const Names& names) { return judge_family(names, o.judge); }};
  if (o.judge.backend == "http") judges.waiting_threads = o.judge.concurrency;
  return {{[&o] { return text_metrics(o.text); },
           [&o](const Names& names) { return text_family(names, o.text); }},
          std::move(rules),
          std::move(answers),
          {[&o] { return net_metrics(o.net); },
           [&o](const Names& names) { return net_family(names, o.net); }},
          std::move(judges),
          installed_kind<CategoryFamily>(o.categories, "categories")};
}

Names names_of(const Kind& kind) {
  if (!kind.names.empty()) return kind.names;
  Names names;
  for (const MetricInfo& metric : kind.infos()) names.push_back(metric.name);
  return names;
}

bool knows(const Kind& kind, const std::string& name) {
  const Names names = names_of(kind);
  return std::find(names.begin(), names.end(), name) != names.end();
}

[[noreturn]] void refuse(const std::string& name, const std::vector<Kind>& kinds) {
  Names known;
  for (const Kind& kind : kinds) {
    const Names names = names_of(kind);
    known.insert(known.end(), names.begin(), names.end());
  }
  const std::string nearest = nearest_name(name, known);
  throw Error(Exit::config,
              fmt::format("unknown metric '{}' (hint: {}unirg-eval --list-metrics shows all)", name,
                          nearest.empty() ? "" : fmt::format("did you mean '{}'? ", nearest)));
}

/// A metric named twice is computed once.
Names without_repeats(const Names& names) {
  Names kept;
  for (const std::string& name : names) {
    if (std::find(kept.begin(), kept.end(), name) == kept.end()) kept.push_back(name);
  }
  return kept;
}

/// \param all not only what a judge said
void merge_details(io::Json& into, const io::Json& from, bool all) {
  if (from.is_null()) return;
  for (const auto& [name, detail] : from.items()) {
    if (all || name == "judge") into[name] = detail;
  }
}

}  // namespace

std::vector<MetricInfo> known_metrics(const MetricOptions& options) {
  std::vector<MetricInfo> all;
  for (const Kind& kind : kinds(options)) {
    const std::vector<MetricInfo> infos = kind.infos();
    all.insert(all.end(), infos.begin(), infos.end());
  }
  return all;
}

std::vector<std::string> default_metrics() {
  return {"bleu2",          "rouge-l",     "label-f1", "entity-f1",
          "entity-only-f1", "relation-f1", "errors",   "words"};
}

Scorer::Scorer(std::vector<std::string> names, const MetricOptions& options)
    : uncertain_is_positive_(options.uncertain_is_positive), details_(options.details) {
  names = names.empty() ? default_metrics() : without_repeats(names);
  const std::vector<Kind> all = kinds(options);
  std::vector<Names> asked(all.size());
  for (const std::string& name : names) {
    const auto kind =
        std::find_if(all.begin(), all.end(), [&](const Kind& k) { return knows(k, name); });
    if (kind == all.end()) refuse(name, all);
    asked[static_cast<size_t>(kind - all.begin())].push_back(name);
  }
  chosen_.resize(names.size());
  places_.resize(names.size());
  for (size_t k = 0; k < all.size(); ++k) {
    if (asked[k].empty()) continue;
    families_.push_back(all[k].make(asked[k]));
    waits_.push_back(all[k].waiting_threads > 1);
    const std::vector<MetricInfo>& infos = families_.back()->metrics();
    for (size_t m = 0; m < infos.size(); ++m) {
      const auto name = std::find(names.begin(), names.end(), infos[m].name);
      if (name == names.end()) continue;
      const auto at = static_cast<size_t>(name - names.begin());
      chosen_[at] = infos[m];
      places_[at] = {families_.size() - 1, m};
    }
    if (all[k].reads_labels) labeler_.emplace(options.lexicon);
    waiting_threads_ = std::max(waiting_threads_, all[k].waiting_threads);
  }
}

bool Scorer::needs_fit() const {
  return std::any_of(families_.begin(), families_.end(),
                     [](const auto& family) { return family->needs_fit(); });
}

void Scorer::fit(const std::vector<std::string>& references) {
  for (const auto& family : families_) {
    if (family->needs_fit()) family->fit(references);
  }
  for (size_t m = 0; m < chosen_.size(); ++m)  // a signature may name what was fitted
    chosen_[m] = families_[places_[m].family]->metrics()[places_[m].metric];
}

std::string Scorer::label_signature() const {
  UNIRG_ASSERT(labeler_.has_value(), "no metric of the rule labeler was chosen");
  return fmt::format("rule|lexicon:{}|uncertain:{}|v1", lexicon_tag(*labeler_),
                     uncertain_is_positive_ ? "positive" : "negative");
}

int Scorer::threads(int64_t asked, int64_t group_size) {
  const int64_t waiting = (waiting_threads_ + group_size - 1) / std::max<int64_t>(1, group_size);
  if (waiting <= asked) return static_cast<int>(asked);
  cores_ = std::make_unique<std::counting_semaphore<>>(asked);
  return static_cast<int>(waiting);
}

std::vector<Scored> Scorer::score_family(size_t family, const TextGroup& group) const {
  if (!cores_ || waits_[family]) return families_[family]->score(group);
  cores_->acquire();
  const auto release = [this](void*) { cores_->release(); };
  const std::unique_ptr<void, decltype(release)> core(cores_.get(), release);
  return families_[family]->score(group);
}

std::vector<Scored> Scorer::score(const TextGroup& group) const {
  std::vector<std::vector<Scored>> parts;
  for (size_t f = 0; f < families_.size(); ++f) parts.push_back(score_family(f, group));
  std::vector<Scored> scored(group.hypotheses.size());
  for (size_t i = 0; i < scored.size(); ++i) {
    for (const Place& place : places_)
      scored[i].values.push_back(parts[place.family][i].values[place.metric]);
    for (std::vector<Scored>& part : parts) {
      std::move(part[i].sums.begin(), part[i].sums.end(), std::back_inserter(scored[i].sums));
      merge_details(scored[i].details, part[i].details, details_);
    }
  }
  return scored;
}

metrics::ConditionSet Scorer::called(const std::string& text) const {
  UNIRG_ASSERT(labeler_.has_value(), "no metric of the rule labeler was chosen");
  return metrics::called_conditions(labeler_->read(text).labels, uncertain_is_positive_);
}

}  // namespace unirg::scoring
