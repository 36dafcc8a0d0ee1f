// Hand-worked entities and matches; parity with package ratescore 0.6.0 on synthetic cases where
// ../shared has them. SPDX-License-Identifier: Apache-2.0
#include "metrics/ratescore.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "golden.h"
#include "io/atomic_file.h"
#include "io/jsonl.h"

namespace unirg::metrics {
namespace {

using Labels = std::vector<std::string>;

/// Labels between two special pieces.
std::vector<RateSpan> spans(Labels inner) {
  inner.insert(inner.begin(), "O");
  inner.emplace_back("O");
  std::vector<bool> special(inner.size(), false);
  special.front() = special.back() = true;
  return rate_spans(inner, special);
}

TEST(RateSpans, are_worked_by_hand) {
  using Spans = std::vector<RateSpan>;
  EXPECT_EQ(spans({"B-DISEASE", "O", "B-ANATOMY", "I-ANATOMY", "O"}),
            (Spans{{1, 1, "DISEASE"}, {3, 4, "ANATOMY"}}));
  EXPECT_EQ(spans({"I-DISEASE", "O"}), Spans{});  // nothing opened it
  // an I before a B closes one entity and opens another, which the B's own I replaces
  EXPECT_EQ(spans({"B-ANATOMY", "I-ANATOMY", "B-DISEASE", "I-DISEASE", "O"}),
            (Spans{{1, 2, "ANATOMY"}, {3, 4, "DISEASE"}}));
  EXPECT_EQ(spans({"B-ANATOMY", "B-DISEASE"}), (Spans{{1, 1, "ANATOMY"}, {2, 2, "DISEASE"}}));
}

/// The last piece is no special one here, as after truncation of another kind.
TEST(RateSpans, an_entity_open_at_the_end_closes_before_the_last_piece) {
  const std::vector<RateSpan> open =
      rate_spans({"O", "B-DISEASE", "I-DISEASE", "I-DISEASE"}, {true, false, false, true});
  EXPECT_EQ(open, (std::vector<RateSpan>{{1, 2, "DISEASE"}}));
  // ... but is lost when an end is left over from the entity before it.
  const std::vector<RateSpan> lost = rate_spans(
      {"O", "B-ANATOMY", "B-DISEASE", "I-DISEASE", "I-DISEASE"}, {true, false, false, false, true});
  EXPECT_EQ(lost, (std::vector<RateSpan>{{1, 1, "ANATOMY"}}));
}

TEST(RateMatch, is_worked_by_hand) {
  const RateMatrix m = rate_matrix("long").value();
  const RateEntities q{{RateType::disease, RateType::anatomy}, {3, 4, 0, 2}};
  const RateEntities k{{RateType::non_disease, RateType::anatomy}, {1, 0, 0, 1}};
  // (0.6, 0.8) lies nearer to (0, 1): disease with anatomy; (0, 1) with itself.
  const double da = 0.9950209388542061;
  const double aa = 0.2856134859160784;
  EXPECT_NEAR(rate_match(q, k, m), (0.8 * da + aa) / (da + aa), 1e-7);
  const RateEntities no{{RateType::non_disease}, {3, 4}};
  EXPECT_NEAR(rate_match({{RateType::disease}, {3, 4}}, no, m), m.negation, 1e-7);
  EXPECT_NEAR(rate_match({{RateType::anatomy}, {3, 4}}, no, m), 1, 1e-7);
}

TEST(Ratescore, without_entities_is_a_half) {
  const RateMatrix m = rate_matrix("short").value();
  const RateEntities some{{RateType::disease}, {1, 0}};
  EXPECT_EQ(ratescore({}, some, m), 0.5);
  EXPECT_EQ(ratescore(some, {}, m), 0.5);
  EXPECT_NEAR(ratescore(some, some, m), 1, 1e-7);
  EXPECT_EQ(ratescore(some, {{RateType::disease}, {0, 1}}, m), 0);
  EXPECT_FALSE(rate_matrix("middle").has_value());
  EXPECT_FALSE(rate_type("SYMPTOM").has_value());
  EXPECT_EQ(rate_type_name(RateType::non_disease), "NON-DISEASE");
}

TEST(Golden, iob_decoding_of_300_cases_equals_the_package) {
  const auto file = testing::golden_folder("metrics") / "ratescore_iob_decode_synthetic.json";
  UNIRG_SKIP_WITHOUT(file);
  const io::Json golden = io::Json::parse(io::read_file(file));
  ASSERT_EQ(golden.size(), 300u);
  size_t n = 0;
  for (const io::Json& c : golden) {
    const auto tokens = c.at("tokens").get<Labels>();
    std::vector<bool> special;
    for (const std::string& t : tokens) special.push_back(t == "[CLS]" || t == "[SEP]");
    io::Json ours = io::Json::array();
    for (const RateSpan& span : rate_spans(c.at("labels").get<Labels>(), special)) {
      std::string joined = tokens[span.first];
      for (size_t i = span.first + 1; i <= span.last; ++i) joined += " " + tokens[i];
      ours.push_back({joined, span.type});
    }
    EXPECT_EQ(ours, c.at("spans")) << n;
    ++n;
  }
}

RateEntities read_entities(const io::Json& json) {
  RateEntities out;
  for (const io::Json& row : json.at("emb")) {
    for (const io::Json& value : row) out.vectors.push_back(value.get<float>());
  }
  for (const io::Json& name : json.at("types"))
    out.types.push_back(rate_type(name.get<std::string>()).value());
  return out;
}

TEST(Golden, matching_of_60_cases_equals_the_package) {
  const auto file = testing::golden_folder("metrics") / "ratescore_matching_synthetic.json";
  UNIRG_SKIP_WITHOUT(file);
  const io::Json golden = io::Json::parse(io::read_file(file));
  ASSERT_EQ(golden.size(), 60u);
  size_t n = 0;
  for (const io::Json& c : golden) {
    const RateMatrix m = rate_matrix(c.at("matrix").get<std::string>()).value();
    const RateEntities r = read_entities(c.at("gt"));
    const RateEntities h = read_entities(c.at("pred"));
    const double score = c.at("score").get<double>();
    EXPECT_NEAR(rate_match(r, h, m), c.at("gt_to_pred").get<double>(), 1e-6) << n;
    EXPECT_NEAR(rate_match(h, r, m), c.at("pred_to_gt").get<double>(), 1e-6) << n;
    // Where the directions nearly cancel, the harmonic mean magnifies the last bits.
    const double sum = std::abs(rate_match(r, h, m) + rate_match(h, r, m));
    EXPECT_NEAR(ratescore(h, r, m), score, 1e-6 + 2e-7 / sum) << n;
    ++n;
  }
}

}  // namespace
}  // namespace unirg::metrics
