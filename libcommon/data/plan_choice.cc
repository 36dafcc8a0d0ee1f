// SPDX-License-Identifier: Apache-2.0
#include "data/plan_choice.h"

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <utility>

#include "base/digest.h"

namespace unirg::data {

void order_by_pseudonym(const Pseudonyms& names, IngestPlan& plan) {
  if (!names.active()) return;
  std::vector<std::pair<uint64_t, uint32_t>> order;
  for (const uint32_t number : plan.drafts.order())
    order.emplace_back(names.study_number(plan.drafts.report(number).study.study_id), number);
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<uint32_t> numbers;
  for (const auto& [pseudonym, number] : order) numbers.push_back(number);
  plan.drafts.set_order(std::move(numbers));
}

void keep_own_part(const Shard& shard, IngestPlan& plan) {
  std::unordered_map<Digest, int64_t, DigestHash> patients;
  std::vector<uint32_t> own;
  plan.files = 0;
  for (size_t place = 0; place < plan.drafts.size(); ++place) {
    const Draft draft = plan.drafts.get(place);
    const int64_t patient =
        patients.emplace(digest_of(draft.study.patient_id), std::ssize(patients)).first->second;
    if (!shard.has(patient)) continue;
    own.push_back(plan.drafts.order()[place]);
    plan.files += std::ssize(draft.pictures) + report_files(draft);
  }
  plan.drafts.set_order(std::move(own));
  int64_t count = 0;
  std::erase_if(plan.refusals, [&](const Refusal&) { return !shard.has(count++); });
  const int64_t ignored = std::exchange(plan.ignored, 0);
  for (int64_t k = 0; k < ignored; ++k) plan.ignored += shard.has(count++) ? 1 : 0;
  plan.files += plan.ignored;
  for (const Refusal& r : plan.refusals) plan.files += r.line == 0 ? 1 : 0;
}

int64_t leave_out_listed(const Exclusion& exclusion, IngestPlan& plan) {
  int64_t excluded = 0;
  std::vector<uint32_t> kept;
  for (size_t place = 0; place < plan.drafts.size(); ++place) {
    const Draft draft = plan.drafts.get(place);
    std::vector<std::string> sources;
    for (const SourcePicture& picture : draft.pictures) sources.push_back(picture.name);
    if (draft.study.split == "test" || !exclusion.has(draft.study.study_id, sources)) {
      kept.push_back(plan.drafts.order()[place]);
      continue;
    }
    ++excluded;
    plan.ignored += std::ssize(draft.pictures) + report_files(draft);
  }
  plan.drafts.set_order(std::move(kept));
  return excluded;
}

}  // namespace unirg::data
