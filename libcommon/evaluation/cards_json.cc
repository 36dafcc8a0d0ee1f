// SPDX-License-Identifier: Apache-2.0
#include "evaluation/cards_json.h"

namespace unirg::evaluation {
namespace {

using io::Json;

Json marks_json(const std::vector<Mark>& marks) {
  Json list = Json::array();
  for (const Mark& mark : marks) {
    Json item = Json::array({mark.begin, mark.end});
    for (const int statement : mark.statements) item.push_back(statement);
    list.push_back(std::move(item));
  }
  return list;
}

Json values_json(const scoring::NamedValues& values) {
  Json object = Json::object();
  for (const auto& [name, value] : values) {
    if (value) object[name] = *value;
  }
  return object;
}

/// A page of ten thousand studies repeats every field ten thousand times.
void add_text(Json& object, const char* field, const std::string& text) {
  if (!text.empty()) object[field] = text;
}
void add_image(Json& object, int64_t image) {
  if (image >= 0) object["image"] = image;
}
void add_marks(Json& object, const std::vector<Mark>& marks) {
  if (!marks.empty()) object["marks"] = marks_json(marks);
}

Json prior_json(const PriorCard& prior) {
  Json json = {{"id", prior.study_id}};
  add_text(json, "date", prior.date);
  add_text(json, "report", prior.report);
  add_image(json, prior.image);
  return json;
}

Json study_json(const StudyCard& study) {
  Json texts = Json::array();
  for (const StudyCard::Text& text : study.texts) {
    Json json = {
        {"system", text.system}, {"text", text.text}, {"metrics", values_json(text.metrics)}};
    add_marks(json, text.marks);
    texts.push_back(std::move(json));
  }
  Json json = {{"id", study.study_id}};
  add_text(json, "split", study.split);
  add_text(json, "site", study.site);
  add_text(json, "seed", study.seed);
  add_image(json, study.image);
  add_text(json, "indication", study.indication);
  add_text(json, "reference", study.reference);
  add_marks(json, study.marks);
  if (study.prior) json["prior"] = prior_json(*study.prior);
  json["texts"] = std::move(texts);
  json["conditions"] = study.conditions;
  return json;
}

Json sample_json(const RolloutSample& sample) {
  Json json = {{"sample", sample.sample},
               {"text", sample.text},
               {"finish", sample.finish},
               {"tokens", sample.tokens},
               {"reward", sample.reward},
               {"advantage", sample.advantage},
               {"components", values_json(sample.components)}};
  add_marks(json, sample.marks);
  return json;
}

Json card_json(const RolloutCard& card) {
  Json json = {{"id", card.study_id}};
  add_text(json, "split", card.split);
  add_image(json, card.image);
  add_text(json, "indication", card.indication);
  add_text(json, "reference", card.reference);
  add_marks(json, card.marks);
  json["samples"] = Json::array();
  for (const RolloutSample& sample : card.samples) json["samples"].push_back(sample_json(sample));
  return json;
}

}  // namespace

Json studies_json(const std::vector<StudyCard>& studies) {
  Json list = Json::array();
  for (const StudyCard& study : studies) list.push_back(study_json(study));
  return list;
}

Json rollouts_json(const std::vector<RolloutSet>& sets) {
  Json list = Json::array();
  for (const RolloutSet& set : sets) {
    Json cards = Json::array();
    for (const RolloutCard& card : set.cards) cards.push_back(card_json(card));
    list.push_back({{"name", set.name}, {"cards", std::move(cards)}});
  }
  return list;
}

}  // namespace unirg::evaluation
