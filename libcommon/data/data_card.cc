// SPDX-License-Identifier: Apache-2.0
#include "data/data_card.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "data/reasons.h"
#include "text/words.h"

namespace unirg::data {
namespace {

constexpr const char* kUnknown = "not known";
constexpr std::array<const char*, 4> kLabelValues{"positive", "negative", "uncertain",
                                                  "not_mentioned"};
/// Sections in the order of a report, and what is written of a study: findings and impression.
constexpr std::array<const char*, 6> kTexts{"indication", "technique",  "comparison",
                                            "findings",   "impression", "report"};

std::string or_unknown(const std::string& name) { return name.empty() ? kUnknown : name; }
std::string or_unknown(const std::optional<std::string>& name) {
  return or_unknown(name.value_or(""));
}

/// "" if it is no text.
std::string text_of(const Json& object, const char* field) {
  const auto value = object.find(field);
  return value != object.end() && value->is_string() ? value->get<std::string>() : "";
}

double count_words(std::string_view text) {
  const auto words = text::split_words(text, {0, text.size()});
  return static_cast<double>(std::count_if(words.begin(), words.end(), [](const text::Word& w) {
    return w.kind == text::WordKind::word;
  }));
}

/// Findings and impression, a blank line between them so that no sentence runs over it.
std::string report_of(const Study& study) {
  std::string report = study.findings.value_or("");
  if (study.findings && study.impression) report += "\n\n";
  return report + study.impression.value_or("");
}

/// "0" to "9", "10+".
std::string number_key(int64_t n) { return n < 10 ? std::to_string(n) : "10+"; }

template <typename Counts>
Json counts_json(const Counts& counts) {
  Json json = Json::object();
  for (const auto& [name, count] : counts) json[name] = count;
  return json;
}

/// Counts by number, in the order of numbers, those from ten on as one.
Json numbers_json(const std::map<int64_t, int64_t>& counts) {
  Json json = Json::object();
  for (const auto& [number, count] : counts) {
    Json& entry = json[number_key(number)];
    entry = (entry.is_null() ? 0 : entry.get<int64_t>()) + count;
  }
  return json;
}

Json decades_json(const std::vector<double>& ages) {
  std::map<int64_t, int64_t> decades;
  for (const double age : ages) ++decades[static_cast<int64_t>(std::floor(age / 10))];
  Json json = Json::object();
  for (const auto& [decade, count] : decades)
    json[fmt::format("{}-{}", decade * 10, decade * 10 + 9)] = count;
  return json;
}

double share_of(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

Json boilerplate_entry(const text::Boilerplate& b, bool one_of_several) {
  Json most = Json::array();
  for (const auto& [text, patients] : b.most)
    most.push_back({{"sentence", text}, {"patients", patients}});
  return {{"reports", b.reports},
          {"patients", b.patients},
          {"sentences", b.sentences},
          {"words", b.words},
          {"needed_patients", b.needed},
          {"templates", b.templates},
          {"template_share", share_of(b.template_words, b.words)},
          {"own_share", one_of_several ? Json(share_of(b.own_words, b.words)) : Json(nullptr)},
          {"template_sentence_share", share_of(b.template_sentences, b.sentences)},
          {"template_report_share", share_of(b.template_reports, b.reports)},
          {"near_duplicate_share", share_of(b.near_duplicates, b.reports)},
          {"most", std::move(most)}};
}

}  // namespace

Json distribution(std::vector<double> values) {
  if (values.empty()) return nullptr;
  std::sort(values.begin(), values.end());
  const auto rank = [&](double p) {
    const double at = std::ceil(p * static_cast<double>(values.size()));
    return values[static_cast<size_t>(std::max(at, 1.0)) - 1];
  };
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  return {{"count", values.size()},
          {"min", values.front()},
          {"q1", rank(0.25)},
          {"median", rank(0.5)},
          {"q3", rank(0.75)},
          {"max", values.back()},
          {"mean", sum / static_cast<double>(values.size())}};
}

void DataCard::add_text(const Study& study, const std::string& site, const std::string& patient) {
  const std::string report = report_of(study);
  const std::array<std::optional<std::string>, 6> texts{
      study.indication, study.technique,  study.comparison,
      study.findings,   study.impression, report.empty() ? std::nullopt : std::optional(report)};
  for (size_t t = 0; t < texts.size(); ++t) {
    if (texts[t]) words_[kTexts[t]].push_back(count_words(*texts[t]));
  }
  boilerplate_.add(site, patient, report);
}

void DataCard::add_labels(const Study& study) {
  if (study.labels.empty()) return;
  ++labelled_;
  for (const ConditionLabel& label : study.labels) {
    auto it = std::find_if(conditions_.begin(), conditions_.end(),
                           [&](const auto& c) { return c.first == label.condition; });
    if (it == conditions_.end())
      it = conditions_.insert(conditions_.end(), {label.condition, {0, 0, 0, 0}});
    ++it->second[!label.value ? 3 : *label.value == 1 ? 0 : *label.value == 0 ? 1 : 2];
  }
}

void DataCard::add_images(const Study& study) {
  std::set<std::string_view> slides;
  for (const StudyImage& image : study.images) {
    ++views_[or_unknown(image.view)];
    const Json& extra = image.extra;
    if (const std::string side = text_of(extra, "laterality"); !side.empty()) ++lateralities_[side];
    const bool is_slice = extra.contains("slice");
    slices_ += is_slice ? 1 : 0;
    montages_ += extra.contains("montage") ? 1 : 0;
    if (is_slice || extra.contains("montage")) {
      const std::string window = text_of(extra, "window");
      ++windows_[window.empty() ? "file" : window];
    }
    const auto tile = extra.find("tile");
    if (tile == extra.end() || !tile->is_object()) continue;
    ++tiles_;
    slides.insert(image.source);
    const auto mpp = tile->find("mpp");
    ++tile_mpp_[mpp != tile->end() && mpp->is_number() ? mpp->dump() : kUnknown];
  }
  slides_ += std::ssize(slides);
  if (study.modality != "MG") return;
  ++birads_[or_unknown(text_of(study.extra, "birads"))];
  ++densities_[or_unknown(text_of(study.extra, "breast_density"))];
}

void DataCard::add(const Study& study) {
  const std::string patient = study.dataset + "\n" + study.patient_id;
  const auto person = patients_.emplace(patient, static_cast<uint32_t>(patients_.size()));
  if (person.second) studies_of_patient_.push_back(0);
  ++studies_of_patient_[person.first->second];
  const auto images = static_cast<int64_t>(study.images.size());
  const std::string site = or_unknown(study.site.empty() ? study.dataset : study.site);
  const std::string split = or_unknown(study.split);
  ++studies_;
  images_ += images;
  ++images_per_study_[images];
  for (Group* group : {&splits_[split], &datasets_[or_unknown(study.dataset)], &sites_[site]}) {
    ++group->studies;
    group->images += images;
    group->patients.insert(person.first->second);
    ++group->splits[split];
  }
  add_images(study);
  ++modalities_[or_unknown(study.modality)];
  ++sexes_[or_unknown(study.sex)];
  ++races_[or_unknown(study.race)];
  if (study.age) ages_.push_back(*study.age);
  with_prior_ += study.prior ? 1 : 0;
  if (study.date) {
    ++dated_;
    first_date_ = first_date_.empty() ? *study.date : std::min(first_date_, *study.date);
    last_date_ = std::max(last_date_, *study.date);
  }
  add_labels(study);
  add_text(study, site, patient);
}

void DataCard::add_rejected(std::string_view reason) {
  if (!rejected_) rejected_.emplace();
  if (!reason.empty()) ++(*rejected_)[common_reason(reason)];
}

Json DataCard::group_json(const Groups& groups, bool with_splits) {
  Json json = Json::object();
  for (const auto& [name, group] : groups) {
    Json& entry = json[name];
    entry = {
        {"studies", group.studies}, {"patients", group.patients.size()}, {"images", group.images}};
    if (with_splits) entry["splits"] = counts_json(group.splits);
  }
  return json;
}

Json DataCard::labels_json() const {
  if (labelled_ == 0) return nullptr;
  Json conditions = Json::object();
  for (const auto& [name, counts] : conditions_) {
    for (size_t v = 0; v < counts.size(); ++v) conditions[name][kLabelValues[v]] = counts[v];
  }
  return {{"studies", labelled_}, {"conditions", std::move(conditions)}};
}

Json DataCard::tiles_json() const {
  if (tiles_ == 0) return nullptr;
  return {{"images", tiles_}, {"slides", slides_}, {"microns_per_pixel", counts_json(tile_mpp_)}};
}

Json DataCard::ct_json() const {
  if (slices_ + montages_ == 0) return nullptr;
  return {{"slices", slices_}, {"montages", montages_}, {"windows", counts_json(windows_)}};
}

Json DataCard::breast_json() const {
  if (birads_.empty()) return nullptr;
  return {{"birads", counts_json(birads_)}, {"density", counts_json(densities_)}};
}

Json DataCard::patients_json() const {
  std::map<int64_t, int64_t> counts;
  for (const int64_t studies : studies_of_patient_) ++counts[studies];
  return numbers_json(counts);
}

Json DataCard::boilerplate_json() const {
  const auto sites = boilerplate_.measure(options_.template_share, options_.examples);
  Json json = {{"share_of_patients", options_.template_share},
               {"near_duplicate", options_.near_duplicate},
               {"sites", Json::object()}};
  for (const auto& [name, counts] : sites)
    json["sites"][name] = boilerplate_entry(counts, sites.size() > 1);
  return json;
}

Json DataCard::json() const {
  Json words = Json::object();
  for (const char* name : kTexts) {
    const auto it = words_.find(name);
    words[name] = it == words_.end() ? Json(nullptr) : distribution(it->second);
  }
  const auto date = [](const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(text);
  };
  Json rejected = nullptr;
  if (rejected_) {
    int64_t count = 0;
    for (const auto& [reason, n] : *rejected_) count += n;
    rejected = {{"count", count}, {"reasons", counts_json(*rejected_)}};
  }
  return {{"schema", "unirg.data-card/1"},
          {"studies", studies_},
          {"patients", patients_.size()},
          {"images", images_},
          {"with_prior", with_prior_},
          {"dated", dated_},
          {"first_date", date(first_date_)},
          {"last_date", date(last_date_)},
          {"splits", group_json(splits_, false)},
          {"datasets", group_json(datasets_, false)},
          {"sites", group_json(sites_, true)},
          {"views", counts_json(views_)},
          {"modalities", counts_json(modalities_)},
          {"laterality", counts_json(lateralities_)},
          {"breast", breast_json()},
          {"ct", ct_json()},
          {"tiles", tiles_json()},
          {"images_per_study", numbers_json(images_per_study_)},
          {"studies_per_patient", patients_json()},
          {"age", distribution(ages_)},
          {"age_decades", decades_json(ages_)},
          {"sex", counts_json(sexes_)},
          {"race", counts_json(races_)},
          {"labels", labels_json()},
          {"words", std::move(words)},
          {"rejected", std::move(rejected)},
          {"boilerplate", boilerplate_json()}};
}

}  // namespace unirg::data
