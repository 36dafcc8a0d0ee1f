// Accuracy of categories: agreement, absence on either side, sums, signature.
// SPDX-License-Identifier: Apache-2.0
#include "scoring/category_family.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace unirg::scoring {
namespace {

const CategoryFamily& family() {
  static const CategoryFamily made(std::filesystem::path(UNIRG_SOURCE_DIR) /
                                   "share/lexicon/categories.yaml");
  return made;
}

size_t index_of(const std::string& name) {
  const auto& metrics = family().metrics();
  return static_cast<size_t>(std::find_if(metrics.begin(), metrics.end(),
                                          [&](const MetricInfo& m) { return m.name == name; }) -
                             metrics.begin());
}

TEST(CategoryFamily, compares_what_both_state) {
  const size_t birads = index_of("category-birads");
  const size_t density = index_of("category-density");
  ASSERT_LT(std::max(birads, density), family().metrics().size());
  const auto scored = family().score(
      {"Scattered fibroglandular densities. BI-RADS category 4A.",
       {"ACR b. BIRADS IVa", "Heterogeneously dense. BI-RADS 2.", "No mass. Fatty breasts."}});
  EXPECT_EQ(scored[0].values[birads], 1);
  EXPECT_EQ(scored[0].values[density], 1);
  EXPECT_EQ(scored[1].values[birads], 0);
  EXPECT_EQ(scored[1].values[density], 0);
  EXPECT_EQ(scored[2].values[birads], 0);  // stated by the reference alone
  EXPECT_EQ(scored[0].sums[birads],
            (std::pair<std::string, std::vector<double>>{"category-birads", {1, 1}}));
  EXPECT_EQ(scored[2].sums[birads].second, (std::vector<double>{0, 1}));
  EXPECT_EQ(scored[1].details.at("category-birads").dump(),
            R"({"reference":"4A","hypothesis":"2"})");
}

TEST(CategoryFamily, has_no_value_where_the_reference_states_none) {
  const size_t birads = index_of("category-birads");
  const Scored s = family().score({"The lungs are clear.", {"BI-RADS 2"}})[0];
  for (const auto& value : s.values) EXPECT_FALSE(value);
  EXPECT_EQ(s.sums[birads].second, (std::vector<double>{0, 0}));
  EXPECT_EQ(s.details.at("category-birads").dump(), R"({"reference":null,"hypothesis":"2"})");
  EXPECT_TRUE(family().score({"a", {"b"}})[0].details.is_null());
}

TEST(CategoryFamily, signature_names_file_and_rule) {
  const MetricInfo& birads = family().metrics()[index_of("category-birads")];
  EXPECT_EQ(birads.signature.rfind("category-birads:exact|pick:last|categories:categories-1@", 0),
            0U)
      << birads.signature;
  EXPECT_EQ(birads.meaning, "same BI-RADS assessment category");
}

}  // namespace
}  // namespace unirg::scoring
