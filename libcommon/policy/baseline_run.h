// The run behind unirg-generate --baseline: generation records without a writer, in input order.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "policy/baseline.h"
#include "policy/decode_run.h"

namespace unirg::policy {

struct BaselineOptions {
  std::string kind;            ///< a name of baseline_names(); "": no baseline, a model writes
  std::string from = "train";  ///< split whose reports are taken
};

/// Rows for BaselineOptions.
cli::Table baseline_table(BaselineOptions& options);

/// Mean of the visual tokens of each study's key image, as the text tower would get them, at length
/// 1; empty for a study without image. In the order of `studies`, the same at any number of
/// threads. \throws Error(Exit::data) naming study and image if one does not decode,
/// Error(Exit::interrupted) once stopped
std::vector<Embedding> image_embeddings(const model::Qwen3VL& model,
                                        const ImageProcessor& processor,
                                        const std::vector<const data::Study*>& studies,
                                        const data::StudySet& set, const cli::Common& common,
                                        cli::Context& context);

/// One record a study. What it holds of a generation: no tokens, finish "stop", as policy the
/// digest of the model whose tower was asked (nearest) or ""; and beside it "baseline" (the kind),
/// "from" (what the report was chosen by, which is most-frequent where the kind has none to offer),
/// "source" (the study whose report it is), and for a neighbour "similarity".
/// \throws Error(Exit::usage) if several samples or a temperature are asked for, or nearest without
/// a model; Error(Exit::data) if there is nothing to choose from
Exit run_baseline(const DecodeJob& job, const BaselineOptions& baseline, const cli::Common& common,
                  cli::Context& context);

}  // namespace unirg::policy
