// SPDX-License-Identifier: Apache-2.0
#include "evaluation/leaderboard.h"

#include <gtest/gtest.h>

namespace unirg::evaluation {
namespace {

/// Three systems over 30 patients; "b_2" is far worse than "a" in bleu2, "c" has most errors.
Comparison three(int64_t resamples) {
  std::vector<Score> all;
  for (const std::string system : {"b_2", "a", "c"}) {
    for (int i = 0; i < 30; ++i) {
      Score s;
      s.system = system;
      s.split = "test";
      s.study_id = s.patient_id = std::to_string(i);
      s.labelled = false;
      const double noise = 0.01 * (i % 7);
      s.metrics = {{"bleu2", (system == "b_2" ? 0.25 : 0.5) + noise},
                   {"errors", system == "c" ? 2 : 1},
                   {"words", 40}};
      all.push_back(s);
    }
  }
  return compare(all, {.resampling = {.resamples = resamples}, .baseline = "a"});
}

LeaderboardOptions options() {
  return {{{.name = "bleu2", .signature = "", .meaning = ""},
           {.name = "errors", .signature = "", .meaning = "", .better = scoring::Better::lower},
           {.name = "words", .signature = "", .meaning = "", .better = scoring::Better::neither}},
          "a"};
}

TEST(Leaderboard, ranks_by_the_first_metric_and_marks_best_and_worse) {
  const std::string text = leaderboard_markdown(three(1000), "test", options());
  EXPECT_NE(text.find("| rank | system | bleu2 ↑ | errors ↓ | words |"), std::string::npos) << text;
  EXPECT_NE(text.find("| 1 | a | **0.528** | **1.000** | 40.000 |"), std::string::npos) << text;
  EXPECT_NE(text.find("| 2 | c | **0.528** | 2.000! | 40.000 |"), std::string::npos) << text;
  EXPECT_NE(text.find("| 3 | b_2 | 0.278! | **1.000** | 40.000 |"), std::string::npos) << text;
  EXPECT_NE(text.find("! worse than a"), std::string::npos);
}

TEST(Leaderboard, without_resamples_nothing_is_marked) {
  const std::string text = leaderboard_markdown(three(0), "test", options());
  EXPECT_NE(text.find("| 3 | b_2 | 0.278 |"), std::string::npos) << text;
}

TEST(Leaderboard, latex_escapes_and_shows_intervals) {
  const std::string text = leaderboard_latex(three(1000), options());
  EXPECT_NE(text.find("b\\_2 & 0.278$^{!}$ {\\scriptsize [0."), std::string::npos) << text;
  EXPECT_NE(text.find("\\begin{tabular}{lrrr}"), std::string::npos);
  EXPECT_NE(text.find("\\textbf{0.528}"), std::string::npos);
}

}  // namespace
}  // namespace unirg::evaluation
