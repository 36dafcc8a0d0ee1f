// What a RadGraph (DyGIE++) folder says of its model: AllenNLP's config.json and vocabulary/, and
// bert_config.json of the encoder inside. Depends on io. Source: github.com/dwadden/dygiepp,
// github.com/Stanford-AIMI/radgraph. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "model/encoder_config.h"

namespace unirg::model {

struct DygieConfig {
  EncoderConfig encoder;
  std::string embedder = "bert";  ///< key of the token embedder; part of the weights' names
  std::string dataset;            ///< namespace of labels, "radgraph" or "radgraph-xl"
  std::vector<std::string> other_datasets;   ///< of the same folder; their heads are left out
  std::vector<std::string> entity_labels;    ///< without the null label
  std::vector<std::string> relation_labels;  ///< without the null label
  int64_t max_span_width = 0;                ///< words
  int64_t feature_size = 0;                  ///< width of the span-width embedding
  int64_t max_length = 512;                  ///< pieces of one window, specials included
  std::vector<int64_t> hidden_dims;          ///< widths of every feed-forward network, in order
  double spans_per_word = 0;                 ///< share of spans that relations look at

  /// Width of a span vector: both ends and the width embedding.
  [[nodiscard]] int64_t span_size() const { return 2 * encoder.hidden_size + feature_size; }
};

/// \param dataset whose labels to read; "": the only one of the folder
/// \throws Error(Exit::no_input) for a missing file, Error(Exit::data) naming file and key
DygieConfig load_dygie_config(const std::filesystem::path& folder, const std::string& dataset = "");

}  // namespace unirg::model
