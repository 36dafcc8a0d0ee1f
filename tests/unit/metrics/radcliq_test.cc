// Worked values, and the public leaderboard: 1/RadCliQ-v1 of every row follows from the row's own
// components (rajpurkarlab/ReXrank gh-pages b7efa9f). SPDX-License-Identifier: Apache-2.0
#include "metrics/radcliq.h"

#include <gtest/gtest.h>

#include <vector>

namespace unirg::metrics {
namespace {

TEST(RadCliq, of_perfect_and_of_worthless_reports) {
  const RadCliqInputs perfect{1, 1, 1, 1};
  EXPECT_NEAR(radcliq_v1(perfect), -1.4406902831, 1e-9);
  EXPECT_NEAR(radcliq_v0(perfect), -0.2421334229, 1e-9);
  EXPECT_NEAR(radcliq_v1({}), 2.4501430831, 1e-9);
  EXPECT_NEAR(radcliq_v0({}), 5.5161608041, 1e-9);
}

TEST(RadCliq, in_raw_units) {
  const RadCliqInputs x{0.3, -0.2, 0.6, 0.4};
  EXPECT_NEAR(radcliq_v1(x),
              2.4501430833 - 1.2452163302 * 0.3 - 1.6508453287 * -0.2 - 0.9947717072 * 0.6, 1e-9);
  EXPECT_NEAR(radcliq_v0(x),
              5.5161608041 - 1.5890342336 * 0.3 - 3.0098301362 * -0.2 - 1.8733717099 * 0.6 +
                  0.7139418527 * 0.4,
              1e-9);
}

/// jbdel/RadEval#5: identical text without relations.
TEST(RadCliq, crosses_zero_so_that_only_a_positive_mean_has_a_reciprocal) {
  const double same = radcliq_v1({0.5, 1, 1, 1});
  EXPECT_NEAR(same, -0.8181, 5e-5);
  EXPECT_FALSE(radcliq_reciprocal(same).has_value());
  EXPECT_FALSE(radcliq_reciprocal(0).has_value());
  EXPECT_DOUBLE_EQ(radcliq_reciprocal(0.5).value_or(0), 2);
}

struct BoardRow {
  const char* name;
  double bleu, bertscore, sembscore, radgraph, reciprocal;
};

double of_components(const BoardRow& row) {
  return radcliq_reciprocal(radcliq_v1({row.radgraph, row.bertscore, row.sembscore, row.bleu}))
      .value_or(0);
}

TEST(RadCliq, gives_the_findings_board) {
  const std::vector<BoardRow> rows = {
      {"MIMIC-CXR, UniRG-CXR", 0.248, 0.493, 0.487, 0.265, 1.217},
      {"MIMIC-CXR, MedVersa", 0.209, 0.448, 0.466, 0.273, 1.103},
      {"MIMIC-CXR, Libra", 0.232, 0.402, 0.403, 0.218, 0.898},
      {"MIMIC-CXR, RadPhi3.5Vision", 0.223, 0.386, 0.431, 0.207, 0.888},
      {"MIMIC-CXR, CXRMate-ED", 0.208, 0.383, 0.396, 0.223, 0.872},
      {"MIMIC-CXR, MedGemma-4b", 0.165, 0.346, 0.339, 0.159, 0.744},
      {"MIMIC-CXR, GPT4V", 0.068, 0.207, 0.214, 0.084, 0.558},
      {"IU X-ray, UniRG-CXR", 0.265, 0.565, 0.659, 0.286, 1.977},
      {"IU X-ray, MoERad-IU", 0.277, 0.525, 0.641, 0.341, 1.922},
      {"IU X-ray, MedVersa", 0.206, 0.527, 0.606, 0.235, 1.460},
      {"IU X-ray, CXRMate-RRG24", 0.245, 0.456, 0.638, 0.302, 1.458},
      {"IU X-ray, VLCI-IU", 0.268, 0.455, 0.619, 0.288, 1.381},
      {"IU X-ray, MedGemma-4b", 0.217, 0.475, 0.600, 0.260, 1.340},
      {"CheXpert Plus, UniRG-CXR", 0.190, 0.428, 0.460, 0.236, 1.008},
      {"CheXpert Plus, RadPhi3.5Vision", 0.198, 0.353, 0.437, 0.217, 0.860},
      {"CheXpert Plus, CheXpertPlus-CheX-MIMIC", 0.153, 0.335, 0.404, 0.207, 0.808},
      {"CheXpert Plus, CXRMate-RRG24", 0.157, 0.315, 0.411, 0.218, 0.801},
      {"CheXpert Plus, MAIRA-2", 0.163, 0.359, 0.355, 0.189, 0.788},
      {"ReXGradient, UniRG-CXR", 0.291, 0.538, 0.576, 0.298, 1.621},
      {"ReXGradient, MoERad-IU", 0.227, 0.434, 0.446, 0.247, 1.018},
      {"ReXGradient, MedGemma-4b", 0.200, 0.427, 0.479, 0.223, 1.008},
      {"ReXGradient, MedVersa", 0.210, 0.431, 0.498, 0.202, 1.008},
      {"ReXGradient, MAIRA-2", 0.205, 0.436, 0.462, 0.187, 0.963},
  };
  for (const BoardRow& row : rows)
    EXPECT_NEAR(of_components(row), row.reciprocal, 0.004) << row.name;
}

TEST(RadCliq, gives_the_findings_and_impression_board) {
  const std::vector<BoardRow> rows = {
      {"MIMIC-CXR, UniRG-CXR", 0.193, 0.443, 0.485, 0.269, 1.108},
      {"MIMIC-CXR, MedVersa", 0.193, 0.430, 0.315, 0.273, 0.919},
      {"MIMIC-CXR, CheXpertPlus-CheX-MIMIC", 0.166, 0.362, 0.391, 0.203, 0.825},
      {"IU X-ray, UniRG-CXR", 0.295, 0.574, 0.653, 0.285, 2.007},
      {"CheXpert Plus, UniRG-CXR", 0.130, 0.026, 0.433, 0.072, 0.530},
      {"CheXpert Plus, CheXpertPlus-CheX", 0.142, 0.020, 0.380, 0.070, 0.512},
      {"CheXpert Plus, CheXpertPlus-CheX-MIMIC", 0.140, 0.011, 0.388, 0.071, 0.511},
      {"ReXGradient, UniRG-CXR", 0.300, 0.532, 0.573, 0.300, 1.590},
      {"ReXGradient, MedVersa", 0.172, 0.438, 0.480, 0.188, 0.984},
  };
  for (const BoardRow& row : rows)
    EXPECT_NEAR(of_components(row), row.reciprocal, 0.004) << row.name;
  // Rows whose columns come from different runs on the board itself.
  const std::vector<BoardRow> odd = {
      {"IU X-ray, MedVersa", 0.195, 0.518, 0.601, 0.244, 1.452},
      {"IU X-ray, CheXpertPlus-CheX-MIMIC", 0.244, 0.476, 0.598, 0.232, 1.249},
      {"ReXGradient, CheXpertPlus-CheX-MIMIC", 0.196, 0.389, 0.429, 0.166, 0.838},
  };
  for (const BoardRow& row : odd) EXPECT_NEAR(of_components(row), row.reciprocal, 0.06) << row.name;
}

}  // namespace
}  // namespace unirg::metrics
