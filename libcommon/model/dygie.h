// RadGraph's model (DyGIE++): entities are spans of words, relations are pairs of them. Words come
// as the ids of their pieces, so that no tokenizer is needed here; a report is one sentence.
// Letters: W words, S spans, H encoder width, F span width (2H + feature_size), K kept spans.
// float32. Source: Wadden et al. 2019 (arXiv:1909.03546), Jain et al. 2021 (arXiv:2106.14463);
// github.com/dwadden/dygiepp. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "model/dygie_config.h"
#include "model/encoder.h"

namespace unirg::model {

struct Dygie {
  DygieConfig config;
  /// With the heads' tensors ("_endpoint_span_extractor...", "_ner...", "_relation...") under the
  /// archive's own names; coreference and event heads are left out.
  Encoder encoder;
};

/// Name and shape of every tensor of the heads in use.
Shapes dygie_head_shapes(const DygieConfig& config);

/// A folder as scripts/convert-weights makes it from RadGraph's archive: config.json,
/// bert_config.json, vocabulary/, model.safetensors.
/// \param dataset as load_dygie_config()
/// \throws Error as load_dygie_config() and load_encoder()
Dygie load_dygie(const std::filesystem::path& folder, const std::string& dataset = "",
                 const at::Device& device = at::kCPU);

/// Ids of each word's pieces, without specials.
using WordPieces = std::vector<std::vector<int64_t>>;

/// What stands around every window of pieces: [CLS] and [SEP].
struct WindowIds {
  int64_t first = 0;
  int64_t last = 0;
};

struct DygieEntity {
  int64_t first_word = 0;
  int64_t last_word = 0;  ///< inclusive
  std::string label;
  bool operator==(const DygieEntity&) const = default;
};
struct DygieRelation {
  size_t source = 0;  ///< index into entities
  size_t target = 0;
  std::string label;
  bool operator==(const DygieRelation&) const = default;
};
/// Entities by first word, then last; relations by source span, then target span.
struct DygieGraph {
  std::vector<DygieEntity> entities;
  std::vector<DygieRelation> relations;
  bool operator==(const DygieGraph&) const = default;
};

/// Vector of each word: the mean of its pieces' last hidden states, 0 for a word without pieces.
/// A report with more pieces than a window holds is cut, encoded window by window, and joined
/// again. Windows run in batches of a few, so that memory stays bounded. \returns per report [W, H]
std::vector<Tensor> word_vectors(const Dygie& dygie, const std::vector<WordPieces>& reports,
                                 const WindowIds& ids);

/// Entities and relations of one report. \param words [W, H], W >= 1
DygieGraph decode_graph(const Dygie& dygie, const Tensor& words);

/// word_vectors(), then decode_graph() for each report; a report without words has no entities.
std::vector<DygieGraph> dygie_graphs(const Dygie& dygie, const std::vector<WordPieces>& reports,
                                     const WindowIds& ids);

}  // namespace unirg::model
