// One study of the report page's browser: image, prior study, reference, and what each system
// wrote. Depends on marks.h, scoring. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "evaluation/marks.h"
#include "scoring/family.h"

namespace unirg::evaluation {

/// The patient's study before this one.
struct PriorCard {
  std::string study_id;
  std::string date;    ///< "YYYY-MM-DD", or ""
  std::string report;  ///< "" without sections
  int64_t image = -1;  ///< index into ReportPage::images; -1: none
};

struct StudyCard {
  std::string study_id, split, site, seed;
  int64_t image = -1;  ///< index into ReportPage::images; -1: none
  std::string indication;
  std::string reference;  ///< report text
  std::vector<Mark> marks = {};
  std::optional<PriorCard> prior = std::nullopt;
  struct Text {
    std::string system, text;
    scoring::NamedValues metrics;  ///< of this report, by name
    std::vector<Mark> marks = {};
  };
  std::vector<Text> texts = {};
  std::vector<std::string> conditions = {};  ///< present in the reference
};

}  // namespace unirg::evaluation
