// Parity of RadGraph's model with the radgraph package (../shared/golden/metrics), and its windows,
// spans and refusals on a model of a few numbers. SPDX-License-Identifier: Apache-2.0
#include "model/dygie.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "base/error.h"
#include "io/atomic_file.h"
#include "io/jsonl.h"
#include "temp_folder.h"

namespace unirg::model {
namespace {

namespace fs = std::filesystem;
using io::Json;

const fs::path kGolden = fs::path(UNIRG_SOURCE_DIR) / "../shared/golden/metrics";

/// The golden's graph of one report: entities by number, relations as (type, number of the target).
DygieGraph golden_graph(const Json& annotation) {
  DygieGraph graph;
  const Json& entities = annotation.at("entities");
  for (const auto& [number, entity] : entities.items()) {
    graph.entities.push_back({entity.at("start_ix").get<int64_t>(),
                              entity.at("end_ix").get<int64_t>(),
                              entity.at("label").get<std::string>()});
    for (const Json& relation : entity.at("relations")) {
      graph.relations.push_back(
          {graph.entities.size() - 1,
           static_cast<size_t>(std::stoul(relation[1].get<std::string>())) - 1,
           relation[0].get<std::string>()});
    }
  }
  return graph;
}

TEST(Dygie, entities_and_relations_of_the_golden_are_equal) {
  const fs::path folder = kGolden / "tiny_dygie";
  if (!fs::exists(folder)) GTEST_SKIP() << "needs ../shared/golden/metrics/tiny_dygie";
  const Dygie dygie = load_dygie(folder);
  EXPECT_EQ(dygie.config.dataset, "radgraph");
  const Json golden = Json::parse(io::read_file(kGolden / "dygie_tiny.json"));
  const Json pieces = Json::parse(io::read_file(fs::path(UNIRG_SOURCE_DIR) /
                                                "tests/parity/golden/dygie_tiny/word_pieces.json"));
  const auto reports = pieces.at("reports").get<std::vector<WordPieces>>();
  const WindowIds ids{pieces.at("first").get<int64_t>(), pieces.at("last").get<int64_t>()};
  ASSERT_EQ(reports.size(), golden.at("annotations").size());
  const auto graphs = dygie_graphs(dygie, reports, ids);
  size_t entities = 0;
  size_t relations = 0;
  size_t i = 0;
  for (const auto& [number, annotation] : golden.at("annotations").items()) {
    const DygieGraph expected = golden_graph(annotation);
    EXPECT_EQ(graphs[i].entities, expected.entities) << "report " << number;
    EXPECT_EQ(graphs[i].relations, expected.relations) << "report " << number;
    EXPECT_EQ(dygie_graphs(dygie, {reports[i]}, ids).front(), expected) << "alone, " << number;
    entities += expected.entities.size();
    relations += expected.relations.size();
    ++i;
  }
  EXPECT_EQ(entities, 1090U);
  EXPECT_EQ(relations, 146U);
}

/// A model of random numbers, wide enough apart that it finds entities.
Dygie small_dygie() {
  DygieConfig c;
  c.encoder.vocab_size = 40;
  c.encoder.hidden_size = 8;
  c.encoder.num_hidden_layers = 1;
  c.encoder.num_attention_heads = 2;
  c.encoder.intermediate_size = 12;
  c.encoder.max_position_embeddings = 16;
  c.dataset = "set";
  c.entity_labels = {"A", "B"};
  c.relation_labels = {"of"};
  c.max_span_width = 3;
  c.feature_size = 4;
  c.max_length = 6;
  c.hidden_dims = {10, 10};
  c.spans_per_word = 0.5;
  Shapes shapes = encoder_shapes(c.encoder);
  const Shapes heads = dygie_head_shapes(c);
  shapes.insert(heads.begin(), heads.end());
  return {c, {c.encoder, random_parameters(shapes, 3, /*std=*/1), {}}};
}

constexpr WindowIds kIds{1, 2};

TEST(WordVectors, are_means_over_folded_windows) {
  const Dygie dygie = small_dygie();
  // Seven pieces in windows of four: the second word's pieces lie in both.
  const WordPieces report{{10, 11, 12}, {13, 14}, {15}, {16}};
  const Tensor first =
      encoder_forward(dygie.encoder, pad_batch({{1, 10, 11, 12, 13, 2}}, 0)).hidden.back()[0];
  const Tensor second =
      encoder_forward(dygie.encoder, pad_batch({{1, 14, 15, 16, 2}}, 0)).hidden.back()[0];
  const Tensor pieces = at::cat({first.narrow(0, 1, 4), second.narrow(0, 1, 3)});
  const Tensor words = word_vectors(dygie, {report}, kIds).front();
  ASSERT_EQ(words.size(0), 4);
  const auto expect_near = [](const Tensor& a, const Tensor& b) {
    EXPECT_LT((a - b).abs().max().item<double>(), 1e-5);
  };
  expect_near(words[0], pieces.narrow(0, 0, 3).mean(0));
  expect_near(words[1], pieces.narrow(0, 3, 2).mean(0));
  expect_near(words[2], pieces[5]);
  expect_near(words[3], pieces[6]);
}

TEST(WordVectors, a_word_without_pieces_is_zero) {
  const Dygie dygie = small_dygie();
  const auto vectors = word_vectors(dygie, {{{10}, {}, {11}}, {{}}, {}}, kIds);
  EXPECT_EQ(vectors[0][1].abs().max().item<double>(), 0);
  EXPECT_GT(vectors[0][2].abs().max().item<double>(), 0);
  EXPECT_EQ(vectors[1].abs().max().item<double>(), 0);
  EXPECT_EQ(vectors[2].size(0), 0);
}

TEST(DygieGraphs, a_report_does_not_depend_on_its_batch) {
  const Dygie dygie = small_dygie();
  const std::vector<WordPieces> reports{
      {{10}, {11, 12}, {13}, {14}, {15}}, {}, {{16}}, {{17}, {18}, {19, 20, 21, 22}, {23}}};
  const auto together = dygie_graphs(dygie, reports, kIds);
  EXPECT_EQ(together[1], DygieGraph{});
  size_t entities = 0;
  for (size_t r = 0; r < reports.size(); ++r) {
    EXPECT_EQ(dygie_graphs(dygie, {reports[r]}, kIds).front(), together[r]);
    entities += together[r].entities.size();
    for (const DygieEntity& entity : together[r].entities) {
      EXPECT_LE(entity.first_word, entity.last_word);
      EXPECT_LT(entity.last_word - entity.first_word, dygie.config.max_span_width);
      EXPECT_LT(entity.last_word, static_cast<int64_t>(reports[r].size()));
    }
    for (const DygieRelation& relation : together[r].relations)
      EXPECT_LT(std::max(relation.source, relation.target), together[r].entities.size());
  }
  EXPECT_GT(entities, 0U);
}

// Folders.

constexpr const char* kConfig = R"({"model": {
  "embedder": {"token_embedders": {"text": {"type": "pretrained_transformer_mismatched", "max_length": 16}}},
  "feature_size": 4, "max_span_width": 3,
  "feedforward_params": {"num_layers": 2, "hidden_dims": [10, 9], "dropout": 0.4},
  "modules": {"ner": {}, "relation": {"spans_per_word": 0.5}}}})";

class DygieFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(temp.path() / "vocabulary");
    write("config.json", kConfig);
    write("bert_config.json",
          R"({"model_type": "bert", "vocab_size": 40, "hidden_size": 8, "num_hidden_layers": 1,
              "num_attention_heads": 2, "intermediate_size": 12, "max_position_embeddings": 16})");
    write("vocabulary/set__ner_labels.txt", "\nA\nB\n");
    write("vocabulary/set__relation_labels.txt", "of\n");
  }
  void write(const std::string& name, const std::string& text) {
    io::write_file(temp.path() / name, text);
  }
  std::string refusal(const std::string& dataset = "") {
    try {
      load_dygie_config(temp.path(), dataset);
    } catch (const Error& error) {
      return error.what();
    }
    return "read without complaint";
  }
  testing::TempFolder temp;
};

TEST_F(DygieFolder, sizes_labels_and_the_embedders_name_are_read) {
  const DygieConfig c = load_dygie_config(temp.path());
  EXPECT_EQ(c.dataset, "set");
  EXPECT_EQ(c.embedder, "text");
  EXPECT_EQ(c.max_length, 16);
  EXPECT_EQ(c.entity_labels, (std::vector<std::string>{"A", "B"}));
  EXPECT_EQ(c.relation_labels, (std::vector<std::string>{"of"}));
  EXPECT_EQ(c.hidden_dims, (std::vector<int64_t>{10, 9}));
  EXPECT_EQ(c.span_size(), 20);
}

