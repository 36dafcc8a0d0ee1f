// Whether what is trained on holds something of what is tested on: the same picture, or nearly the
// same report. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/exclusion.h"
#include "data/records.h"
#include "data/study_shelf.h"

namespace unirg::data {

struct Leak {
  std::string study_id;  ///< of the study that is trained on
  std::string of;        ///< of the tested one; "" where a list gives a digest alone
  double likeness = 1;   ///< Jaccard index of the reports
};

struct Leaks {
  int64_t trained = 0;      ///< studies looked at: of all splits but test and heldout_site
  int64_t tested = 0;       ///< studies they were compared with: those two splits and the lists
  std::vector<Leak> image;  ///< studies with a picture of a tested one
  std::vector<Leak> text;   ///< studies with a report like that of a tested one
};

/// \param threshold least Jaccard index of word 5-grams, see text/near_duplicates.h
/// \param each_study  gives all studies, twice: the tested ones are kept, the others only looked at
Leaks find_leaks(const std::function<void(const StudyTaker&)>& each_study,
                 const Exclusion& exclusion, double threshold);

/// For summary.json: counts, and the first twenty of each kind.
Json to_json(const Leaks& leaks, double threshold);

}  // namespace unirg::data
