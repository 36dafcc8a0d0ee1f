// BERTScore: tokens of two texts matched greedily by the cosine of their vectors.
// Source: Zhang et al. 2020 (arXiv:1904.09675); package bert-score 0.3.13, whose numbers this
// gives: specials weigh nothing but may be matched with, an empty side scores 0 before rescaling.
// Depends on model, text; LibTorch in the source. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace unirg::scoring {

/// Tokens of one text with their vectors.
struct TokenVectors {
  std::vector<int64_t> ids;    ///< special tokens at both ends included
  std::vector<float> vectors;  ///< ids.size() rows of unit length
};

/// Tokens weighed by how few of the fitted texts hold them: ln((M + 1) / (n + 1)), in float32.
class TokenWeights {
 public:
  /// All 1, but for these special ones: 0.
  explicit TokenWeights(const std::vector<int64_t>& specials);
  /// \param texts ids of each, specials included (which therefore weigh 0)
  static TokenWeights of_rarity(const std::vector<std::vector<int64_t>>& texts);
  [[nodiscard]] float of(int64_t id) const;

 private:
  std::unordered_map<int64_t, float> known_;
  float others_ = 1;
};

/// nullopt: undefined, no token of that side weighs anything (rarity fitted on one text gives its
/// tokens no weight). The package prints NaN there, and 0 for F, as this does.
struct BertScoreValue {
  std::optional<double> precision, recall;
  double f = 0;
};

struct BertScoreBaseline {
  double precision = 0, recall = 0, f = 0;
};
/// (x - b) / (1 - b), each by its own b. At most 1; far below 0 for an empty text.
BertScoreValue rescale(const BertScoreValue& value, const BertScoreBaseline& baseline);
/// The package's English baselines of distilroberta-base, of distilbert-base-uncased, roberta-large
/// and bert-base-uncased at their layer (5, 17, 9); nullopt for others.
std::optional<BertScoreBaseline> built_in_baseline(const std::string& model, int64_t layer);
/// A file in the package's form: "LAYER,P,R,F", a row for each layer.
/// \throws Error(Exit::data) naming file and line, or if the layer has no row
BertScoreBaseline read_baseline(const std::filesystem::path& file, int64_t layer);

/// A text as CXR-Report-Metric hands it on: runs of the space character are one.
std::string single_spaces(std::string_view text);

/// An encoder of which the first layers run. Thread-safe.
class BertScorer {
 public:
  /// \param folder BERT, RoBERTa, MPNet or DeBERTa with its tokenizer
  /// \param layer  whose output is taken, 0: the embeddings
  /// \throws Error(Exit::config) if the encoder has fewer layers; what load_encoder() throws
  BertScorer(const std::filesystem::path& folder, int64_t layer);
  ~BertScorer();

  /// Ids of a text, stripped; at most 512 and what the encoder takes. RoBERTa gets a blank in
  /// front.
  [[nodiscard]] std::vector<int64_t> ids(std::string_view text) const;
  /// \param batch_size see make_batches(); 1: a text's vectors depend on it and the weights only
  [[nodiscard]] std::vector<TokenVectors> embed(const std::vector<std::string>& texts,
                                                size_t batch_size = 1) const;
  /// Ids of an empty text.
  [[nodiscard]] const std::vector<int64_t>& specials() const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

/// \param hypothesis, reference vectors of one width
BertScoreValue bert_score(const TokenVectors& hypothesis, const TokenVectors& reference,
                          const TokenWeights& weights);

}  // namespace unirg::scoring
