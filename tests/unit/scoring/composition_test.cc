// SPDX-License-Identifier: Apache-2.0
#include "scoring/composition.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "io/atomic_file.h"
#include "temp_folder.h"

namespace unirg::scoring {
namespace {

const std::string kRewards = std::string(UNIRG_SOURCE_DIR) + "/share/rewards/";

class CompositionTest : public ::testing::Test {
 protected:
  Composition load(const std::string& yaml) {
    io::write_file(folder_.path() / "r.yaml", yaml);
    return load_composition(folder_.path() / "r.yaml");
  }
  std::string complaint(const std::string& yaml) {
    try {
      (void)load(yaml);
    } catch (const Error& e) {
      EXPECT_EQ(e.exit(), Exit::config);
      return e.what();
    }
    ADD_FAILURE() << "accepted: " << yaml;
    return "";
  }

 private:
  testing::TempFolder folder_;
};

TEST_F(CompositionTest, of_the_papers_first_step_by_hand) {
  const NamedValues values{
      {"bleu2", 0.9}, {"bertscore", 0.5}, {"sembscore", 0.25}, {"radgraph", 0.1}};
  EXPECT_DOUBLE_EQ(compose(load_composition(kRewards + "unirg-step1.yaml"), values).value(),
                   0.370 * 0.5 + 0.253 * 0.25 + 0.377 * 0.1);
}

TEST_F(CompositionTest, of_the_papers_second_step_by_hand) {
  const Composition step2 = load_composition(kRewards + "unirg-step2.yaml");
  NamedValues values{{"bleu2", 0.9},
                     {"bertscore", 0.5},
                     {"sembscore", 0.25},
                     {"radgraph", 0.1},
                     {"chexprompt-errors", 3}};
  const double first = 0.370 * 0.5 + 0.253 * 0.25 + 0.377 * 0.1;
  EXPECT_DOUBLE_EQ(compose(step2, values).value(), first + 0.5 / 4);
  values.back().second = std::nullopt;  // an unreadable reply: 1.5 points of weight on 1.0
  EXPECT_DOUBLE_EQ(compose(step2, values).value(), first * 1.5);
}

TEST_F(CompositionTest, applies_transforms_in_their_order) {
  const Composition c = load(
      "terms:\n- {metric: radcliq-v1, weight: 2, transform: [{scale: [2.5, -1.5]}, {clip: [0, "
      "1]}]}\n"
      "- {metric: errors, weight: 1, transform: identity, on-null: -1}\n");
  EXPECT_DOUBLE_EQ(compose(c, {{"radcliq-v1", 1.5}, {"errors", 3}}).value(), 2 * 0.25 + 3);
  EXPECT_DOUBLE_EQ(compose(c, {{"radcliq-v1", 3}, {"errors", std::nullopt}}).value(), 0 - 1);
  EXPECT_EQ(formula(c), "2*clip(scale(radcliq-v1,2.5,-1.5),0,1) + 1*errors[null:-1]");
}

TEST_F(CompositionTest, a_missing_value_is_an_error_unless_the_file_says_otherwise) {
  const Composition sum = weighted_sum({{"a", 1}});
  EXPECT_THROW((void)compose(sum, {{"a", std::nullopt}}), Error);
  EXPECT_THROW((void)compose(sum, {{"b", 1}}), Error);
  const Composition dropped = load("terms: [{metric: a, weight: 1, on-null: drop}]");
  EXPECT_FALSE(compose(dropped, {{"a", std::nullopt}}).has_value()) << "nothing is left";
}

TEST_F(CompositionTest, a_dropped_term_does_not_turn_the_sign) {
  const Composition c = load(
      "terms: [{metric: a, weight: 1}, {metric: e, weight: -1.2}, {metric: c, weight: 0.5, "
      "on-null: "
      "drop}]");
  EXPECT_NEAR(compose(c, {{"a", 1}, {"e", 0}, {"c", std::nullopt}}).value(), 2.7 / 2.2, 1e-12);
}

TEST_F(CompositionTest, a_reciprocal_of_minus_one_is_an_error) {
  const Composition c = load("terms: [{metric: a, weight: 1, transform: reciprocal}]");
  EXPECT_THROW((void)compose(c, {{"a", -1}}), Error);
  EXPECT_DOUBLE_EQ(compose(c, {{"a", 0}}).value(), 1);
}

TEST_F(CompositionTest, complaints_name_line_and_key) {
  EXPECT_NE(complaint("terms:\n- {metric: a, weight: 1}\n- {metrics: b}\n")
                .find("r.yaml:3: unknown key 'metrics' (hint: did you mean 'metric'?)"),
            std::string::npos);
  EXPECT_NE(complaint("terms:\n- {metric: a, weight: x}").find("'weight': expected a number"),
            std::string::npos);
  EXPECT_NE(complaint("terms: [{metric: a, weight: 1}, {metric: a, weight: 2}]").find("twice"),
            std::string::npos);
  EXPECT_NE(complaint("terms: [{metric: a, weight: 1, transform: log}]").find("a transform is"),
            std::string::npos);
  EXPECT_NE(complaint("terms: [{metric: a, weight: 1, transform: {clip: [2, 1]}}]").find("clip"),
            std::string::npos);
  EXPECT_NE(complaint("terms: [{metric: a, weight: 1, on-null: maybe}]").find("on-null"),
            std::string::npos);
  EXPECT_NE(complaint("terms: []").find("list of terms"), std::string::npos);
  EXPECT_NE(complaint("term: [").find("not valid YAML"), std::string::npos);
}

}  // namespace
}  // namespace unirg::scoring
