// What CheXbert, RadGraph and RaTEScore's networks read of texts: parity where ../shared has
// goldens, and batches and caches on networks of a few random numbers.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "golden.h"
#include "io/atomic_file.h"
#include "scoring/chexbert_net.h"
#include "scoring/radgraph_net.h"
#include "scoring/rate_net.h"
#include "temp_folder.h"
#include "tiny_nets.h"

namespace unirg::scoring {
namespace {

using Texts = std::vector<std::string>;

const Texts kTexts = {"Heart size is normal. Lungs are clear. No pleural effusion or pneumothorax.",
                      "Small left pleural effusion.", "", "Stable cardiomegaly.\nNo edema."};

TEST(Golden, chexbert_classes_and_vectors_of_43_texts) {
  const auto folder = testing::golden_folder("metrics");
  UNIRG_SKIP_WITHOUT(folder / "tiny_chexbert");
  const io::Json golden = io::Json::parse(io::read_file(folder / "chexbert_tiny.json"));
  Texts texts;
  for (const io::Json& c : golden) texts.push_back(c.at("text").get<std::string>());
  ASSERT_EQ(texts.size(), 43u);
  const auto readings = ChexbertNet(folder / "tiny_chexbert").read(texts);
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto classes = golden[i].at("classes").get<std::vector<int>>();
    const auto cls = golden[i].at("cls").get<std::vector<double>>();
    for (size_t c = 0; c < classes.size(); ++c)
      EXPECT_EQ(readings[i].classes[c], classes[c]) << i << " " << kChexbertConditions[c];
    ASSERT_EQ(readings[i].vector.size(), cls.size());
    for (size_t k = 0; k < cls.size(); ++k)
      EXPECT_NEAR(readings[i].vector[k], cls[k], 1e-5) << i << " " << k;
  }
}

TEST(Golden, radgraph_annotations_of_29_texts_are_the_packages_json) {
  const auto folder = testing::golden_folder("metrics");
  UNIRG_SKIP_WITHOUT(folder / "tiny_dygie");
  const io::Json golden = io::Json::parse(io::read_file(folder / "dygie_tiny.json"));
  const auto texts = golden.at("texts").get<Texts>();
  ASSERT_EQ(texts.size(), 29u);
  const auto graphs = RadGraphNet(folder / "tiny_dygie", text::RadGraphTokens::v1).read(texts);
  for (size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(metrics::graph_to_json(graphs[i]), golden.at("annotations").at(std::to_string(i)))
        << texts[i];
  }
}

TEST(Chexbert, labels_and_vectors_by_hand) {
  ChexbertReading a;
  a.classes[1] = 1;
  a.classes[4] = 3;
  a.classes[13] = 1;
  a.classes[2] = 2;
  metrics::ConditionSet strict{};
  strict[1] = strict[13] = true;
  EXPECT_EQ(called_conditions(a, false), strict);
  metrics::ConditionSet wide = strict;
  wide[4] = true;
  EXPECT_EQ(called_conditions(a, true), wide);
  wide[13] = false;
  EXPECT_EQ(only_five(called_conditions(a, true)), wide);
  a.vector = {3, 4};
  ChexbertReading b;
  b.vector = {4, -3};
  EXPECT_NEAR(sembscore(a, a).value(), 1, 1e-12);
  EXPECT_EQ(sembscore(a, b), 0);
  b.vector = {0, 0};
  EXPECT_FALSE(sembscore(a, b).has_value());
}

TEST(Chexbert, batches_and_caches_change_nothing_but_low_bits) {
  const testing::TempFolder folder;
  testing::make_tiny_chexbert(folder.path() / "m");
  const auto alone = ChexbertNet(folder.path() / "m").read(kTexts);
  const auto together = ChexbertNet(folder.path() / "m").read(kTexts, 4);
  const NetCache cache(folder.path() / "c", "s", {});
  const ChexbertNet cached(folder.path() / "m", cache);
  EXPECT_EQ(cached.read(kTexts), alone);
  EXPECT_EQ(cached.read(kTexts), alone);
  for (size_t i = 0; i < kTexts.size(); ++i) {
    EXPECT_EQ(together[i].classes, alone[i].classes);
    for (size_t k = 0; k < alone[i].vector.size(); ++k)
      EXPECT_NEAR(together[i].vector[k], alone[i].vector[k], 1e-5);
  }
}

TEST(RadGraph, batches_and_caches_change_nothing) {
  const testing::TempFolder folder;
  testing::make_tiny_radgraph(folder.path() / "m");
  const auto make = [&](NetCache cache) {
    return RadGraphNet(folder.path() / "m", text::RadGraphTokens::v1, "", std::move(cache));
  };
  const auto alone = make({}).read(kTexts);
  EXPECT_EQ(alone[2].text, "None");
  EXPECT_EQ(alone[1].text, "Small left pleural effusion .");
  size_t entities = 0;
  for (const auto& graph : alone) entities += graph.entities.size();
  EXPECT_GT(entities, 0u);
  EXPECT_EQ(make({}).read(kTexts, 4), alone);
  const NetCache cache(folder.path() / "c", "s", {});
  EXPECT_EQ(make(cache).read(kTexts), alone);
  EXPECT_EQ(make(cache).read(kTexts), alone);
}

TEST(Rate, texts_are_read_alike_alone_together_and_from_a_cache) {
  const testing::TempFolder folder;
  testing::make_tiny_recognizer(folder.path() / "n");
  testing::make_tiny_name_encoder(folder.path() / "e");
  const testing::fs::path rules =
      testing::fs::path(UNIRG_SOURCE_DIR) / "share/ratescore/rush_rules.tsv";
  const NetCache cache(folder.path() / "c", "s", {});
  const RateNet net(folder.path() / "n", folder.path() / "e", rules, cache);
  const auto alone = net.read(kTexts);
  const auto again = net.read(kTexts);
  const auto together = net.read(kTexts, /*together=*/true);
  size_t entities = 0;
  for (size_t i = 0; i < kTexts.size(); ++i) {
    EXPECT_EQ(again[i].names, alone[i].names);
    EXPECT_EQ(again[i].entities.types, alone[i].entities.types);
    EXPECT_EQ(again[i].entities.vectors, alone[i].entities.vectors);
    EXPECT_EQ(together[i].names, alone[i].names);
    EXPECT_EQ(alone[i].entities.vectors.size(), 16 * alone[i].names.size());
    entities += alone[i].names.size();
  }
  EXPECT_GT(entities, 3u);
  EXPECT_TRUE(alone[2].names.empty());
}

TEST(Rate, another_token_classifier_is_refused) {
  const testing::TempFolder folder;
  testing::make_tiny_name_encoder(folder.path() / "e");
  const testing::fs::path rules =
      testing::fs::path(UNIRG_SOURCE_DIR) / "share/ratescore/rush_rules.tsv";
  EXPECT_THROW(RateNet(folder.path() / "e", folder.path() / "e", rules), Error);
}

}  // namespace
}  // namespace unirg::scoring
