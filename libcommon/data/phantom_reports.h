// The report of a phantom study, in the style of its site: four houses with their own order of
// organs, one sentence for each organ without a finding, several ways to say each finding. Depends
// on data/phantom_cases.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "data/phantom_cases.h"

namespace unirg::data {

struct PhantomReport {
  std::string indication, technique, comparison, findings, impression;  ///< prose, one line each
};

/// \param prior_impression of the patient's study before, "" if there is none; quoted under
/// COMPARISON
PhantomReport write_report(const PhantomConfig& config, const PhantomStudy& study,
                           std::string_view prior_impression);

/// "INDICATION: ...\nTECHNIQUE: ...\nCOMPARISON: ...\nFINDINGS: ...\nIMPRESSION: ...\n"
std::string report_text(const PhantomReport& report);

}  // namespace unirg::data
