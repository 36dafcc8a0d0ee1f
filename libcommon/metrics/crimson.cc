// SPDX-License-Identifier: Apache-2.0
#include "metrics/crimson.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "metrics/reply_text.h"
#include "text/words.h"

namespace unirg::metrics {
namespace {

using io::Json;

/// What is left out or no list is an empty one.
const Json& list_of(const Json& object, const char* key) {
  static const Json empty = Json::array();
  if (!object.is_object() || !object.contains(key) || !object[key].is_array()) return empty;
  return object[key];
}

double weight_of(const Json& entry, const char* key, const std::map<std::string, double>& weights) {
  if (!entry.is_object() || !entry.contains(key) || !entry[key].is_string()) return 0.25;
  const auto at = weights.find(entry[key].get<std::string>());
  return at == weights.end() ? 0.25 : at->second;
}

/// An id, text or number, as one comparable text.
Result<std::string> id_of(const Json& entry, const char* list, const char* key) {
  if (entry.is_object() && entry.contains(key) && entry[key].is_primitive() &&
      !entry[key].is_null())
    return entry[key].dump(-1, ' ', false, Json::error_handler_t::replace);
  return bad_record(fmt::format("an entry of '{}' has no '{}'", list, key));
}

using Weights = std::map<std::string, double>;

Result<Weights> finding_weights(const Json& answer, const char* list) {
  static const Weights significance{{"urgent", 1},
                                    {"actionable_not_urgent", 0.5},
                                    {"not_actionable_not_urgent", 0.25},
                                    {"benign_expected", 0}};
  Weights weights;
  for (const Json& finding : list_of(answer, list)) {
    const auto id = id_of(finding, list, "id");
    if (!id) return tl::unexpected(id.error());
    weights[*id] = weight_of(finding, "clinical_significance", significance);
  }
  return weights;
}

double lookup(const Weights& weights, const std::string& id) {
  const auto at = weights.find(id);
  return at == weights.end() ? 0 : at->second;
}

double sum_of(const Weights& weights, const Json& ids) {
  double sum = 0;
  for (const Json& id : ids)
    sum += lookup(weights, id.dump(-1, ' ', false, Json::error_handler_t::replace));
  return sum;
}

/// Weight of errors in attributes, by reference; a reference that has any is in it.
Result<Weights> attribute_weights(const Json& errors) {
  static const Weights severity{{"significant", 0.5}, {"negligible", 0}};
  Weights weights;
  for (const Json& error : list_of(errors, "attribute_errors")) {
    const auto id = id_of(error, "attribute_errors", "ref_id");
    if (!id) return tl::unexpected(id.error());
    weights[*id] += weight_of(error, "severity", severity);
  }
  return weights;
}

/// Credit of the matched references, each once.
Result<double> matched_credit(const Json& matched, const Weights& references,
                              const Weights& attributes) {
  std::set<std::string> seen;
  double credit = 0;
  for (const Json& match : matched) {
    const auto id = id_of(match, "matched_findings", "ref_id");
    if (!id) return tl::unexpected(id.error());
    if (!seen.insert(*id).second) continue;
    const double weight = lookup(references, *id);
    const double whole = weight + lookup(attributes, *id);
    if (whole > 0) credit += weight * weight / whole;
  }
  return credit;
}

double four_places(double value) {
  return std::strtod(fmt::format("{:.4f}", value).c_str(), nullptr);
}

}  // namespace

Result<double> crimson_score(const Json& answer) {
  if (!answer.is_object()) return bad_record("not a JSON object");
  const Json errors = answer.value("errors", Json::object());
  const auto references = finding_weights(answer, "reference_findings");
  if (!references) return tl::unexpected(references.error());
  const auto predictions = finding_weights(answer, "predicted_findings");
  if (!predictions) return tl::unexpected(predictions.error());
  const auto attributes = attribute_weights(errors);
  if (!attributes) return tl::unexpected(attributes.error());
  const Json& matched = list_of(answer, "matched_findings");
  const auto correct = matched_credit(matched, *references, *attributes);
  if (!correct) return tl::unexpected(correct.error());

  const double wrong = sum_of(*predictions, list_of(errors, "false_findings"));
  const double missed = sum_of(*references, list_of(errors, "missing_findings"));
  // Of ids that stand twice, the sum has both and the lookup the last, as in the package.
  double all = 0;
  for (const Json& finding : list_of(answer, "reference_findings"))
    all += finding_weights({{"f", Json::array({finding})}}, "f")->begin()->second;
  if (list_of(answer, "reference_findings").empty())
    all = static_cast<double>(matched.size()) + missed;
  const bool nothing_wrong = all == 0 ? wrong == 0 && missed == 0 : *correct >= wrong;
  if (nothing_wrong) return four_places(all == 0 ? 1 : (*correct - wrong) / all);
  const double excess = wrong - *correct;
  return excess > 0 ? four_places(-excess / (1 + excess)) : 0;
}

Result<int> finerad_severity(const std::string& name) {
  std::string key;
  for (const char c : strip_blanks(name)) key += text::lower(c);
  if (key.ends_with("error")) key = strip_blanks(std::string_view(key).substr(0, key.size() - 5));
  if (key == "not actionable") return 1;
  if (key == "actionable nonurgent") return 2;
  if (key == "urgent") return 3;
  if (key == "emergent") return 4;
  return bad_record(fmt::format("unknown severity '{}'", name));
}

Result<double> finerad_maximum(const std::vector<std::string>& severities) {
  int most = 0;
  for (const std::string& name : severities) {
    const auto severity = finerad_severity(name);
    if (!severity) return tl::unexpected(severity.error());
    most = std::max(most, *severity);
  }
  return most;
}

}  // namespace unirg::metrics
