// A folder of metric networks with a few random numbers each, so that whole metrics run without
// published weights. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "io/atomic_file.h"
#include "io/jsonl.h"
#include "model/chexbert.h"
#include "model/dygie.h"
#include "model/encoder.h"
#include "text/tokenizer.h"

namespace unirg::testing {

namespace fs = std::filesystem;

inline const fs::path kTokenizers = fs::path(UNIRG_SOURCE_DIR) / "tests/parity/golden";

inline io::Json tiny_config(const char* type, const text::Tokenizer& tokenizer) {
  io::Json config = {{"model_type", type},
                     {"vocab_size", tokenizer.size()},
                     {"hidden_size", 16},
                     {"num_hidden_layers", 2},
                     {"num_attention_heads", 2},
                     {"intermediate_size", 24},
                     {"max_position_embeddings", 514},
                     {"type_vocab_size", 2},
                     {"pad_token_id", 0},
                     {"layer_norm_eps", 1e-7},
                     {"hidden_act", "gelu"}};
  return config;
}

inline void save_net(const fs::path& folder, const io::Json& config, uint64_t seed,
                     model::Shapes extra = {}) {
  io::write_file(folder / "config.json", config.dump());
  model::Shapes shapes = model::encoder_shapes(
      model::encoder_config_from_json(config, (folder / "config.json").string()));
  shapes.merge(extra);
  model::save_parameters(folder, model::random_parameters(shapes, seed, /*std=*/0.5));
}

/// WordPiece, uncased; every tokenizer here but RoBERTa's. The architecture adds its special
/// tokens.
inline text::Tokenizer put_vocabulary(const fs::path& folder, const char* type) {
  fs::create_directories(folder);
  fs::copy_file(kTokenizers / "wordpiece/vocab_uncased.txt", folder / "vocab.txt");
  io::write_file(folder / "config.json", io::Json{{"model_type", type}}.dump());
  return text::Tokenizer::load(folder);
}

inline void make_tiny_roberta(const fs::path& folder) {
  fs::create_directories(folder);
  fs::copy_file(kTokenizers / "roberta_bpe/tokenizer.json", folder / "tokenizer.json");
  io::Json config = tiny_config("roberta", text::Tokenizer::load(folder));
  config["type_vocab_size"] = 1;
  config["pad_token_id"] = 1;
  config["num_hidden_layers"] = 6;
  save_net(folder, config, 1);
}

inline void make_tiny_chexbert(const fs::path& folder) {
  const io::Json config = tiny_config("bert", put_vocabulary(folder, "bert"));
  model::Shapes heads;
  for (size_t k = 0; k < model::kChexbertHeads; ++k) {
    model::add_dense_shapes(heads, "linear_heads." + std::to_string(k),
                            k + 1 < model::kChexbertHeads ? 4 : 2, 16);
  }
  save_net(folder, config, 2, heads);
}

inline void make_tiny_radgraph(const fs::path& folder) {
  const io::Json encoder = tiny_config("bert", put_vocabulary(folder, "bert"));
  io::write_file(folder / "bert_config.json", encoder.dump());
  io::write_file(folder / "config.json", R"({"model": {"type": "dygie",
      "embedder": {"token_embedders": {"bert": {"type": "pretrained_transformer_mismatched", "max_length": 40}}},
      "feature_size": 4, "max_span_width": 4,
      "feedforward_params": {"num_layers": 2, "hidden_dims": 10, "dropout": 0.4},
      "modules": {"relation": {"spans_per_word": 0.5}}}})");
  fs::create_directories(folder / "vocabulary");
  io::write_file(folder / "vocabulary/radgraph__ner_labels.txt", "\nANAT-DP\nOBS-DP\nOBS-DA\n");
  io::write_file(folder / "vocabulary/radgraph__relation_labels.txt", "modify\nlocated_at\n");
  const model::DygieConfig config = model::load_dygie_config(folder);
  model::Shapes shapes = model::encoder_shapes(config.encoder);
  shapes.merge(model::dygie_head_shapes(config));
  model::save_parameters(folder, model::random_parameters(shapes, 3, /*std=*/0.5));
}

inline void make_tiny_recognizer(const fs::path& folder) {
  io::Json config = tiny_config("deberta-v2", put_vocabulary(folder, "deberta-v2"));
  config.update({{"type_vocab_size", 0},
                 {"relative_attention", true},
                 {"position_buckets", 8},
                 {"max_relative_positions", -1},
                 {"norm_rel_ebd", "layer_norm"},
                 {"share_att_key", true},
                 {"pos_att_type", "p2c|c2p"},
                 {"position_biased_input", false},
                 {"architectures", {"DebertaV2ForTokenClassification"}}});
  const char* types[] = {"ABNORMALITY", "NON-ABNORMALITY", "DISEASE", "NON-DISEASE", "ANATOMY"};
  io::Json labels = {{"0", "O"}};
  io::Json ids = {{"O", 0}};
  int n = 0;
  for (const char* type : types) {
    for (const char* mark : {"B-", "I-"}) {
      labels[std::to_string(++n)] = std::string(mark) + type;
      ids[std::string(mark) + type] = n;
    }
  }
  config["id2label"] = labels;
  config["label2id"] = ids;
  save_net(folder, config, 4);
}

inline void make_tiny_name_encoder(const fs::path& folder) {
  io::Json config = tiny_config("mpnet", put_vocabulary(folder, "mpnet"));
  config["pad_token_id"] = 1;
  config["relative_attention_num_buckets"] = 32;
  save_net(folder, config, 5);
}

/// All folders that net_family() knows, but radgraph-xl.
inline void make_tiny_nets(const fs::path& models) {
  make_tiny_roberta(models / "distilroberta-base");
  make_tiny_chexbert(models / "chexbert");
  make_tiny_radgraph(models / "radgraph");
  make_tiny_recognizer(models / "rate-ner-deberta");
  make_tiny_name_encoder(models / "biolord-2023-c");
}

}  // namespace unirg::testing
