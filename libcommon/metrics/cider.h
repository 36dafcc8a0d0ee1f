// CIDEr-D as COCO caption evaluation computes it (PyPI pycocoevalcap 1.2), with document
// frequencies of the run's references or of a frozen table. Depends on io (files).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "metrics/ngrams.h"

namespace unirg::metrics {

/// In how many references each n-gram of 1..4 tokens occurs.
///
/// As a file: UTF-8 text, LF, byte for byte the same for the same references in any order.
///   unirg.cider-df/1
///   tokenizer<TAB>ptb               which tokens these are
///   documents<TAB>3000              N, at least 2
///   17<TAB>the heart is             frequency and n-gram, its tokens separated by single spaces;
///   ...                             sorted by the bytes of the n-gram, each once
class CiderTable {
 public:
  /// Counts the references, each its tokens between white space.
  CiderTable(const std::vector<std::string>& references, std::string tokenizer);
  /// \throws Error(Exit::no_input | Exit::io), Error(Exit::data) with file and line for what is no
  /// such table
  static CiderTable read(const std::filesystem::path& path);
  /// \throws Error(Exit::cannot_create | Exit::io)
  void write(const std::filesystem::path& path) const;

  [[nodiscard]] const std::string& tokenizer() const { return tokenizer_; }
  [[nodiscard]] size_t documents() const { return documents_; }
  [[nodiscard]] const GramIndex& index() const { return index_; }
  /// ln(documents) - ln(max(1, frequency)); what the table does not know has frequency 0.
  [[nodiscard]] double idf(GramId gram) const {
    return gram < idf_.size() ? idf_[gram] : log_documents_;
  }

 private:
  void work_out_idf();
  CiderTable() = default;
  std::string tokenizer_;
  size_t documents_ = 0;
  double log_documents_ = 0;
  GramIndex index_;
  std::vector<uint32_t> frequencies_;  ///< by n-gram
  std::vector<double> idf_;            ///< by n-gram
};

/// A text as CIDEr sees it: for each order its n-grams with tf * idf, and the norm of that vector.
struct CiderVector {
  std::array<std::vector<std::pair<GramId, double>>, kMaxOrder> weights;
  std::array<double, kMaxOrder> norms{};
  double length = 0;  ///< in bigrams, as upstream
};
/// \param index an index over table.index(), the same one for both sides of cider_d()
CiderVector cider_vector(const CiderTable& table, GramIndex& index, const Ids& tokens);

/// 10 times the mean over the orders n of
///   sum_g min(h_g, r_g) r_g / (|h| |r|) exp(-(length_h - length_r)^2 / (2 6^2)),
/// not divided where a norm is 0. \returns 0..10
/// \see Vedantam et al. 2015, arXiv:1411.5726; pycocoevalcap 1.2, cider_scorer
double cider_d(const CiderVector& hypothesis, const CiderVector& reference);

}  // namespace unirg::metrics
