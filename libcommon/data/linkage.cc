// SPDX-License-Identifier: Apache-2.0
#include "data/linkage.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <numeric>

#include "base/error.h"
#include "base/rng.h"

namespace unirg::data {
namespace {

std::string patient_key(const Study& study) { return study.dataset + "\n" + study.patient_id; }

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

/// 0 frontal, 1 unknown, 2 anything else.
int view_rank(const StudyImage& image) {
  return is_frontal(image.view) ? 0 : image.view.empty() ? 1 : 2;
}

std::string split_by_hash(const std::string& key, const SplitShares& shares, uint64_t seed) {
  double total = 0;
  for (const auto& [name, share] : shares) total += share;
  double u = uniform_at(seed, "split", key, 0, 0) * total;
  for (const auto& [name, share] : shares) {
    if (u < share) return name;
    u -= share;
  }
  return shares.back().first;
}

void check_patients_whole(const std::vector<Study>& studies) {
  std::map<std::string, std::string> split_of;
  for (const Study& study : studies) {
    if (study.split.empty()) continue;
    const auto [it, is_new] = split_of.emplace(patient_key(study), study.split);
    if (!is_new && it->second != study.split) {
      throw Error(Exit::data, fmt::format("patient of study '{}' stands in splits '{}' and '{}' "
                                          "(hint: a patient's studies belong to one split)",
                                          study.study_id, it->second, study.split));
    }
  }
}

}  // namespace

void link_priors(std::vector<Study>& studies) {
  std::map<std::string, std::vector<Study*>> by_patient;
  for (Study& study : studies) by_patient[patient_key(study)].push_back(&study);
  for (auto& [patient, own] : by_patient) {
    std::sort(own.begin(), own.end(), [](const Study* a, const Study* b) {
      return std::tuple(!a->date.has_value(), a->date.value_or(""), a->study_id) <
             std::tuple(!b->date.has_value(), b->date.value_or(""), b->study_id);
    });
    const Study* earlier =
        nullptr;  // the last one of an earlier day: of two on one day nobody knows which was first
    for (size_t i = 0; i < own.size(); ++i) {
      own[i]->encounter = static_cast<int64_t>(i) + 1;
      if (!own[i]->date) continue;
      if (i > 0 && own[i - 1]->date < own[i]->date) earlier = own[i - 1];
      if (earlier) own[i]->prior = earlier->study_id;
    }
  }
}

void assign_splits(std::vector<Study>& studies, const SplitShares& shares,
                   const std::vector<std::string>& heldout_sites, uint64_t seed) {
  for (Study& study : studies) {
    const bool held_out =
        std::find(heldout_sites.begin(), heldout_sites.end(), study.site) != heldout_sites.end();
    if (study.split.empty() && held_out) study.split = "heldout_site";
  }
  check_patients_whole(studies);
  std::map<std::string, std::string> known;  // a patient's split holds for all their studies
  for (const Study& study : studies) {
    if (!study.split.empty()) known.emplace(patient_key(study), study.split);
  }
  for (Study& study : studies) {
    if (!study.split.empty()) continue;
    const std::string key = patient_key(study);
    const auto it = known.find(key);
    study.split = it != known.end() ? it->second : split_by_hash(key, shares, seed);
  }
}

bool is_frontal(const std::string& view) {
  static const std::vector<std::string> names{"AP",
                                              "PA",
                                              "FRONTAL",
                                              "POSTERO-ANTERIOR",
                                              "ANTERO-POSTERIOR",
                                              "POSTEROANTERIOR",
                                              "ANTEROPOSTERIOR",
                                              "AP SUPINE",
                                              "AP ERECT",
                                              "AP UPRIGHT",
                                              "PA UPRIGHT",
                                              "ANTERIOR-POSTERIOR",
                                              "POSTERIOR-ANTERIOR"};
  return std::find(names.begin(), names.end(), upper(view)) != names.end();
}

void order_images(std::vector<StudyImage>& images) {
  std::sort(images.begin(), images.end(), [](const StudyImage& a, const StudyImage& b) {
    return std::tuple(view_rank(a), -a.width * a.height, a.id) <
           std::tuple(view_rank(b), -b.width * b.height, b.id);
  });
}

}  // namespace unirg::data
