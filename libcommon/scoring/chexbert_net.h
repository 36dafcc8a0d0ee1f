// CheXbert at work: what it finds in a report, and the vector that SembScore compares.
// Source: Smit et al. 2020 (arXiv:2004.09167); packages f1chexbert 0.0.2 (labels),
// rajpurkarlab/CXR-Report-Metric 9c9ecad (SembScore). Depends on metrics, model, text; LibTorch in
// the source. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "metrics/label_f1.h"
#include "scoring/net_cache.h"

namespace unirg::scoring {

/// CheXbert's order, which is that of its heads.
constexpr std::array<const char*, 14> kChexbertConditions = {"Enlarged Cardiomediastinum",
                                                             "Cardiomegaly",
                                                             "Lung Opacity",
                                                             "Lung Lesion",
                                                             "Edema",
                                                             "Consolidation",
                                                             "Pneumonia",
                                                             "Atelectasis",
                                                             "Pneumothorax",
                                                             "Pleural Effusion",
                                                             "Pleural Other",
                                                             "Fracture",
                                                             "Support Devices",
                                                             "No Finding"};
/// Cardiomegaly, Edema, Consolidation, Atelectasis, Pleural Effusion.
constexpr std::array<size_t, 5> kChexbertFive = {1, 4, 5, 7, 9};

struct ChexbertReading {
  std::array<uint8_t, 14> classes{};  ///< 0 blank, 1 positive, 2 negative, 3 uncertain
  std::vector<float> vector;          ///< of the first token
  bool operator==(const ChexbertReading&) const = default;
};

/// Conditions a reading calls. \param uncertain_is_positive as f1chexbert has it
metrics::ConditionSet called_conditions(const ChexbertReading& reading, bool uncertain_is_positive);
/// The same without those outside kChexbertFive.
metrics::ConditionSet only_five(const metrics::ConditionSet& called);

/// Cosine of the vectors, -1..1; nullopt if one is 0.
std::optional<double> sembscore(const ChexbertReading& a, const ChexbertReading& b);

/// Thread-safe.
class ChexbertNet {
 public:
  /// \param folder as model::load_chexbert() reads it, with its tokenizer
  explicit ChexbertNet(const std::filesystem::path& folder, NetCache cache = {});
  ~ChexbertNet();
  /// \param batch_size see make_batches(); 1: a reading depends on its text and the weights only
  [[nodiscard]] std::vector<ChexbertReading> read(const std::vector<std::string>& texts,
                                                  size_t batch_size = 1) const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace unirg::scoring
