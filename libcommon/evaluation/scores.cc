// SPDX-License-Identifier: Apache-2.0
#include "evaluation/scores.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"

namespace unirg::evaluation {
namespace {

using data::Json;

Json nullable(const auto& value) { return value ? Json(*value) : Json(nullptr); }

std::vector<std::string> condition_names(const metrics::ConditionSet& set) {
  std::vector<std::string> names;
  for (size_t c = 0; c < set.size(); ++c) {
    if (set[c]) names.emplace_back(text::kConditions[c]);
  }
  return names;
}

/// A list of known condition names; null where none were read.
Result<std::vector<std::string>> read_conditions(const Json& object, const char* field) {
  std::vector<std::string> names;
  if (object.contains(field) && object.at(field).is_null()) return names;
  if (!object.contains(field) || !object.at(field).is_array())
    return bad_record(fmt::format("field '{}': expected array", field));
  for (const Json& name : object.at(field)) {
    if (!name.is_string() || !text::condition_index(name.get<std::string>()))
      return bad_record(fmt::format("field '{}': not a condition: {}", field, name.dump()));
    names.push_back(name.get<std::string>());
  }
  return names;
}

/// Every number that is no field of its own is a metric, and so is every null.
void read_metrics(const Json& object, Score& score) {
  static const std::set<std::string> fields{"age",      "encounter", "sex",    "race",
                                            "temporal", "called",    "present"};
  for (const auto& [name, value] : object.items()) {
    if (fields.contains(name)) continue;
    if (value.is_number()) score.metrics.emplace_back(name, value.get<double>());
    if (value.is_null() && name != "details") score.metrics.emplace_back(name, std::nullopt);
  }
}

/// {"statistic": [number, ...], ...}
Result<void> read_sums(const Json& object, Score& score) {
  if (!object.contains("sums")) return {};
  const Json& sums = object.at("sums");
  if (!sums.is_object()) return bad_record("field 'sums': expected object");
  for (const auto& [name, values] : sums.items()) {
    const bool numbers =
        values.is_array() && std::all_of(values.begin(), values.end(),
                                         [](const Json& value) { return value.is_number(); });
    if (!numbers) return bad_record(fmt::format("field 'sums.{}': expected numbers", name));
    score.sums.emplace_back(name, values.get<std::vector<double>>());
  }
  return {};
}

}  // namespace

Json to_json(const Score& s) {
  Json json = {{"schema", data::kScoreSchema},
               {"study_id", s.study_id},
               {"system", s.system},
               {"split", s.split},
               {"seed", s.seed}};
  for (const auto& [name, value] : s.metrics) json[name] = nullable(value);
  json.update({{"patient_id", s.patient_id},
               {"site", s.site},
               {"sex", nullable(s.sex)},
               {"race", nullable(s.race)},
               {"age", nullable(s.age)},
               {"encounter", s.encounter}});
  if (!s.temporal.empty()) json["temporal"] = s.temporal;
  json.update({{"called", s.labelled ? Json(s.called) : Json(nullptr)},
               {"present", s.labelled ? Json(s.present) : Json(nullptr)},
               {"text", s.text},
               {"reference", s.reference}});
  for (const auto& [name, values] : s.sums) json["sums"][name] = values;
  if (!s.details.is_null()) json["details"] = s.details;
  return json;
}

Result<Score> score_from_json(const Json& object) {
  const io::Fields fields(object);
  if (const auto schema = fields.schema(data::kScoreSchema); !schema)
    return tl::unexpected(schema.error());
  Score s;
  for (const auto& [name, target] : {std::pair<const char*, std::string*>{"study_id", &s.study_id},
                                     {"system", &s.system},
                                     {"split", &s.split},
                                     {"seed", &s.seed},
                                     {"patient_id", &s.patient_id},
                                     {"site", &s.site},
                                     {"text", &s.text},
                                     {"reference", &s.reference}}) {
    auto value = fields.string(name);
    if (!value) return tl::unexpected(value.error());
    *target = std::move(*value);
  }
  const auto sex = fields.optional_string("sex");
  const auto race = fields.optional_string("race");
  const auto age = fields.optional_number("age");
  const auto encounter = fields.integer("encounter");
  if (!sex) return tl::unexpected(sex.error());
  if (!race) return tl::unexpected(race.error());
  if (!age) return tl::unexpected(age.error());
  if (!encounter) return tl::unexpected(encounter.error());
  s.sex = *sex;
  s.race = *race;
  s.age = *age;
  s.encounter = *encounter;
  const auto temporal = fields.optional_string("temporal");
  if (!temporal) return tl::unexpected(temporal.error());
  if (*temporal && !text::temporal_class(**temporal))
    return bad_record(fmt::format("field 'temporal': no temporal class: '{}'", **temporal));
  s.temporal = temporal->value_or("");
  read_metrics(object, s);
  if (const auto sums = read_sums(object, s); !sums) return tl::unexpected(sums.error());
  auto called = read_conditions(object, "called");
  auto present = read_conditions(object, "present");
  if (!called) return tl::unexpected(called.error());
  if (!present) return tl::unexpected(present.error());
  s.called = std::move(*called);
  s.present = std::move(*present);
  s.labelled = !object.at("called").is_null();
  if (object.contains("details")) s.details = object.at("details");
  return s;
}

std::vector<Score> read_scores(const std::filesystem::path& file) {
  std::vector<Score> scores;
  io::JsonlReader reader(file);
  while (auto line = reader.next()) {
    auto score = line->has_value() ? score_from_json((*line)->object)
                                   : Result<Score>(tl::unexpected(line->error()));
    if (!score)
      throw Error(Exit::data, fmt::format("{}: {}", reader.place().text(), score.error().reason));
    scores.push_back(std::move(*score));
  }
  return scores;
}

bool has_prior(const scoring::NamedReport& reference) {
  return reference.study && (reference.study->encounter > 1 || reference.study->prior);
}

std::string temporal_of(const scoring::NamedReport& reference, const text::TemporalReader* reader) {
  if (!reference.study) return "";
  const bool follows = has_prior(reference);
  UNIRG_ASSERT(reader || !follows, "a follow-up study and nothing that reads comparisons");
  const text::TemporalClass temporal =
      follows ? reader->classify(scoring::section_text(reference, scoring::Sections::both), true)
              : text::TemporalClass::first_study;
  return std::string(text::temporal_name(temporal));
}

Score make_score(const scoring::Scorer& scorer, const scoring::NamedReport& reference,
                 const scoring::ScoredTexts& texts, const scoring::NamedReport& report) {
  Score s;
  s.study_id = reference.study_id;
  s.patient_id = reference.study ? reference.study->patient_id : reference.study_id;
  if (const data::Study* study = reference.study.get()) {
    s.split = study->split;
    s.site = study->site;
    s.sex = study->sex;
    s.race = study->race;
    s.age = study->age;
    s.encounter = study->encounter;
  }
  scoring::TextGroup group{texts.reference, {texts.report}};
  if (report.reply) group.replies = {*report.reply};
  scoring::Scored scored = std::move(scorer.score(group).front());
  for (size_t m = 0; m < scored.values.size(); ++m)
    s.metrics.emplace_back(scorer.metrics()[m].name, scored.values[m]);
  s.sums = std::move(scored.sums);
  s.details = std::move(scored.details);
  s.labelled = scorer.reads_labels();
  if (s.labelled) {
    s.called = condition_names(scorer.called(texts.report));
    s.present = condition_names(scorer.called(texts.reference));
  }
  s.text = texts.report;
  s.reference = texts.reference;
  return s;
}

}  // namespace unirg::evaluation
