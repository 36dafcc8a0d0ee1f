// Metrics that need networks: BERTScore, CheXbert's labels and SembScore, RadGraph F1, RadCliQ,
// RaTEScore. Weights are the user's own; folders below NetOptions::models, made by
// scripts/convert-weights: distilroberta-base, chexbert, radgraph, radgraph-xl, rate-ner-deberta,
// biolord-2023-c. Depends on metrics, model, text.
//
// Where the published code gives no number, there is none: bertscore-p and -r of a side whose
// tokens all weigh 0 (idf fitted on one text). Where it gives one, that is it: BERTScore F of an
// empty text is 0 before rescaling, RaTEScore without entities 0.5, RadGraph F1 of an empty or
// blank report 0. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "scoring/family.h"
#include "scoring/net_cache.h"

namespace unirg::scoring {

struct NetOptions {
  std::filesystem::path models;  ///< folder of folders
  std::string bertscore_model = "distilroberta-base";
  int64_t bertscore_layer = 5;
  /// Tokens weighed by rarity in the references of the run, which fit() must have seen.
  bool bertscore_idf = false;
  std::string bertscore_baseline = "built-in";  ///< "built-in", "none" or a file of bert-score's
  /// Of the radgraph metrics: "radgraph" or a newer model's folder, which is read with XL's words.
  std::string radgraph_model = "radgraph";
  std::string ratescore_matrix = "long";  ///< or "short"
  bool uncertain_is_positive = true;      ///< in label F1, as f1chexbert counts
  /// 1: each text runs alone, its values depend on nothing else. More: texts of a group share
  /// padded batches, which is faster and may change low bits with the company; excludes a cache.
  int64_t batch_size = 1;
  /// Readings of CheXbert, RadGraph and RaTEScore's networks are kept here; "": nowhere. Not
  /// BERTScore's: some 200 kB a text are more work to store than to compute.
  std::filesystem::path cache;
  std::filesystem::path sentence_rules;  ///< share/ratescore/rush_rules.tsv; for ratescore
  Warn warn;                             ///< damaged cache entries; unset: standard error
};

/// Every metric of this family in table order: bertscore, bertscore-p, bertscore-r, sembscore,
/// chexbert-f1-14, chexbert-f1-5, radgraph, radgraph-{simple,partial,complete}, the same with
/// -0.1.18, radcliq-v0, radcliq-v1, ratescore. Nothing is loaded; signatures lack the weights'
/// digests. RadCliQ always uses distilroberta-base, layer 5, built-in baseline, no idf, and
/// radgraph's first model.
std::vector<MetricInfo> net_metrics(const NetOptions& options);

/// Loads what the metrics need. Signatures end in the digests of the weights.
/// Scored::sums: "chexbert" label_sums() of the two reports, with either label metric;
/// "radcliq-v0", "radcliq-v1" {value, 1}, or {0, 0} without a value.
/// Scored::details: "radgraph" and "chexbert" and "ratescore", what was read of hypothesis and
/// reference.
/// score() sets the calling thread to one intra-op thread, for good.
/// \param names of net_metrics(), any order
/// \throws Error(Exit::config) for an unknown name or setting; Error(Exit::no_input) naming a
/// folder that is missing and the command that makes it; Error(Exit::data) for files that are wrong
std::unique_ptr<Family> net_family(const std::vector<std::string>& names,
                                   const NetOptions& options);

}  // namespace unirg::scoring
