// The metrics of text as one family: BLEU, ROUGE, CIDEr-D, METEOR, readability, repetition,
// lengths, boilerplate. Depends on metrics, text. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "scoring/family.h"

namespace unirg::scoring {

/// What text metrics can be told. Files are only opened for metrics that are asked for.
struct TextOptions {
  /// Tokens of the COCO metrics (coco-bleu1..4, coco-rouge-l, cider-d, meteor): "ptb", as
  /// pycocoevalcap makes them, or "whitespace", the text as it is.
  std::string coco_tokens = "ptb";
  std::filesystem::path cider_table;  ///< "": document frequencies of the run's references
  std::filesystem::path meteor_synsets,
      meteor_exceptions;                     ///< WordNet, from METEOR's jar; "": none
  std::filesystem::path meteor_paraphrases;  ///< paraphrase-en.gz; "": none
  std::filesystem::path hyphenation;         ///< of fkgl; "": where Debian's hyphen-en-us has it
  std::filesystem::path boilerplate;         ///< sentences, one a line; needed by boilerplate
};

/// Every metric of the family in table order, with the signatures they have with these options.
/// Files that are given and there are read for their digests. Nothing fails here for a missing
/// file.
std::vector<MetricInfo> text_metrics(const TextOptions& options = {});

/// \param names metrics by name, each once; only what they need is computed
/// \throws Error(Exit::config) for an unknown name or token kind and for boilerplate without its
/// file; what the files throw. fit() throws Error(Exit::config) for cider-d with one reference and
/// no table. scores hold sums of "coco-bleu" (see corpus_coco_bleu) with any coco-bleu, of "meteor"
/// (see corpus_meteor) with meteor.
std::unique_ptr<Family> text_family(const std::vector<std::string>& names,
                                    const TextOptions& options = {});

/// Corpus BLEU-1..4 of the sums of statistic "coco-bleu": correct 1..4, guessed 1..4, hypothesis
/// length, reference length. Not the mean of the reports'.
std::array<double, 4> corpus_coco_bleu(const std::vector<double>& sums);
/// Corpus METEOR of the sums of statistic "meteor" (metrics::MeteorStatistics::numbers()).
double corpus_meteor(const std::vector<double>& sums);

/// Writes the document frequencies of these references for TextOptions::cider_table.
/// \throws Error(Exit::config) for fewer than two references or an unknown token kind,
/// Error(Exit::cannot_create | Exit::io)
void write_cider_table(const std::vector<std::string>& references, const std::string& coco_tokens,
                       const std::filesystem::path& path);

}  // namespace unirg::scoring
