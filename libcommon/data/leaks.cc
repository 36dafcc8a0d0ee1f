// SPDX-License-Identifier: Apache-2.0
#include "data/leaks.h"

#include <algorithm>
#include <unordered_map>

#include "text/near_duplicates.h"

namespace unirg::data {
namespace {

bool is_tested(const Study& study) {
  return study.split == "test" || study.split == "heldout_site";
}

std::string report_of(const Study& study) {
  return study.findings.value_or("") + " " + study.impression.value_or("");
}

std::vector<std::string> digests_of(const Study& study) {
  std::vector<std::string> digests;
  for (const StudyImage& image : study.images) {
    digests.push_back(image.sha256);
    if (!image.pixels_sha256.empty()) digests.push_back(image.pixels_sha256);
  }
  return digests;
}

Json first_of(const std::vector<Leak>& leaks) {
  Json list = Json::array();
  for (size_t i = 0; i < std::min<size_t>(leaks.size(), 20); ++i)
    list.push_back(
        {{"study_id", leaks[i].study_id}, {"of", leaks[i].of}, {"likeness", leaks[i].likeness}});
  return list;
}

}  // namespace

Leaks find_leaks(const std::function<void(const StudyTaker&)>& each_study,
                 const Exclusion& exclusion, double threshold) {
  Leaks leaks;
  std::unordered_map<std::string, std::string> owner;  // digest -> tested study
  for (const std::string& digest : exclusion.digests) owner.emplace(digest, "");
  text::NearDuplicates index;
  std::vector<std::string> ids;  // of the index
  std::unordered_set<std::string> tested = exclusion.ids;
  for (const Exclusion::Report& report : exclusion.reports) {
    index.add(report.text);
    ids.push_back(report.study_id);
  }
  each_study([&](const Study& study) {
    if (!is_tested(study)) return;
    tested.insert(study.study_id);
    for (const std::string& digest : digests_of(study)) owner[digest] = study.study_id;
    index.add(report_of(study));
    ids.push_back(study.study_id);
  });
  leaks.tested = static_cast<int64_t>(tested.size());
  each_study([&](const Study& study) {
    if (is_tested(study)) return;
    ++leaks.trained;
    for (const std::string& digest : digests_of(study)) {
      const auto found = owner.find(digest);
      if (found == owner.end()) continue;
      leaks.image.push_back({study.study_id, found->second, 1});
      break;
    }
    if (const auto match = index.nearest(report_of(study), threshold))
      leaks.text.push_back({study.study_id, ids[match->index], match->jaccard});
  });
  return leaks;
}

Json to_json(const Leaks& leaks, double threshold) {
  return {{"trained", leaks.trained},          {"tested", leaks.tested},
          {"image", leaks.image.size()},       {"text", leaks.text.size()},
          {"near_duplicate", threshold},       {"image_first", first_of(leaks.image)},
          {"text_first", first_of(leaks.text)}};
}

}  // namespace unirg::data
