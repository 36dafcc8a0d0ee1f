// SPDX-License-Identifier: Apache-2.0
#include "data/study_shelf.h"

#include <utility>

#include "base/error.h"

namespace unirg::data {
namespace {

// CBOR of the records' JSON: what JSON has no text for (an age that is no number, text that is no
// UTF-8, until the record is written and refused) stays as it is, and it is faster.
std::string packed(const Json& json) {
  std::string bytes;
  Json::to_cbor(json, bytes);
  return bytes;
}

Json unpacked(const std::string& bytes) { return Json::from_cbor(bytes); }

/// Beside its record the fields of `extra`, which may have the names of others.
Json to_shelf(Study study) {
  Json extra = std::exchange(study.extra, Json::object());
  return {{"study", to_json(study)}, {"extra", std::move(extra)}};
}

Study study_of(Json& json) {
  auto study = study_from_json(json.at("study"));
  UNIRG_ASSERT(study.has_value(), "a study on the shelf is none");
  study->extra = std::move(json.at("extra"));
  return std::move(*study);
}

Json to_shelf(const SourcePicture& picture) {
  return Json::array({picture.name, picture.path.string(), picture.view, picture.is_key});
}

SourcePicture picture_of(const Json& json) {
  return {json.at(0).get<std::string>(), json.at(1).get<std::string>(),
          json.at(2).get<std::string>(), json.at(3).get<bool>()};
}

Json to_shelf(Draft draft) {
  Json json = to_shelf(std::move(draft.study));
  Json pictures = Json::array();
  for (const SourcePicture& picture : draft.pictures) pictures.push_back(to_shelf(picture));
  json["pictures"] = std::move(pictures);
  json["place"] = Json::array({draft.place.file, draft.place.line});
  json["report_file"] = draft.report_file;
  return json;
}

Draft draft_of(Json json) {
  Draft draft;
  draft.study = study_of(json);
  for (const Json& picture : json.at("pictures")) draft.pictures.push_back(picture_of(picture));
  const Json& place = json.at("place");
  draft.place = {place.at(0).get<std::string>(), place.at(1).get<int64_t>()};
  draft.report_file = json.at("report_file").get<std::string>();
  return draft;
}

}  // namespace

int64_t report_files(const Draft& draft) {
  const bool is_file = !draft.place.file.empty() && draft.place.line == 0;
  return (is_file ? 1 : 0) + (draft.report_file.empty() ? 0 : 1);
}

void StudyShelf::add(Study study) {
  places_.push_back(shelf_.put(packed(to_shelf(std::move(study)))));
}

Study StudyShelf::get(size_t study) const {
  Json json = unpacked(shelf_.get(places_[study]));
  return study_of(json);
}

uint32_t Drafts::add(Draft draft) {
  const auto number = static_cast<uint32_t>(entries_.size());
  UNIRG_ASSERT(number != kNone, "more drafts than have numbers");
  entries_.push_back({shelf_.put(packed(to_shelf(std::move(draft))))});
  order_.push_back(number);
  return number;
}

Draft Drafts::report(uint32_t number) const {
  return draft_of(unpacked(shelf_.get(entries_[number].place)));
}

void Drafts::replace(uint32_t number, Draft draft) {
  entries_[number].place = shelf_.put(packed(to_shelf(std::move(draft))));
}

void Drafts::add_picture(uint32_t number, size_t file, const std::string& view, bool is_key) {
  const auto picture = static_cast<uint32_t>(pictures_.size());
  UNIRG_ASSERT(picture != kNone && file < kNone, "more pictures than have numbers");
  pictures_.push_back(
      {static_cast<uint32_t>(file), kNone, views_.number(view) & (kNone >> 1), is_key ? 1U : 0U});
  Entry& entry = entries_[number];
  (entry.last_picture == kNone ? entry.first_picture : pictures_[entry.last_picture].next) =
      picture;
  entry.last_picture = picture;
}

bool Drafts::has_picture(uint32_t number, size_t file, bool is_key) {
  for (uint32_t p = entries_[number].first_picture; p != kNone; p = pictures_[p].next) {
    if (pictures_[p].file != file) continue;
    if (is_key) pictures_[p].is_key = 1;
    return true;
  }
  return false;
}

Draft Drafts::get(size_t place) const {
  const uint32_t number = order_[place];
  Draft draft = report(number);
  for (uint32_t p = entries_[number].first_picture; p != kNone; p = pictures_[p].next) {
    const Picture& picture = pictures_[p];
    draft.pictures.push_back({std::string(files_[picture.file]), files_.path(picture.file),
                              views_.name(picture.view), picture.is_key != 0});
  }
  return draft;
}

}  // namespace unirg::data
