// Hand-worked graphs; parity with radgraph's rewards and CXR-Report-Metric on 200 synthetic pairs
// where ../shared has them. SPDX-License-Identifier: Apache-2.0
#include "metrics/radgraph.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "golden.h"
#include "io/atomic_file.h"

namespace unirg::metrics {
namespace {

GraphEntity entity(std::string tokens, std::string label,
                   std::vector<GraphRelation> relations = {}) {
  return {std::move(tokens), std::move(label), 0, 0, std::move(relations)};
}

/// "effusion" is "left"; no edema.
ReportGraph small_graph() {
  return {"",
          {entity("left", "ANAT-DP"), entity("Effusion", "OBS-DP", {{"located_at", 0}}),
           entity("edema", "OBS-DA")}};
}

TEST(RadgraphRewards, are_worked_by_hand) {
  const ReportGraph r = small_graph();
  ReportGraph h = r;
  h.entities[1].tokens = "effusion";
  h.entities[1].relations = {{"located_at", 0}, {"modify", 0}};
  const GraphRewards lowered = radgraph_rewards(h, r, GraphCase::lowered);
  EXPECT_DOUBLE_EQ(lowered.simple, 1);
  EXPECT_DOUBLE_EQ(lowered.partial, 1);
  // hypothesis: left, edema, two relations; reference: left, edema, one of these relations
  EXPECT_DOUBLE_EQ(lowered.complete, 2 * 0.75 * 1 / 1.75);
  const GraphRewards cased = radgraph_rewards(h, r, GraphCase::as_0_1_18);
  EXPECT_DOUBLE_EQ(cased.simple, 2.0 / 3);
  EXPECT_DOUBLE_EQ(cased.partial, 2.0 / 3);
  EXPECT_DOUBLE_EQ(cased.complete, lowered.complete);
}

TEST(RadgraphRewards, case_of_0_1_18_counts_in_complete_only_without_relations) {
  const ReportGraph a{"", {entity("Edema", "OBS-DP")}};
  const ReportGraph b{"", {entity("edema", "OBS-DP")}};
  EXPECT_EQ(radgraph_rewards(a, b, GraphCase::as_0_1_18).complete, 0);
  EXPECT_EQ(radgraph_rewards(a, b, GraphCase::lowered).complete, 1);
}

TEST(RadgraphRewards, a_graph_without_entities_gets_nothing) {
  EXPECT_EQ(radgraph_rewards({}, {}, GraphCase::lowered).simple, 0);
  EXPECT_EQ(radgraph_rewards(small_graph(), {}, GraphCase::lowered).partial, 0);
}

TEST(RadcliqGraphF1, of_identical_graphs_without_relations_is_a_half) {
  const ReportGraph g{"", {entity("edema", "OBS-DP")}};
  const GraphOverlap same = radcliq_graph_f1(g, g);
  EXPECT_EQ(same.entity, 1);
  EXPECT_EQ(same.relation, 0);
  EXPECT_EQ(same.combined(), 0.5);
  EXPECT_EQ(radcliq_graph_f1(small_graph(), small_graph()).combined(), 1);
  EXPECT_EQ(radcliq_graph_f1({}, {}).combined(), 0);
}

TEST(RadcliqGraphF1, compares_the_label_of_the_target_too) {
  ReportGraph h = small_graph();
  h.entities[0].label = "OBS-DP";
  const GraphOverlap score = radcliq_graph_f1(h, small_graph());
  EXPECT_DOUBLE_EQ(score.entity, 2.0 / 3);
  EXPECT_EQ(score.relation, 0);
}

TEST(ReportGraph, survives_its_json) {
  ReportGraph g = small_graph();
  g.text = "left Effusion ; no edema";
  g.entities[2].first_word = 4;
  g.entities[2].last_word = 5;
  EXPECT_EQ(graph_from_json(graph_to_json(g)), g);
  io::Json broken = graph_to_json(g);
  broken["entities"]["2"]["relations"][0][1] = "9";
  EXPECT_THROW((void)graph_from_json(broken), Error);
  EXPECT_THROW((void)graph_from_json(io::Json::parse(R"({"text":"x"})")), Error);
}

TEST(Golden, rewards_of_200_graphs_equal_the_published_code) {
  const auto file = testing::golden_folder("metrics") / "radgraph_rewards_synthetic.json";
  UNIRG_SKIP_WITHOUT(file);
  const io::Json golden = io::Json::parse(io::read_file(file));
  ASSERT_EQ(golden.size(), 200u);
  size_t i = 0;
  for (const io::Json& c : golden) {
    const ReportGraph h = graph_from_json(c.at("hyp"));
    const ReportGraph r = graph_from_json(c.at("ref"));
    const auto expect = [&](const GraphRewards& ours, const io::Json& theirs) {
      EXPECT_EQ(ours.simple, theirs[0].get<double>()) << i;
      EXPECT_EQ(ours.partial, theirs[1].get<double>()) << i;
      EXPECT_EQ(ours.complete, theirs[2].get<double>()) << i;
    };
    expect(radgraph_rewards(h, r, GraphCase::lowered), c.at("lowercased(HEAD)"));
    expect(radgraph_rewards(h, r, GraphCase::as_0_1_18), c.at("case_sensitive(0.1.18)"));
    const GraphOverlap overlap = radcliq_graph_f1(h, r);
    EXPECT_NEAR(overlap.entity, c.at("radcliq_entity_f1").get<double>(), 1e-15) << i;
    EXPECT_NEAR(overlap.relation, c.at("radcliq_relation_f1").get<double>(), 1e-15) << i;
    EXPECT_NEAR(overlap.combined(), c.at("radcliq_combined").get<double>(), 1e-15) << i;
    ++i;
  }
}

}  // namespace
}  // namespace unirg::metrics
