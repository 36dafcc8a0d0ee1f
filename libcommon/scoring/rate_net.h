// RaTEScore's networks at work: the entities of a report and the vectors they are compared by.
// Source: Zhao et al. 2024 (arXiv:2406.16845); package ratescore 0.6.0. Depends on metrics, model,
// text; LibTorch in the source. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "metrics/ratescore.h"
#include "scoring/net_cache.h"

namespace unirg::scoring {

struct RateReading {
  metrics::RateEntities entities;
  std::vector<std::string> names;  ///< the entities' text
};

/// Thread-safe.
class RateNet {
 public:
  /// \param recognizer token classification (RaTE-NER-Deberta), \param encoder of names
  /// (BioLORD-2023-C), folders with their tokenizers
  /// \param rules text::RushRules' table
  /// \throws Error(Exit::data) if a class of the recognizer is no "O", "B-TYPE" or "I-TYPE" of
  /// RaTEScore's types; what loading throws
  RateNet(const std::filesystem::path& recognizer, const std::filesystem::path& encoder,
          const std::filesystem::path& rules, NetCache cache = {});
  ~RateNet();
  /// Sentences of one text share batches, and so do its entities.
  /// \param together all texts do: low bits then depend on the company
  [[nodiscard]] std::vector<RateReading> read(const std::vector<std::string>& texts,
                                              bool together = false) const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace unirg::scoring
