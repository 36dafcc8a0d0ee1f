// Parity of the CheXbert labeler with BertModel and 14 linear heads (../shared/golden), and its
// input rules. SPDX-License-Identifier: Apache-2.0
#include "model/chexbert.h"

#include <ATen/TensorOperators.h>
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

const fs::path kGolden = fs::path(UNIRG_SOURCE_DIR) / "../shared/golden";

TEST(ChexbertText, collapses_and_strips_white_space) {
  EXPECT_EQ(chexbert_text("  No\n\nacute \t findings. \r\n"), "No acute findings.");
  EXPECT_EQ(chexbert_text(" \n "), "");
  EXPECT_EQ(chexbert_text(""), "");
}

TEST(ChexbertText, unicode_blanks_and_separators_count) {
  // U+00A0, U+0085, U+001F, U+2003, U+3000; the letter after U+00C2's lead byte stays.
  EXPECT_EQ(chexbert_text("a\u00A0b\u0085c\u001Fd\u2003e\u3000f\u00A3"), "a b c d e f\u00A3");
  EXPECT_EQ(chexbert_text("\xC2"), "\xC2");
}

TEST(ChexbertIds, wrap_and_cut_to_512) {
  EXPECT_EQ(chexbert_ids({}, 2, 3), (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(chexbert_ids({7, 8}, 2, 3), (std::vector<int64_t>{2, 7, 8, 3}));
  EXPECT_EQ(chexbert_ids(std::vector<int64_t>(510, 7), 2, 3).size(), 512U);
  std::vector<int64_t> pieces(511, 7);
  pieces[510] = 9;
  const auto ids = chexbert_ids(pieces, 2, 3);
  EXPECT_EQ(ids.size(), 512U);
  EXPECT_EQ(ids.back(), 3);
  EXPECT_EQ(ids[510], 7);
}

TEST(Chexbert, heads_and_classes_agree) {
  const fs::path folder = kGolden / "chexbert_tiny";
  if (!fs::exists(folder)) GTEST_SKIP() << "needs ../shared/golden/chexbert_tiny";
  const Chexbert chexbert = load_chexbert(folder);
  const Parameters golden = load_tensors(folder / "golden.safetensors");
  TokenBatch batch{golden.at("input_ids"), {}, {}};
  const Tensor lengths = golden.at("attention_mask").sum(1);
  for (int64_t b = 0; b < lengths.numel(); ++b) batch.lengths.push_back(lengths[b].item<int64_t>());
  const ChexbertOutput out = chexbert_forward(chexbert, batch);
  EXPECT_LT((out.vectors - golden.at("cls")).abs().max().item<double>(), 1e-5);
  for (size_t k = 0; k < kChexbertHeads; ++k) {
    const std::string name = std::string("head") + (k < 10 ? "0" : "") + std::to_string(k);
    EXPECT_LT((out.scores[k] - golden.at(name)).abs().max().item<double>(), 1e-5) << name;
    for (size_t b = 0; b < out.classes.size(); ++b) {
      EXPECT_EQ(
          static_cast<int64_t>(out.classes[b][k]),
          golden.at("argmax")[static_cast<int64_t>(b)][static_cast<int64_t>(k)].item<int64_t>());
    }
  }
}

/// 43 texts, among them empty, blank and one over 512 tokens; ids come with the golden.
TEST(Chexbert, labels_and_vectors_of_whole_reports_agree) {
  const fs::path folder = kGolden / "metrics/tiny_chexbert";
  if (!fs::exists(folder)) GTEST_SKIP() << "needs ../shared/golden/metrics/tiny_chexbert";
  const Chexbert chexbert = load_chexbert(folder);  // its config.json names no model_type
  const Json reports = Json::parse(io::read_file(kGolden / "metrics/chexbert_tiny.json"));
  std::vector<std::vector<int64_t>> ids;
  for (const Json& report : reports) ids.push_back(report.at("ids").get<std::vector<int64_t>>());
  const ChexbertOutput out = chexbert_forward(chexbert, pad_batch(ids, 0));
  for (size_t i = 0; i < reports.size(); ++i) {
    const auto vector = reports[i].at("cls").get<std::vector<double>>();
    for (size_t h = 0; h < vector.size(); ++h) {
      // The golden's vectors are rounded to six decimals.
      EXPECT_NEAR(out.vectors[static_cast<int64_t>(i)][static_cast<int64_t>(h)].item<double>(),
                  vector[h], 1e-5 + 5e-7);
    }
    const auto classes = reports[i].at("classes").get<std::vector<int64_t>>();
    for (size_t k = 0; k < kChexbertHeads; ++k)
      EXPECT_EQ(static_cast<int64_t>(out.classes[i][k]), classes[k]) << "report " << i;
  }
}

TEST(Chexbert, the_cut_of_a_long_report_is_ours) {
  const fs::path file = kGolden / "metrics/chexbert_tiny.json";
  if (!fs::exists(file)) GTEST_SKIP() << "needs ../shared/golden/metrics/chexbert_tiny.json";
  for (const Json& report : Json::parse(io::read_file(file))) {
    const auto ids = report.at("ids").get<std::vector<int64_t>>();
    EXPECT_LE(ids.size(), kChexbertTokens);
    const std::vector<int64_t> pieces(ids.begin() + 1, ids.end() - 1);
    EXPECT_EQ(chexbert_ids(pieces, ids.front(), ids.back()), ids);
  }
}

TEST(Chexbert, other_architectures_and_missing_heads_are_refused) {
  const Json json = {{"vocab_size", 30},        {"hidden_size", 8},
                     {"num_hidden_layers", 1},  {"num_attention_heads", 2},
                     {"intermediate_size", 12}, {"max_position_embeddings", 20}};
  testing::TempFolder temp;
  io::write_file(temp.path() / "config.json", json.dump());
  const EncoderConfig config = encoder_config_from_json(json, "config.json", "bert");
  save_parameters(temp.path(), random_parameters(encoder_shapes(config), 1));
  try {
    load_chexbert(temp.path());
    FAIL() << "loaded without heads";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("linear_heads.13.weight"), std::string::npos);
  }
  Json roberta = json;
  roberta["model_type"] = "roberta";
  io::write_file(temp.path() / "config.json", roberta.dump());
  EXPECT_THROW(load_chexbert(temp.path()), Error);
}

}  // namespace
}  // namespace unirg::model
