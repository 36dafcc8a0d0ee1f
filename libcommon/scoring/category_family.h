// Accuracy of categories that reports state (BI-RADS, breast density, ...): one metric
// `category-NAME` for each category of a file in the format of text/categories.h. Used by AMRG
// (arXiv:2508.09225) for mammography, there without a public definition. Depends on text.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "scoring/family.h"
#include "text/categories.h"

namespace unirg::scoring {

/// Value: 1 if hypothesis and reference state the same value, 0 if another or none; no value where
/// the reference states none. Scored::sums "category-NAME": {agreeing, counted}, {0, 0} where there
/// is no value; accuracy of a corpus is the quotient of the sums. Scored::details: for each
/// category that either states, {"reference": value or null, "hypothesis": value or null}, else
/// null.
class CategoryFamily : public Family {
 public:
  explicit CategoryFamily(text::Categories categories);
  /// \throws what the categories file throws
  explicit CategoryFamily(const std::filesystem::path& file)
      : CategoryFamily(text::Categories(file)) {}

  [[nodiscard]] const std::vector<MetricInfo>& metrics() const override { return metrics_; }
  [[nodiscard]] std::vector<Scored> score(const TextGroup& group) const override;

 private:
  text::Categories categories_;
  std::vector<MetricInfo> metrics_;
};

}  // namespace unirg::scoring