TEST_F(DygieFolder, the_archives_names_are_loaded_and_unused_heads_left_out) {
  const DygieConfig c = load_dygie_config(temp.path());
  Parameters file = random_parameters(dygie_head_shapes(c), 1);
  for (const auto& [name, tensor] : random_parameters(encoder_shapes(c.encoder), 1))
    file["_embedder.token_embedder_text._matched_embedder.transformer_model." + name] = tensor;
  file["_coref._distance_embedding.weight"] = at::zeros({10, 4});
  file["_events._distance_embedding.weight"] = at::zeros({10, 4});
  save_parameters(temp.path(), file);
  const Dygie dygie = load_dygie(temp.path());
  EXPECT_EQ(dygie.encoder.left_out.size(), 2U);
  EXPECT_EQ(dygie_graphs(dygie, {{{5}, {6}}}, kIds).size(), 1U);

  file["_ner._ner_scorers.other__ner_labels.1._module.bias"] = at::zeros({2});
  save_parameters(temp.path(), file);
  try {
    load_dygie(temp.path());
    FAIL() << "loaded an unknown head";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("other__ner_labels"), std::string::npos);
  }
  write("vocabulary/other__ner_labels.txt", "\nC\nD\n");
  EXPECT_EQ(load_dygie(temp.path(), "set").encoder.left_out.size(), 3U);
}

TEST_F(DygieFolder, of_several_datasets_one_must_be_named) {
  write("vocabulary/other__ner_labels.txt", "\nC\n");
  EXPECT_NE(refusal().find("has labels of other, set: one must be named"), std::string::npos);
  EXPECT_EQ(load_dygie_config(temp.path(), "set").dataset, "set");
  EXPECT_NE(refusal("third").find("'third'"), std::string::npos);
}

TEST_F(DygieFolder, what_does_not_fit_is_named) {
  const auto expect_refused = [&](const std::string& from, const std::string& to,
                                  const std::string& named) {
    std::string text = kConfig;
    text.replace(text.find(from), from.size(), to);
    write("config.json", text);
    EXPECT_NE(refusal().find(named), std::string::npos) << refusal();
  };
  expect_refused("[10, 9]", "[10]", "'hidden_dims': expected 2 widths");
  expect_refused("\"max_length\": 16", "\"max_length\": 17", "'max_length'");
  expect_refused("pretrained_transformer_mismatched", "lstm", "'lstm'");
  expect_refused("\"spans_per_word\": 0.5", "\"spans\": 1", "'spans_per_word'");
  expect_refused("\"feature_size\": 4,", "", "'feature_size' is missing");
}

TEST_F(DygieFolder, labels_must_begin_with_the_null_label) {
  write("vocabulary/set__ner_labels.txt", "A\nB\n");
  EXPECT_NE(refusal().find("expected an empty line"), std::string::npos);
  write("vocabulary/set__ner_labels.txt", "\nA\n");
  write("vocabulary/set__relation_labels.txt", "\nof\n");
  EXPECT_NE(refusal().find("expected labels"), std::string::npos);
}

}  // namespace
}  // namespace unirg::model
