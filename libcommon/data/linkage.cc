// SPDX-License-Identifier: Apache-2.0
#include "data/linkage.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <tuple>

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

std::optional<int64_t> order_of(const Study& study) {
  const auto order = study.extra.find("order");
  if (study.date || order == study.extra.end() || !order->is_number_integer()) return std::nullopt;
  return order->get<int64_t>();
}

/// What a patient's studies are sorted by.
auto time_key(const Study& study) {
  return std::tuple(!study.date.has_value(), study.date.value_or(""), order_of(study).value_or(0),
                    study.study_id);
}

/// Whether it is known that `a` was made before `b`: of two on one day nobody knows which was
/// first.
bool is_earlier(const Study& a, const Study& b) {
  if (a.date && b.date) return *a.date < *b.date;
  const auto order_a = order_of(a);
  const auto order_b = order_of(b);
  return order_a && order_b && *order_a < *order_b;
}

}  // namespace

void link_priors(std::vector<Study>& studies) {
  std::map<std::string, std::vector<Study*>> by_patient;
  for (Study& study : studies) by_patient[patient_key(study)].push_back(&study);
  for (auto& [patient, own] : by_patient) {
    std::sort(own.begin(), own.end(),
              [](const Study* a, const Study* b) { return time_key(*a) < time_key(*b); });
    const Study* earlier = nullptr;  // the last one of an earlier day
    for (size_t i = 0; i < own.size(); ++i) {
      own[i]->encounter = static_cast<int64_t>(i) + 1;
      if (i > 0 && is_earlier(*own[i - 1], *own[i])) earlier = own[i - 1];
      if (earlier && is_earlier(*earlier, *own[i])) own[i]->prior = earlier->study_id;
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

void hold_out(std::vector<Study>& studies,
              const std::vector<std::pair<std::string, int64_t>>& wanted, uint64_t seed) {
  if (wanted.empty()) return;
  std::map<std::string, std::vector<Study*>> patients;
  for (Study& study : studies) {
    if (study.split == "train") patients[patient_key(study)].push_back(&study);
  }
  std::vector<std::pair<double, const std::string*>> order;
  for (const auto& [key, own] : patients)
    order.emplace_back(uniform_at(seed, "hold-out", key, 0, 0), &key);
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first, *a.second) < std::tie(b.first, *b.second);
  });
  for (const auto& [split, count] : wanted) {
    int64_t left = count;
    for (const auto& [hash, key] : order) {
      std::vector<Study*>& own = patients.at(*key);
      if (own.empty() || static_cast<int64_t>(own.size()) > left) continue;
      left -= static_cast<int64_t>(own.size());
      for (Study* study : own) study->split = split;
      own.clear();
    }
    if (left > 0) {
      throw Error(Exit::data, fmt::format("cannot hold out {} studies as '{}': whole patients of "
                                          "'train' give {}",
                                          count, split, count - left));
    }
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

bool in_source_order(const std::string& modality) {
  return modality == "SM" || modality == "CT" || modality == "FFA" || modality == "OP" ||
         modality == "OPT";
}

void order_images(std::vector<StudyImage>& images) {
  std::sort(images.begin(), images.end(), [](const StudyImage& a, const StudyImage& b) {
    return std::tuple(view_rank(a), -a.width * a.height, a.id) <
           std::tuple(view_rank(b), -b.width * b.height, b.id);
  });
}

void order_mammograms(std::vector<StudyImage>& images) {
  const auto rank = [](const StudyImage& image) {
    const std::string view = upper(image.view);
    const auto side = image.extra.find("laterality");
    const std::string name =
        side != image.extra.end() && side->is_string() ? side->get<std::string>() : "";
    return std::pair(view == "CC"    ? 0
                     : view == "MLO" ? 1
                                     : 2,
                     name == "R"   ? 0
                     : name == "L" ? 1
                                   : 2);
  };
  std::stable_sort(images.begin(), images.end(),
                   [&](const StudyImage& a, const StudyImage& b) { return rank(a) < rank(b); });
}

void order_images(std::vector<StudyImage>& images, const std::string& modality) {
  if (modality == "MG") return order_mammograms(images);
  if (!in_source_order(modality)) order_images(images);
}

}  // namespace unirg::data
