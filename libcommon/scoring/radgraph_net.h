// RadGraph's models at work: a report's graph of findings and places. Source: Jain et al. 2021
// (arXiv:2106.14463); package radgraph 0.1.18. Depends on metrics, model, text; LibTorch in the
// source. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "metrics/radgraph.h"
#include "scoring/net_cache.h"
#include "text/radgraph_tokens.h"

namespace unirg::scoring {

/// Thread-safe.
class RadGraphNet {
 public:
  /// \param folder as model::load_dygie() reads it, with its tokenizer
  /// \param dataset whose labels to use, "" if the folder has one
  RadGraphNet(const std::filesystem::path& folder, text::RadGraphTokens tokens,
              const std::string& dataset = "", NetCache cache = {});
  ~RadGraphNet();
  /// The package's annotation of each report; an empty or blank one is read as "None".
  /// \param batch_size see make_batches(); 1: a graph depends on its text and the weights only
  [[nodiscard]] std::vector<metrics::ReportGraph> read(const std::vector<std::string>& texts,
                                                       size_t batch_size = 1) const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace unirg::scoring
