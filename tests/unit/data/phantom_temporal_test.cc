// The temporal class read from a phantom's report is that of what was drawn.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "data/phantom_reports.h"
#include "text/temporal.h"

namespace unirg::data {
namespace {

const std::filesystem::path kLexicons = std::filesystem::path(UNIRG_SOURCE_DIR) / "share/lexicon";

text::TemporalClass drawn(const PhantomStudy& study) {
  if (study.encounter == 1) return text::TemporalClass::first_study;
  std::vector<PhantomChange> all{study.changes.edema};
  all.insert(all.end(), study.changes.consolidation.begin(), study.changes.consolidation.end());
  all.insert(all.end(), study.changes.effusion.begin(), study.changes.effusion.end());
  all.insert(all.end(), study.changes.pneumothorax.begin(), study.changes.pneumothorax.end());
  const auto any = [&](PhantomChange change) {
    return std::find(all.begin(), all.end(), change) != all.end();
  };
  return any(PhantomChange::fresh)    ? text::TemporalClass::new_development
         : any(PhantomChange::worse)  ? text::TemporalClass::progression
         : any(PhantomChange::better) ? text::TemporalClass::regression
                                      : text::TemporalClass::no_change;
}

TEST(PhantomTemporal, the_class_of_every_report_is_the_drawn_one) {
  const text::TemporalReader reader(kLexicons / "chest.yaml", kLexicons / "temporal.yaml");
  PhantomConfig config;
  config.seed = 5;
  config.train = 1200;
  config.validate = config.test = 0;
  config.heldout = 400;
  config.follow_up = .5;
  config.varied_negatives = true;
  std::map<text::TemporalClass, int> seen;
  for (const PhantomStudy& study : plan_phantom(config)) {
    const PhantomReport report = write_report(config, study, "");
    const std::string text = report.findings + " " + report.impression;
    EXPECT_EQ(temporal_name(reader.classify(text, study.encounter > 1)),
              temporal_name(drawn(study)))
        << text;
    ++seen[drawn(study)];
  }
  EXPECT_EQ(seen.size(), 5) << "a class that no report has is not tested";
  for (const auto& [temporal, count] : seen) EXPECT_GE(count, 20) << temporal_name(temporal);
}

TEST(PhantomTemporal, a_first_study_compares_nothing) {
  const text::TemporalReader reader(kLexicons / "chest.yaml", kLexicons / "temporal.yaml");
  PhantomConfig config;
  config.train = 400;
  config.validate = config.test = config.heldout = 0;
  for (const PhantomStudy& study : plan_phantom(config)) {
    if (study.encounter > 1) continue;
    const PhantomReport report = write_report(config, study, "");
    EXPECT_TRUE(reader.statements(report.findings + " " + report.impression).empty())
        << report.findings;
  }
}

}  // namespace
}  // namespace unirg::data
